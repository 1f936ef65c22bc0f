"""``none``: task losses only."""

from dgr.config.regularizers import Regularizer

LABEL = "–"
ORDER = 0
SYMBOL = None
PENALTY = False
CONTROL = None
COLOUR = "#000000"  # this and the others' from Okabe and Ito's palette, https://jfly.uni-koeln.de/color/
MARKER = "o"
DASH = (1, 0)


class Config(Regularizer):
    """Task losses only."""
