"""From run folders to records, and from records alone to every table and figure."""
