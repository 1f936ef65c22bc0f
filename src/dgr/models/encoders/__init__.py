"""Encoders, each with its settings and heads: a file an encoder."""
