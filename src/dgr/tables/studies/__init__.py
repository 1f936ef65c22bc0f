"""The tables of a study, and of the claims that studies decide."""
