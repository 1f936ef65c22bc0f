"""``conv``: a small convolutional encoder for CPUs, and heads with one hidden layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveInt
from typing_extensions import override

from dgr.config.architectures import Architecture, Channels
from dgr.core.errors import DGRError

if TYPE_CHECKING:
    from torch import nn

LABEL = "conv"


class Config(Architecture):
    """Strided 3×3 convolutions with ReLU, then one linear layer with ReLU."""

    gives_vectors: ClassVar[bool] = True

    pooling: PositiveInt = 1
    """Side of the squares of pixels that are averaged first."""
    channels: Channels
    """Of each convolution, which halves height and width."""
    width: PositiveInt
    """Of the representation."""
    hidden: PositiveInt
    """Width of the hidden layer of each head."""
    batch_norm: bool = False
    """Batch normalisation after each convolution, before its ReLU."""
    activation: Literal["relu", "gelu"] = "relu"
    """Of the heads' hidden layer; the encoder's is always ReLU."""

    @property
    @override
    def head_width(self) -> int:
        return self.width

    @override
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        from torch import nn

        layers: list[nn.Module] = [nn.AvgPool2d(self.pooling)] if self.pooling > 1 else []
        before, *sides = image_shape
        sides = [side // self.pooling for side in sides]
        if 0 in sides:
            raise DGRError(
                f"Encoder 'conv': pooling {self.pooling} leaves nothing of inputs {list(image_shape)}; lower it."
            )
        for after in self.channels:
            layers.append(nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1, bias=not self.batch_norm))
            layers += [nn.BatchNorm2d(after), nn.ReLU()] if self.batch_norm else [nn.ReLU()]
            before, sides = after, [(side + 1) // 2 for side in sides]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * math.prod(sides), self.width), nn.ReLU())

    @override
    def head(self, outputs: int) -> nn.Module:
        from dgr.models.shared.heads import mlp_head

        return mlp_head(self.width, self.hidden, outputs, self.activation)
