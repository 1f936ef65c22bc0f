"""Whether the committed results are what they say: checks of the files, and a sample of the runs trained again."""
