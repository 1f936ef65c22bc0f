"""``normalized_dgr``: DGR on representations of one norm, where shrinking z is no way to a small penalty."""

from dgr.regularizers.shared.dgr_arm import DGRArm
from dgr.regularizers.shared.normalized_arm import NormalizedArm

LABEL = "z normalised + DGR"
ORDER = 6
SYMBOL = "λ"
PENALTY = True
CONTROL = None
COLOUR = "#AA4499"
MARKER = "X"
DASH = (3, 1, 1, 1)


class Config(NormalizedArm, DGRArm):
    """DGR, fields as in :class:`dgr.DummyGradientNorm`, with z as of ``normalized``."""
