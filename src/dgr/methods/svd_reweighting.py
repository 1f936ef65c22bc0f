"""SVD re-weighting: fixed task weights from what the tasks' input-target products have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from dgr.core.errors import DGRError
from dgr.core.task import Batch, Task
from dgr.methods.shared.base import Step
from dgr.methods.shared.loss_weighting import LossWeighting
from dgr.methods.shared.options import positive_integer
from dgr.methods.shared.ranks import average

LABEL = "SVD"


class SVDReweighting(LossWeighting):
    r"""Weights :math:`w_i = K \alpha_i / \sum_j \alpha_j` with :math:`\alpha_i = \|\theta_i^\top U_r\|_F`.

    :math:`\theta_i = X^\top y_i` over the whole training split, with inputs flattened to vectors, and :math:`U_r` the
    first r left singular vectors of :math:`(\theta_1 \dots \theta_K)` side by side, in float64. A task whose targets
    are noise has a small θ in a direction of its own, and gets little weight. The weights are found once, in
    :meth:`begin`; before that they are 1.

    Wu, Zhang, Ré, "Understanding and Improving Information Transfer in Multi-Task Learning", ICLR 2020,
    arXiv 2005.00944.

    Our choices, where the source was silent: θ is not normalised; the weights are scaled to sum K, so that the step
    is that of the summed loss. Our extension: for classification y is the one-hot matrix and θ has one column a
    class. Inputs count as they are given: what all of them share, such as a mean that is not zero, is in every θ.

    Args:
        num_tasks: number K of tasks.
        rank: number r of singular vectors, at most K.

    Raises:
        DGRError: the rank is not an integer from 1 to K.
    """

    weights: Tensor

    def __init__(self, num_tasks: int, rank: int = 1) -> None:
        super().__init__(num_tasks)
        self.rank = positive_integer("svd_reweighting", "rank", rank)
        if self.rank > num_tasks:
            raise DGRError(
                f"Option 'rank' of method 'svd_reweighting' must be at most the number of tasks, {num_tasks}, "
                f"but is {rank}."
            )
        self.register_buffer("weights", torch.ones(num_tasks, dtype=torch.float64))

    @override
    def begin(self, tasks: Sequence[Task], batches: Iterable[Batch]) -> None:
        """Find the weights in one pass over the training split.

        Raises:
            DGRError: a task has no vector targets or lacks some, or inputs and targets have fewer directions than the
                rank.
        """
        for task in tasks:
            if task.kind not in ("classification", "regression"):
                raise DGRError(
                    f"Method 'svd_reweighting' fits vector targets only, but task '{task.name}' is of kind "
                    f"'{task.kind}'; leave the task out or choose another method."
                )
            if task.partial:
                raise _lacks(task)
        totals: list[Tensor] | None = None
        for inputs, targets in batches:
            vectors = inputs.flatten(1).double()
            found = [vectors.T @ _as_matrix(task, targets.get(task.name)) for task in tasks]
            totals = found if totals is None else [total + new for total, new in zip(totals, found, strict=True)]
        if totals is None:
            raise DGRError("Method 'svd_reweighting' weighs by the training split, but that is empty.")
        average(totals)
        self.weights.copy_(self._weights_from(totals))

    def _weights_from(self, thetas: list[Tensor]) -> Tensor:
        joined = torch.cat(thetas, dim=1)
        directions, sizes, _ = torch.linalg.svd(joined, full_matrices=False)
        there = int((sizes > sizes[0] * max(joined.shape) * torch.finfo(sizes.dtype).eps).sum())
        if there < self.rank:
            raise DGRError(
                f"Method 'svd_reweighting' has rank {self.rank}, but the products of inputs and targets have only "
                f"rank {there}; {'choose a lower rank' if there else 'inputs or targets are all zero'}."
            )
        alphas = torch.stack([(theta.T @ directions[:, : self.rank]).norm() for theta in thetas])
        return self.num_tasks * alphas / alphas.sum()

    @override
    def weigh(self, step: Step) -> Tensor:
        return self.weights.to(step.losses[0])


def _lacks(task: Task) -> DGRError:
    return DGRError(
        f"Method 'svd_reweighting' needs every target, but task '{task.name}' lacks some; leave the task out or choose "
        "another method."
    )


def _as_matrix(task: Task, target: Tensor | None) -> Tensor:
    """Targets as columns, ``(batch, classes)`` or ``(batch, 1)``, float64."""
    if target is None:
        raise _lacks(task)
    return (functional.one_hot(target, task.classes) if task.kind == "classification" else target).double()
