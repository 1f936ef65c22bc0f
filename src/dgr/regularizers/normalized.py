"""``normalized``: a control of DGR, every representation divided by its norm; no penalty."""

from dgr.regularizers.shared.normalized_arm import NormalizedArm

LABEL = "z normalised"
ORDER = 5
SYMBOL = None
PENALTY = False
CONTROL = "z ← √width · z/‖z‖ in the model, without any penalty"
COLOUR = "#882255"
MARKER = "s"
DASH = (3, 1)


class Config(NormalizedArm):
    """Each sample's representation is divided by its norm and multiplied by the square root of its width."""
