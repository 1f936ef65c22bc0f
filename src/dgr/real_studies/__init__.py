"""Studies of single methods on data that are fetched: a source is read, and rows of results are found for a seed."""
