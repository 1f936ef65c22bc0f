"""Data sets: one file each, and the common prepared form."""
