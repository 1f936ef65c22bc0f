"""Modules around encoders: representations of one norm, and one encoder a task."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


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
