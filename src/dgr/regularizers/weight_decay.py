"""``weight_decay``: a control of DGR, the optimizer's weight decay."""

from typing_extensions import override

from dgr.config.regularizers import StrengthRegularizer

LABEL = "+ weight decay"
ORDER = 8
SYMBOL = "λ"
PENALTY = False
CONTROL = "the optimizer's weight decay on all parameters, with coefficient λ"
COLOUR = "#CC79A7"
MARKER = "v"
DASH = (2.5, 2.5)


class Config(StrengthRegularizer):
    """The optimizer's weight decay; the strength takes the place of the configured coefficient."""

    @override
    def weight_decay(self, configured: float) -> float:
        return self.chosen_strength
