"""The multi-task model: one shared encoder, one head a task."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class MultiTaskModel(nn.Module):
    """``z = encoder(x)``, ``prediction_k = heads[k](z)``.

    Shared parameters (the encoder's) and head parameters are disjoint and together complete.

    Args:
        encoder: maps inputs to the shared representation z, shape ``(batch, width, …)``.
        heads: one module a task, by task name, in the order of the tasks.
    """

    def __init__(self, encoder: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict(heads)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Predictions by task name."""
        return self.predict(self.encoder(inputs))

    def predict(self, representation: Tensor) -> dict[str, Tensor]:
        """Predictions by task name from a representation."""
        return {name: head(representation) for name, head in self.heads.items()}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Parameters that every task's gradient reaches."""
        return list(self.encoder.parameters())

    def head_parameters(self, task: str) -> list[nn.Parameter]:
        """Parameters of one task's head."""
        return list(self.heads[task].parameters())
