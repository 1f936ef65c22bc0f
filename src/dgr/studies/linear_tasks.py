"""Four linear tasks whose inputs have equal or different covariances: the data of study W1.

Wu, Zhang, Ré, ICLR 2020, arXiv 2005.00944, Fig. 3: inputs X = R Q D with R Gaussian, Q orthonormal and D diagonal, κ
on a tenth of the coordinates and 1 elsewhere; targets y = Xθ. Task 1 has Q₁, D₁ and θ₁; tasks 2, 3 and 4 have θ₂ and
the pairs (Q₁, D₁), (Q₁, D₂), (Q₂, D₁).

As written, the covariance of a row is (QD)ᵀQD = D², whatever Q is: tasks 2 and 4 then do not differ in distribution.
With the factors in the order R D Q it is QᵀD²Q, and task 4's covariance is indeed a rotated one. Both orders are here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import ortho_group

from dgr.core.arrays import FloatArray

Order = Literal["RQD", "RDQ"]
SHARE_OF_LARGE = 10
"""One coordinate in so many is large, from the source."""


@dataclass(frozen=True)
class LinearTask:
    """One task.

    Attributes:
        mixing: the matrix M of ``X = R M``, shape ``(dimension, dimension)``.
        theta: the coefficients, shape ``(dimension,)``, of norm 1.
    """

    mixing: FloatArray
    theta: FloatArray

    @property
    def covariance(self) -> FloatArray:
        """Population covariance MᵀM of a row of inputs."""
        found: FloatArray = self.mixing.T @ self.mixing
        return found

    @property
    def variance(self) -> float:
        """Population variance θᵀMᵀMθ of the linear target."""
        return float(np.sum((self.mixing @ self.theta) ** 2))

    def inputs(self, samples: int, generator: np.random.Generator) -> FloatArray:
        """Rows of inputs, shape ``(samples, dimension)``."""
        found: FloatArray = generator.standard_normal((samples, len(self.theta))) @ self.mixing
        return found


def draw_tasks(
    dimension: int, scale: float, cosine: float, order: Order, generator: np.random.Generator
) -> list[LinearTask]:
    """Tasks 1 to 4.

    Args:
        dimension: d, at least 20.
        scale: κ, the large entries of D.
        cosine: exact cosine of θ₁ and θ₂, which are otherwise uniform on the sphere.
        order: of the factors.
        generator: draws θ, Q and the large coordinates; tasks in both orders are made of the same ones.
    """
    basis, _ = np.linalg.qr(generator.standard_normal((dimension, 2)))
    first = basis[:, 0]
    second = cosine * first + np.sqrt(1 - cosine**2) * basis[:, 1]
    rotations = [ortho_group.rvs(dimension, random_state=generator) for _ in range(2)]
    large = generator.permutation(dimension)[: 2 * (dimension // SHARE_OF_LARGE)].reshape(2, -1)
    diagonals = [np.ones(dimension) for _ in range(2)]
    for diagonal, coordinates in zip(diagonals, large, strict=True):
        diagonal[coordinates] = scale

    def mixing(rotation: int, diagonal: int) -> FloatArray:
        q, d = rotations[rotation], np.diag(diagonals[diagonal])
        found: FloatArray = q @ d if order == "RQD" else d @ q
        return found

    parts = [(0, 0, first), (0, 0, second), (0, 1, second), (1, 0, second)]
    return [LinearTask(mixing(rotation, diagonal), theta) for rotation, diagonal, theta in parts]
