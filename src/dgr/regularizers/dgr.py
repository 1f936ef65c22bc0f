"""``dgr``: Dummy Gradient norm Regularization, λ times the squared gradient norm of untrained heads."""

from dgr.regularizers.shared.dgr_arm import DGRArm

LABEL = "+ DGR"
ORDER = 1
SYMBOL = "λ"
PENALTY = True
CONTROL = None
COLOUR = "#D55E00"
MARKER = "o"
DASH = (5, 1.5)


class Config(DGRArm):
    """Fields as in :class:`dgr.DummyGradientNorm`."""
