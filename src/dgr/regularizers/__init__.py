"""DGR and its controls, a file each: its settings, what it does to a run, and how reports show it."""
