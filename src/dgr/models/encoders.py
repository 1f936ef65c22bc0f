"""Encoders: from an image to the shared representation z."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_encoder(in_channels: int, image_size: int, pooling: int, channels: Sequence[int], width: int) -> nn.Sequential:
    """A small convolutional encoder for CPU: strided 3×3 convolutions with ReLU, then one linear layer with ReLU.

    Args:
        in_channels: channels of the image.
        image_size: height and width of the image, in pixels.
        pooling: side of the squares of pixels that are averaged first; 1 leaves the image as it is.
        channels: width of each convolution; each halves the image.
        width: width of the representation.

    Returns:
        A module from ``(batch, in_channels, image_size, image_size)`` to ``(batch, width)``.
    """
    layers: list[nn.Module] = [nn.AvgPool2d(pooling)] if pooling > 1 else []
    size = image_size // pooling
    for out_channels in channels:
        layers += [nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=2, padding=1), nn.ReLU()]
        in_channels, size = out_channels, (size + 1) // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(in_channels * size**2, width), nn.ReLU())


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


class Normalized(nn.Module):
    """An encoder whose representations all have norm √width: ``z ← √width · z/‖z‖``, along dimension 1.

    Args:
        encoder: the encoder.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, inputs: Tensor) -> Tensor:
        """Representations of the encoder's own shape; zero stays zero."""
        z: Tensor = self.encoder(inputs)
        scaled: Tensor = functional.normalize(z, dim=1) * z.shape[1] ** 0.5
        return scaled


class SeparateEncoders(nn.Module):
    """One encoder a task, their representations joined along dimension 1: single-task learning as one model.

    Args:
        encoders: one a task, each giving ``(batch, width, …)``.
    """

    def __init__(self, encoders: Sequence[nn.Module]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)

    def forward(self, inputs: Tensor) -> Tensor:
        """All representations, shape ``(batch, tasks · width, …)``."""
        return torch.cat([encoder(inputs) for encoder in self.encoders], dim=1)
