"""Figures of a suite, made from its records: one file a figure, found by the NAMES that it declares."""
