"""From what stages left to the records of a suite, and the numbers that tables and claims compare."""
