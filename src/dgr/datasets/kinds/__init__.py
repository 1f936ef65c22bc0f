"""Kinds of data sets: one file each, with the configuration, which says what it is and makes its arrays."""
