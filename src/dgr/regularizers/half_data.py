"""``half_data``: a positive control, the method alone on half of the training data."""

from __future__ import annotations

from typing import ClassVar

from dgr.config.regularizers import Regularizer

LABEL = "½ of the data"
ORDER = 10
SYMBOL = None
PENALTY = False
CONTROL = "half of the training data, whose lack must show where anything of its size can"
COLOUR = "#777777"
MARKER = ">"
DASH = (1, 3)


class Config(Regularizer):
    """Trained on the first half of the training split, for as many epochs."""

    training_share: ClassVar[float] = 0.5
