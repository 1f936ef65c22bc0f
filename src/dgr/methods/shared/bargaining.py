r"""The bargaining problem of Nash-MTL: solved, checked, and its answer kept.

Where :math:`G \alpha = 1/\alpha` has a solution it is the minimum of :math:`\frac12 \alpha^\top G \alpha - \sum_k \log
\alpha_k` over α > 0, which is strictly convex. It has none where some non-negative weights, not all zero, cancel the
gradients: then no direction improves all tasks (Pareto-stationarity), and α would be infinite.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor
from torchjd.aggregation import Weighting
from torchjd.linalg import PSDMatrix
from typing_extensions import override

from dgr.core.errors import DGRError

TOLERANCE = 1e-6
"""Largest deviation of α_k (Gα)_k from 1 that counts as solved."""
LARGEST_ROUNDING = 0.1
"""Largest share of αᵀGα that may be rounding of G: beyond, gradients cancel as far as their precision tells."""
ITERATIONS = 200
"""Of Newton's method. It takes 5 to 30; each doubles the weights at best, and those of a solution are below 1e7."""
# After so many failures in a row the weights no longer belong to the model that is being trained.
MAX_FAILURES_IN_A_ROW = 20


class StaleWeightsWarning(RuntimeWarning):
    """The bargaining problem of this step has no solution; the weights of the last solved one were used."""


class Bargaining(Weighting[PSDMatrix]):
    r"""Solves :math:`G \alpha = 1/\alpha` for α > 0 and scales it to :math:`\|J^\top \alpha\| \le` ``max_norm``.

    A task of zero gradient has no stake: it takes no part and keeps its weight, which is 1 before its first bargain.

    Buffers: ``alpha``, the last answer; ``steps``; ``solved``, ``failures`` and ``failures_in_a_row``, counts.

    Args:
        num_tasks: number K of tasks.
        max_norm: see :class:`~dgr.methods.nash_mtl.NashMTL`.
        update_weights_every: see there.

    Raises:
        DGRError: when called, that there is no answer to use.
    """

    alpha: Tensor
    steps: Tensor
    solved: Tensor
    failures: Tensor
    failures_in_a_row: Tensor

    def __init__(self, num_tasks: int, max_norm: float, update_weights_every: int) -> None:
        super().__init__()
        self.max_norm = max_norm
        self.update_weights_every = update_weights_every
        self.register_buffer("alpha", torch.ones(num_tasks, dtype=torch.float64))
        for name in ("steps", "solved", "failures", "failures_in_a_row"):
            self.register_buffer(name, torch.tensor(0))

    @override
    def forward(self, gramian: PSDMatrix, /) -> Tensor:
        precise = gramian.double()
        if int(self.steps) % self.update_weights_every == 0:
            self._update(precise.cpu(), torch.finfo(gramian.dtype).eps)
        self.steps += 1
        alpha = self.alpha.to(precise)
        norm = float((alpha @ precise @ alpha).clamp(min=0).sqrt())
        clip = self.max_norm / norm if 0 < self.max_norm < norm else 1.0
        return (clip * alpha).to(gramian.dtype)

    def _update(self, gramian: Tensor, rounding: float) -> None:
        if not gramian.isfinite().all():
            raise DGRError("A task's gradient is not finite, so Nash-MTL cannot weigh it; lower the learning rate.")
        moving = gramian.diagonal() != 0
        if not moving.any():
            return
        answer = solve(gramian[moving][:, moving], rounding)
        if answer is not None:
            self.alpha[moving.to(self.alpha.device)] = answer.to(self.alpha)
            self.solved += 1
            self.failures_in_a_row.zero_()
            return
        self.failures += 1
        self.failures_in_a_row += 1
        norms = ", ".join(f"{norm:.3g}" for norm in gramian.diagonal().sqrt().tolist())
        problem = (
            "Nash-MTL's bargaining problem has no solution here: no direction improves all tasks "
            f"(norms of the tasks' gradients: {norms})"
        )
        if not self.solved:
            raise DGRError(f"{problem}, and no earlier weights exist; check the losses, or choose another method.")
        if self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
            raise DGRError(f"{problem}, for {MAX_FAILURES_IN_A_ROW} steps in a row; lower the learning rate.")
        warnings.warn(
            f"{problem}; the last solved weights are used again (failure {int(self.failures)}).",
            StaleWeightsWarning,
            stacklevel=2,
        )


def solve(gramian: Tensor, rounding: float = torch.finfo(torch.float64).eps) -> Tensor | None:
    r"""α > 0 with :math:`G \alpha = 1/\alpha`, by damped Newton steps; None where there is none.

    The problem does not depend on the gradients' lengths: it is posed for their cosines C, with :math:`C \beta =
    1/\beta` and :math:`\alpha_k = \beta_k / \|g_k\|`. In the unknowns' own units, :math:`u = \Delta\beta / \beta`, each
    step solves :math:`(D C D + I)\, u = 1 - D C \beta`, :math:`D = \mathrm{diag}(\beta)`, and is damped by one plus its
    length in the Hessian's norm, which keeps β positive and converges from anywhere, since the function is
    self-concordant.

    Args:
        gramian: G of at least one gradient, none of them zero, ``(K, K)``, float64.
        rounding: the relative rounding error of G's entries, which its own type does not tell.

    Returns:
        α, ``(K,)``. Every answer has been held against its definition.
    """
    norms = gramian.diagonal().sqrt()
    if not norms.isfinite().all():
        return None
    cosines = gramian / norms.outer(norms)
    beta = torch.ones_like(norms)
    for _ in range(ITERATIONS):
        scaled = beta.outer(beta) * cosines
        slope = scaled.sum(dim=1) - 1
        factor, failed = torch.linalg.cholesky_ex(scaled + torch.eye(len(beta), dtype=beta.dtype))
        if failed or not slope.isfinite().all():
            return None
        move = torch.cholesky_solve(slope[:, None], factor)[:, 0]
        decrement = (slope @ move).clamp(min=0).sqrt()
        if decrement < 1e-13:
            break
        beta = beta - beta * move / (1 + decrement)
    deviation = (beta * (cosines @ beta) - 1).abs().max()
    trusted = rounding * beta.sum() ** 2 <= LARGEST_ROUNDING * len(beta)
    return beta / norms if deviation <= TOLERANCE and trusted and beta.min() > 0 else None
