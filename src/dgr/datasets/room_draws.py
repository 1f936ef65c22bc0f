"""Random numbers of several scenes at once, each scene's from a generator of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Draws:
    """Draws one number after the other for every scene, so that a scene does not depend on those beside it.

    Args:
        generators: one a scene.
    """

    def __init__(self, generators: Sequence[np.random.Generator]) -> None:
        self.generators = generators

    def uniform(self, low: float, high: float, *shape: int) -> Numbers:
        """Uniform numbers ``(scenes, *shape)``."""
        return low + (high - low) * np.stack([generator.random(shape) for generator in self.generators])

    def chance(self, probability: float, *shape: int) -> NDArray[np.bool_]:
        """True with the given probability, ``(scenes, *shape)``."""
        return self.uniform(0, 1, *shape) < probability

    def present(self, fewest: int, most: int) -> NDArray[np.bool_]:
        """``(scenes, most)``: the first ones true, uniformly between ``fewest`` and ``most`` of them."""
        return np.arange(most) < np.floor(self.uniform(fewest, most + 1))[:, None]

    def normal(self, *shape: int) -> NDArray[np.float32]:
        """Standard normal numbers ``(scenes, *shape)``."""
        return np.stack([generator.standard_normal(shape, np.float32) for generator in self.generators])
