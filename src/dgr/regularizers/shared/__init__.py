"""What the penalties are made of: DGR itself, the plain norm penalty that it has to beat, and their parts."""
