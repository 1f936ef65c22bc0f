"""Packing what runs left behind, putting it back, and describing both to strangers."""
