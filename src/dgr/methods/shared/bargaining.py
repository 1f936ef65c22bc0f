"""The bargaining problem of Nash-MTL: solved, checked, and its answer kept."""

from __future__ import annotations

import warnings

import cvxpy  # noqa: F401 (TorchJD solves with both, and would miss them later)
import ecos  # noqa: F401
import torch
from torch import Tensor
from torchjd.aggregation import NashMTL as TorchJDNashMTL
from torchjd.aggregation import Weighting
from torchjd.linalg import PSDMatrix
from typing_extensions import override

from dgr.core.errors import DGRError

# Deviation of α_k (Gα)_k from 1 at which no further program is solved, and the largest one that counts as solved:
# where gradients nearly cancel, ECOS ends at about 1e-3.
PRECISION, TOLERANCE = 1e-6, 1e-2
MAX_PROGRAMS = 20  # convex programs in a sequence, as in the released code
# After so many failures in a row the weights no longer belong to the model that is being trained.
MAX_FAILURES_IN_A_ROW = 20


class StaleWeightsWarning(RuntimeWarning):
    """The bargaining problem of this step was not solved; the weights of the last solved one were used."""


class Bargaining(Weighting[PSDMatrix]):
    r"""Solves :math:`G \alpha = 1/\alpha` for α > 0 and scales it to :math:`\|J^\top \alpha\| \le` ``max_norm``.

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
        self._solver = TorchJDNashMTL(num_tasks, max_norm=0.0, optim_niter=1).weighting
        self.max_norm = max_norm
        self.update_weights_every = update_weights_every
        self.register_buffer("alpha", torch.ones(num_tasks, dtype=torch.float64))
        for name in ("steps", "solved", "failures", "failures_in_a_row"):
            self.register_buffer(name, torch.tensor(0))

    @override
    def forward(self, gramian: PSDMatrix, /) -> Tensor:
        precise = gramian.double()
        if int(self.steps) % self.update_weights_every == 0:
            self._update(precise.cpu())
        self.steps += 1
        alpha = self.alpha.to(precise)
        norm = float((alpha @ precise @ alpha).clamp(min=0).sqrt())
        clip = self.max_norm / norm if 0 < self.max_norm < norm else 1.0
        return (clip * alpha).to(gramian.dtype)

    def _update(self, gramian: Tensor) -> None:
        answer = self._solve(gramian)
        if answer is not None:
            self.alpha.copy_(answer)
            self.solved += 1
            self.failures_in_a_row.zero_()
            return
        self.failures += 1
        self.failures_in_a_row += 1
        norms = ", ".join(f"{norm:.3g}" for norm in gramian.diagonal().sqrt().tolist())
        problem = f"Nash-MTL's bargaining problem could not be solved (norms of the tasks' gradients: {norms})"
        if not self.solved:
            raise DGRError(f"{problem} and no earlier weights exist; check that each loss reaches the encoder.")
        if self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
            raise DGRError(f"{problem} for {MAX_FAILURES_IN_A_ROW} steps in a row; lower the learning rate.")
        warnings.warn(
            f"{problem}; the last solved weights are used again (failure {int(self.failures)}).",
            StaleWeightsWarning,
            stacklevel=2,
        )

    def _solve(self, gramian: Tensor) -> Tensor | None:
        """α of this Gramian, or None if the solver found no answer that satisfies the problem.

        ECOS fails where gradients are small or of very different length. The problem does not depend on lengths: it is
        posed for the cosines C, with Cβ = 1/β and α_k = β_k/‖g_k‖.
        """
        norms = gramian.diagonal().sqrt()
        if not (norms.isfinite().all() and norms.min() > 0):
            return None  # a task without gradient has no stake: its α would be infinite
        cosines = gramian / norms.outer(norms)
        # TorchJD takes a Jacobian; any square root of the Gramian is one.
        values, vectors = torch.linalg.eigh(cosines)
        root = vectors * values.clamp(min=0).sqrt()
        starts = [self.alpha.cpu() * norms] if self.solved else []
        for start in [*starts, torch.ones_like(norms)]:
            beta = self._iterate(root, cosines, start)
            if _deviation(cosines, beta) <= TOLERANCE and beta.min() > 0:
                return beta / norms
        return None

    def _iterate(self, root: Tensor, cosines: Tensor, beta: Tensor) -> Tensor:
        self._solver.prvs_alpha = beta.numpy()
        for _ in range(MAX_PROGRAMS):
            previous, beta = beta, self._solve_program(root)
            if _deviation(cosines, beta) <= PRECISION or (beta - previous).norm() < PRECISION:
                break
        return beta

    def _solve_program(self, root: Tensor) -> Tensor:
        """The next α of the sequence; the same one again where ECOS fails."""
        with warnings.catch_warnings():
            # cvxpy warns that it compiles the program anew at each call (a matter of speed), that an answer may be
            # inaccurate, and of divisions by zero: the caller checks every answer.
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            self._solver(root)
        return torch.as_tensor(self._solver.prvs_alpha, dtype=torch.float64)


def _deviation(gramian: Tensor, alpha: Tensor) -> float:
    return float((alpha * (gramian @ alpha) - 1).abs().max())
