"""Cosine similarity: auxiliary gradients count as far as they point along the main task's."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from dgr.methods.shared import options
from dgr.methods.shared.base import Step
from dgr.methods.shared.gramian_weighting import GramianWeighting

LABEL = "GCS"


class CosineSimilarity(GramianWeighting):
    r"""Gives the encoder the main task's gradient and what of the others agrees with it.

    .. math::
        g = g_{main} + \sum_{k \ne main} w_k g_k, \qquad
        w_k = \max\Big(0, \frac{g_{main}^\top g_k}{\|g_{main}\| \|g_k\|}\Big).

    Each head gets the whole gradient of its own loss. A task of zero gradient has weight 0, and where that is the main
    task the encoder stands still.

    Du, Czarnecki, Jayakumar, Farajtabar, Pascanu, Lakshminarayanan, "Adapting Auxiliary Losses Using Gradient
    Similarity", arXiv 1812.02224.

    Difference to the original: none in the weighted version, which this is; the paper's other version, which keeps or
    drops an auxiliary gradient whole, is left out. Cosines are computed in float64.

    Args:
        num_tasks: number K of tasks.
        main_task: name of the task that all others serve.

    Returned weights: 1 for the main task, :math:`w_k` for the others.

    Raises:
        DGRError: no main task is named; at a step, it is no task of the model.
    """

    needs_main_task: ClassVar[bool] = True

    def __init__(self, num_tasks: int, main_task: str | None = None) -> None:
        super().__init__(num_tasks)
        self.main_task = options.main_task("cosine_similarity", main_task)

    @override
    def weigh(self, step: Step, gramian: Tensor) -> Tensor:
        main = options.main_index("cosine_similarity", self.main_task, step.tasks)
        norms = gramian.diagonal().sqrt()
        # A norm of zero divides a product of zero, so that anything greater than zero will do.
        products = (norms[main] * norms).clamp(min=torch.finfo(gramian.dtype).tiny)
        weights = (gramian[main] / products).clamp(min=0, max=1)
        weights[main] = 1.0
        return weights
