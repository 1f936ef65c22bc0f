"""Who is at work in a checkout, and what processes left that were killed."""
