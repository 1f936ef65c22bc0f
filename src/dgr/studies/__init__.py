"""Studies of single methods on data made for one question: each a configuration, and rows of results for a seed."""
