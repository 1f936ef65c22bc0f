"""Parts of encoders for colour images: standardised inputs, and one pooled vector an image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dgr.models.shared.backbones import Backbone


class Standardize(nn.Module):
    """``(x − mean) / std`` in each channel, shape ``(batch, channels, height, width)``.

    The constants follow the module between devices and precisions but are in no state dict, since the configuration
    holds them.

    Args:
        mean: one value a channel, in units of the input.
        std: likewise, greater than 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Standardised images of the same shape."""
        return (images - self.mean) / self.std


class PooledEncoder(nn.Module):
    """A backbone and the mean of its maps over height and width, shape ``(batch, widths[-1])``.

    Args:
        backbone: the backbone.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, images: Tensor) -> Tensor:
        """One vector an image."""
        maps: Tensor = self.backbone(images)
        return maps.mean(dim=(2, 3))
