"""Encoders: from an image to the shared representation z."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_encoder(
    in_channels: int, image_size: int, pooling: int, channels: Sequence[int], features: int
) -> nn.Sequential:
    """A small convolutional encoder for CPU: strided 3×3 convolutions with ReLU, then one linear layer with ReLU.

    Args:
        in_channels: channels of the image.
        image_size: height and width of the image, in pixels.
        pooling: side of the squares of pixels that are averaged first; 1 leaves the image as it is.
        channels: width of each convolution; each halves the image.
        features: width of the representation.

    Returns:
        A module from ``(batch, in_channels, image_size, image_size)`` to ``(batch, features)``.
    """
    layers: list[nn.Module] = [nn.AvgPool2d(pooling)] if pooling > 1 else []
    size = image_size // pooling
    for width in channels:
        layers += [nn.Conv2d(in_channels, width, kernel_size=3, stride=2, padding=1), nn.ReLU()]
        in_channels, size = width, (size + 1) // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(in_channels * size**2, features), nn.ReLU())


class Normalized(nn.Module):
    """An encoder whose representations all have norm √features: ``z ← √d · z/‖z‖``, along dimension 1.

    Args:
        encoder: the encoder.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, inputs: Tensor) -> Tensor:
        """Representations of the encoder's own shape; zero stays zero."""
        features: Tensor = self.encoder(inputs)
        scaled: Tensor = functional.normalize(features, dim=1) * features.shape[1] ** 0.5
        return scaled


class SeparateEncoders(nn.Module):
    """One encoder a task, their representations joined along dimension 1: single-task learning as one model.

    Args:
        encoders: one a task, each giving ``(batch, features, …)``.
    """

    def __init__(self, encoders: Sequence[nn.Module]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)

    def forward(self, inputs: Tensor) -> Tensor:
        """All representations, shape ``(batch, tasks · features, …)``."""
        return torch.cat([encoder(inputs) for encoder in self.encoders], dim=1)
