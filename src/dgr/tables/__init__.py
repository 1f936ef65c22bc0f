"""Tables of a suite, made from its records."""
