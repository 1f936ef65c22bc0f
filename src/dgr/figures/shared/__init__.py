"""What figures are made of: one look, curves, panels, files."""
