"""``norm_matched``: a control of DGR, the plain penalty on ‖z‖² at the strength that gives DGR's own ‖z‖."""

from dgr.regularizers.shared.norm_arm import NormArm

LABEL = "+ norm at DGR's ‖z‖"
ORDER = 4
SYMBOL = "β"
PENALTY = True
CONTROL = "the same at the β with which ‖z‖ is that of DGR"
COLOUR = "#56B4E9"
MARKER = "d"
DASH = (1.2, 2.4)


class Config(NormArm):
    """The plain penalty on ‖z‖² with its strength matched to another arm's ‖z‖, by the rule ``matched_norm``."""
