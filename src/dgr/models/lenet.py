"""LeNet-5, for studies of small images."""

from __future__ import annotations

from torch import nn


def lenet_encoder(in_channels: int, image_size: int) -> tuple[nn.Sequential, int]:
    """LeNet-5 without its last layer, with ReLU and maximum pooling, as is usual today.

    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 86 (1998).

    Args:
        in_channels: channels of the image.
        image_size: height and width of the image, in pixels: 28 or more.

    Returns:
        A module from ``(batch, in_channels, image_size, image_size)`` to ``(batch, 84)``, and the width 84.
    """
    size = ((image_size - 4) // 2 - 4) // 2
    convolutions = [nn.Conv2d(in_channels, 6, 5), nn.ReLU(), nn.MaxPool2d(2)]
    convolutions += [nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    dense = [nn.Linear(16 * size**2, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()]
    return nn.Sequential(*convolutions, *dense), 84
