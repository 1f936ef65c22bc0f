"""PCGrad: conflicting gradients are projected onto each other's normal plane."""

from __future__ import annotations

from torchjd.aggregation import GramianWeightedAggregator, PCGradWeighting

from dgr.methods.shared.gradient_balancing import GradientBalancing, ScaleFree

LABEL = "PCGrad"


class PCGrad(GradientBalancing):
    r"""Sums the gradients after projecting each on the normal planes of those it conflicts with.

    For each task i, with j running over the others in random order,
    :math:`g_i \leftarrow g_i - \min(0, g_i^\top g_j) / \|g_j\|^2 \; g_j`, where :math:`g_j` is the original gradient.

    Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020, arXiv 2001.06782.

    Difference to the original: none. Scale: the sum, as in the usual code (its mean times K); TorchJD's result is that
    sum. The order comes from torch's global CPU generator. A task of zero gradient conflicts with none.

    Args:
        num_tasks: number K of tasks.
    """

    def __init__(self, num_tasks: int) -> None:
        super().__init__(num_tasks, GramianWeightedAggregator(ScaleFree(PCGradWeighting())))
