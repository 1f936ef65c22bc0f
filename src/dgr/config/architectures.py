"""What every architecture is: an encoder with its settings, and the heads that stand on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from dgr.config.named import Named

if TYPE_CHECKING:
    from torch import nn

Channels = Annotated[list[PositiveInt], Field(min_length=1)]
Colour = Annotated[list[float], Field(min_length=3, max_length=3)]
PositiveColour = Annotated[list[PositiveFloat], Field(min_length=3, max_length=3)]


class Architecture(Named, ABC):
    """Settings of an encoder and of its heads, and how both are made; its files are in ``models/encoders``.

    Attributes:
        gives_vectors: whether z is one vector a sample, which classifiers can be put on.
        has_parts: whether each task's head reads a part of z of its own; z holds them side by side.
    """

    gives_vectors: ClassVar[bool] = False
    has_parts: ClassVar[bool] = False

    @property
    def weights_source(self) -> str | None:
        """The source of weights that it starts from; the plan then fills in their hash as its field ``weights``."""
        return None

    @property
    @abstractmethod
    def head_width(self) -> int:
        """Width of what a head reads."""

    @abstractmethod
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        """A fresh encoder, initialised from torch's global random state.

        Args:
            tasks: how many tasks it serves.
            image_shape: ``(channels, height, width)``.

        Returns:
            A module from images ``(batch, *image_shape)`` to the representation z, ``(batch, width, …)``.

        Raises:
            DGRError: a file of weights is missing or wrong.
        """

    @abstractmethod
    def head(self, outputs: int) -> nn.Module:
        """A fresh head, from what it reads of z to ``(batch, outputs, …)``, initialised likewise."""
