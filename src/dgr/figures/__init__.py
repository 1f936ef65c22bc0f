"""Figures of a suite, made from its records."""
