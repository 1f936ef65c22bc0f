"""``static_weights``: a control of DGR, constant task weights."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator
from typing_extensions import override

from dgr.config.regularizers import StrengthRegularizer

LABEL = "+ static weights"
ORDER = 9
SYMBOL = "λ"
PENALTY = False
CONTROL = "constant weights of the task losses before any balancing, λ being the first task's share of their sum"
COLOUR = "#999933"
MARKER = "<"
DASH = (6, 1, 1, 1, 1, 1)


class Config(StrengthRegularizer):
    """Constant task weights that add up to their number; the strength is the first task's share of that."""

    @model_validator(mode="after")
    def _is_share(self) -> Self:
        if self.strength != "tuned" and not 0 < self.strength < 1:
            raise ValueError(f"the strength of static_weights is a share between 0 and 1, but is {self.strength}")
        return self

    @override
    def loss_weights(self, tasks: int) -> list[float] | None:
        share = self.chosen_strength
        return [tasks * share, *[tasks * (1 - share) / (tasks - 1)] * (tasks - 1)] if tasks > 1 else None
