"""Heads: from the shared representation to one task's prediction."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn


def mlp_head(features: int, hidden: int, outputs: int, activation: Literal["relu", "gelu"] = "relu") -> nn.Sequential:
    """One hidden layer, from ``(batch, features)`` to ``(batch, outputs)``."""
    middle = nn.ReLU() if activation == "relu" else nn.GELU()
    return nn.Sequential(nn.Linear(features, hidden), middle, nn.Linear(hidden, outputs))


class SliceHead(nn.Module):
    """A head that reads only its own part of a joined representation.

    Args:
        head: the head.
        start: first feature of its part along dimension 1.
        stop: end of its part.
    """

    def __init__(self, head: nn.Module, start: int, stop: int) -> None:
        super().__init__()
        self.head = head
        self.start = start
        self.stop = stop

    def forward(self, features: Tensor) -> Tensor:
        """The head's prediction from its part."""
        prediction: Tensor = self.head(features[:, self.start : self.stop])
        return prediction
