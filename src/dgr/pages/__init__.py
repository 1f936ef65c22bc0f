"""Pages for readers: audit pages, README blocks, the summary that `dvc metrics` shows."""
