"""Heads for dense prediction, from ``(batch, in_channels, h, w)`` to ``(batch, outputs, h, w)``.

They predict at the representation's resolution; losses and metrics bring predictions to the target's size
(:func:`dgr.core.dense.to_size`).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from typing_extensions import override

from dgr.core.torchvision_import import load_torchvision


def deeplab_head(
    in_channels: int, outputs: int, channels: int = 256, rates: Sequence[int] = (12, 24, 36)
) -> nn.Sequential:
    """DeepLabV3's head: atrous spatial pyramid pooling, then a 3×3 and a 1×1 convolution.

    The pyramid is torchvision's, with dropout ½ at its end. One branch of it pools the whole image, so training, and
    the penalty at any time, needs two or more images a batch for batch normalisation.

    Args:
        in_channels: channels of the representation.
        outputs: channels of the prediction.
        channels: width of every branch and of the 3×3 convolution.
        rates: dilation of each of the pyramid's 3×3 branches, in pixels of the representation.

    Raises:
        DGRError: torchvision is not installed.

    Source: Chen, Papandreou, Schroff, Adam, 2017, arXiv 1706.05587.
    """
    pyramid = load_torchvision().models.segmentation.deeplabv3.ASPP
    return nn.Sequential(
        pyramid(in_channels, rates, channels),
        nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, outputs, kernel_size=1),
    )


def small_dense_head(in_channels: int, outputs: int, hidden: int) -> nn.Sequential:
    """A head for CPUs: 3×3 convolution, ReLU, 1×1 convolution.

    Args:
        in_channels: channels of the representation.
        outputs: channels of the prediction.
        hidden: channels between.
    """
    first = nn.Conv2d(in_channels, hidden, kernel_size=3, padding=1)
    return nn.Sequential(first, nn.ReLU(), nn.Conv2d(hidden, outputs, kernel_size=1))


class Pyramid(nn.ModuleList):
    """The sum over rates of a dilated 3×3 convolution, ReLU and a 1×1 convolution.

    So it is in DeepLabV2 (Chen et al., TPAMI 2018, arXiv 1606.00915), with one 1×1 layer less; DeepLabV3 adds batch
    normalisation, dropout and pooling, whose steps take twice as long and need more epochs.

    Args:
        in_channels: channels of the representation.
        outputs: channels of the prediction.
        hidden: channels between, of every branch.
        rates: dilation of each branch, in pixels of the representation.
    """

    def __init__(self, in_channels: int, outputs: int, hidden: int, rates: Sequence[int]) -> None:
        super().__init__(
            nn.Sequential(
                nn.Conv2d(in_channels, hidden, kernel_size=3, padding=rate, dilation=rate),
                nn.ReLU(),
                nn.Conv2d(hidden, outputs, kernel_size=1),
            )
            for rate in rates
        )

    @override
    def forward(self, z: Tensor) -> Tensor:
        """The prediction of ``z``."""
        first, *others = (branch(z) for branch in self)
        for other in others:
            first = first + other
        result: Tensor = first
        return result
