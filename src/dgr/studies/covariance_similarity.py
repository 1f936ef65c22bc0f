"""How alike the inputs of two tasks are: the score of Wu, Zhang, Ré, ICLR 2020, arXiv 2005.00944."""

from __future__ import annotations

import math

import numpy as np

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError


def covariance_similarity(first: FloatArray, second: FloatArray, energy: float = 0.99) -> float:
    r"""The score :math:`\|(U_1 D_1^{1/2})^\top U_2 D_2^{1/2}\|_F / (\|U_1 D_1^{1/2}\|_F \|U_2 D_2^{1/2}\|_F)`.

    :math:`U_i D_i U_i^\top` is the best rank-r approximation of :math:`X_i^\top X_i`. Our reading of "holding 99 % of
    the singular values": r is the smallest rank whose singular values add up to at least that share of the sum of
    all of them. Inputs are not centred here.

    The score of equal inputs is :math:`\|D\|_F / \mathrm{tr} D`: 1 only if they have rank one. So it also rises when
    inputs merely become flatter; :func:`covariance_cosine` does not.

    Args:
        first: inputs of the first task, shape ``(samples, width)``.
        second: inputs of the second task; another number of samples is fine.
        energy: share of the sum of singular values that is kept, in (0, 1].

    Returns:
        A number in [0, 1]; rotating both tasks' inputs by the same orthonormal matrix does not change it.

    Raises:
        DGRError: inputs that are no matrices, of different widths, all zero or not finite.
    """
    return _overlap(*_halves(first, second, energy))


def covariance_cosine(first: FloatArray, second: FloatArray, energy: float = 0.99) -> float:
    r"""The same score over the geometric mean of what each task's inputs score with themselves; ours, not the paper's.

    It is :math:`\sqrt{\langle C_1, C_2\rangle / (\|C_1\|_F \|C_2\|_F)}` with :math:`C_i = U_i D_i U_i^\top`, hence 1
    for equal inputs. Arguments and errors as for :func:`covariance_similarity`.
    """
    one, two = _halves(first, second, energy)
    return min(_overlap(one, two) / math.sqrt(_overlap(one, one) * _overlap(two, two)), 1.0)


def _halves(first: FloatArray, second: FloatArray, energy: float) -> tuple[FloatArray, FloatArray]:
    for inputs in (first, second):
        if inputs.ndim != 2 or not np.isfinite(inputs).all() or not inputs.any():
            raise DGRError(
                "Covariance similarity needs a matrix of finite numbers that are not all zero for each task, but "
                f"got one of shape {inputs.shape} with values from {inputs.min(initial=0)} to {inputs.max(initial=0)}."
            )
    if first.shape[1] != second.shape[1]:
        raise DGRError(
            f"Covariance similarity needs inputs of one width, but got {first.shape[1]} and {second.shape[1]}; bring "
            "them to a common width first."
        )
    return _half(first, energy), _half(second, energy)


def _half(inputs: FloatArray, energy: float) -> FloatArray:
    """U D^½ of the truncated XᵀX, scaled to norm 1, shape ``(width, rank)``."""
    # Scaled first, so that squares of large or small numbers stay in range.
    _, roots, directions = np.linalg.svd(inputs.astype(np.float64) / np.abs(inputs).max(), full_matrices=False)
    sums = np.cumsum(roots**2)
    rank = min(int(np.searchsorted(sums, energy * sums[-1])) + 1, len(roots))
    half: FloatArray = directions[:rank].T * roots[:rank]
    return half / np.linalg.norm(half)


def _overlap(one: FloatArray, two: FloatArray) -> float:
    return min(float(np.linalg.norm(one.T @ two)), 1.0)
