"""``norm``: the control that DGR must beat, β times the mean squared norm of the representation."""

from dgr.regularizers.shared.norm_arm import NormArm

LABEL = "+ norm"
ORDER = 3
SYMBOL = "β"
PENALTY = True
CONTROL = "a plain penalty on the mean of ‖z‖²"
COLOUR = "#0072B2"
MARKER = "D"
DASH = (1.2, 1.2)


class Config(NormArm):
    """A plain penalty on the squared norm of z; the strength is β."""
