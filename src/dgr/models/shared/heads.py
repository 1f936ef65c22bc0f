"""Heads: from the shared representation to one task's prediction."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn


def mlp_head(
    width: int,
    hidden: int,
    outputs: int,
    activation: Literal["relu", "gelu"] = "relu",
    relu_logits: bool = False,
) -> nn.Sequential:
    """One hidden layer, from ``(batch, width)`` to ``(batch, outputs)``.

    Args:
        width: width of the representation.
        hidden: width of the hidden layer.
        outputs: width of the prediction.
        activation: of the hidden layer.
        relu_logits: apply ReLU to the prediction as well, as the authors' heads for faces do.
    """
    middle = nn.ReLU() if activation == "relu" else nn.GELU()
    last = [nn.ReLU()] if relu_logits else []
    return nn.Sequential(nn.Linear(width, hidden), middle, nn.Linear(hidden, outputs), *last)


class SliceHead(nn.Module):
    """A head that reads only its own part of a joined representation.

    Args:
        head: the head.
        start: where its part of dimension 1 begins.
        stop: where its part ends.
    """

    def __init__(self, head: nn.Module, start: int, stop: int) -> None:
        super().__init__()
        self.head = head
        self.start = start
        self.stop = stop

    def forward(self, representation: Tensor) -> Tensor:
        """The head's prediction from its part."""
        prediction: Tensor = self.head(representation[:, self.start : self.stop])
        return prediction
