"""Penalties on the representation: DGR, and the plain norm penalty that it has to beat."""
