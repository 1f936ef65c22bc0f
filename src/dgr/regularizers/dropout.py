"""``dropout``: a control of DGR, dropout on the representation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import model_validator
from typing_extensions import override

from dgr.config.regularizers import StrengthRegularizer

if TYPE_CHECKING:
    from torch import nn

LABEL = "+ dropout"
ORDER = 7
SYMBOL = "λ"
PENALTY = False
CONTROL = "dropout on the representation, with probability λ"
COLOUR = "#009E73"
MARKER = "^"
DASH = (4, 1.2, 1, 1.2)


class Config(StrengthRegularizer):
    """Dropout on z; the strength is the probability that an entry is left out."""

    @model_validator(mode="after")
    def _is_probability(self) -> Self:
        if self.strength != "tuned" and self.strength >= 1:
            raise ValueError(f"the strength of dropout is a probability below 1, but is {self.strength}")
        return self

    @override
    def encoder(self, encoder: nn.Module) -> nn.Module:
        from torch import nn

        return nn.Sequential(encoder, nn.Dropout(self.chosen_strength))
