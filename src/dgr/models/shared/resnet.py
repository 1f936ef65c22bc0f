"""The settings that both ResNets have: pooled to one vector an image, with heads of one hidden layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveInt
from typing_extensions import override

from dgr.config.architectures import Architecture, Colour, PositiveColour
from dgr.core.paths import SOURCES

if TYPE_CHECKING:
    from torch import nn


RESNET_WIDTHS = {18: 512, 50: 2048}
"""Channels in the end, by depth."""


class ResNetArchitecture(Architecture):
    """A ResNet with global average pooling, for colour images."""

    gives_vectors: ClassVar[bool] = True
    depth: ClassVar[Literal[18, 50]]

    pretrained: bool
    """Start from the ImageNet weights among the sources, instead of from random ones."""
    mean: Colour = [0.0, 0.0, 0.0]
    """Of each colour of the inputs in [0, 1]; subtracted."""
    std: PositiveColour = [1.0, 1.0, 1.0]
    """Likewise; divided by."""
    weights: str | None = None
    """Hash of the file of weights; the plan fills it in from the sources, so that other weights are another run."""
    hidden: PositiveInt
    """Width of the heads' hidden layer."""
    activation: Literal["relu", "gelu"] = "relu"
    """Of the heads' hidden layer."""
    relu_logits: bool = False
    """ReLU also on the heads' outputs, as in the authors' code for faces."""

    @property
    @override
    def weights_source(self) -> str | None:
        return f"resnet{self.depth}_imagenet" if self.pretrained else None

    @property
    @override
    def head_width(self) -> int:
        return RESNET_WIDTHS[self.depth]

    @override
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        from torch import nn

        from dgr.models.shared.backbones import resnet_backbone
        from dgr.models.shared.image_encoders import PooledEncoder, Standardize

        standardize = Standardize(self.mean, self.std)
        return nn.Sequential(standardize, PooledEncoder(resnet_backbone(self.depth, dilated=False, weights=self._file)))

    @override
    def head(self, outputs: int) -> nn.Module:
        from dgr.models.shared.heads import mlp_head

        return mlp_head(self.head_width, self.hidden, outputs, self.activation, self.relu_logits)

    @property
    def _file(self) -> Path | None:
        """The one file of the source of weights that holds some."""
        if self.weights_source is None:
            return None
        folder = SOURCES / self.weights_source
        return next(iter(sorted(folder.glob("*.pth"))), folder / f"resnet{self.depth}.pth")
