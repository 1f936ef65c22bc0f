"""The report: one text whose numbers are names of records, as a page and as a PDF."""
