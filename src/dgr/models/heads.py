"""Heads: from the shared representation to one task's prediction."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from dgr.config.architectures import ResNetArchitecture, VectorArchitecture


def mlp_head(
    features: int,
    hidden: int,
    outputs: int,
    activation: Literal["relu", "gelu"] = "relu",
    relu_logits: bool = False,
) -> nn.Sequential:
    """One hidden layer, from ``(batch, features)`` to ``(batch, outputs)``.

    Args:
        features: width of the representation.
        hidden: width of the hidden layer.
        outputs: width of the prediction.
        activation: of the hidden layer.
        relu_logits: apply ReLU to the prediction as well, as the authors' heads for faces do.
    """
    middle = nn.ReLU() if activation == "relu" else nn.GELU()
    last = [nn.ReLU()] if relu_logits else []
    return nn.Sequential(nn.Linear(features, hidden), middle, nn.Linear(hidden, outputs), *last)


def vector_head(config: VectorArchitecture, outputs: int) -> nn.Sequential:
    """The head of an architecture whose representation is one vector a sample, see :func:`mlp_head`."""
    relu_logits = isinstance(config, ResNetArchitecture) and config.relu_logits
    return mlp_head(config.features, config.hidden, outputs, config.activation, relu_logits)


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
