"""Nash-MTL: task weights as the outcome of a bargaining game."""

from __future__ import annotations

from torch import Tensor
from torchjd.aggregation import GramianWeightedAggregator
from typing_extensions import override

from dgr.methods.shared.bargaining import Bargaining
from dgr.methods.shared.base import Step
from dgr.methods.shared.gradient_balancing import GradientBalancing, weigh_heads
from dgr.methods.shared.options import number, positive_integer

LABEL = "Nash-MTL"


class NashMTL(GradientBalancing):
    r"""Trains on :math:`\sum_k \alpha_k L_k`, α > 0 the solution of :math:`G \alpha = 1/\alpha`, :math:`G = J J^\top`.

    The encoder's gradient :math:`J^\top \alpha` is then clipped to ``max_norm``. Before clipping its norm is √K, so
    with the default it has norm 1 in every step. The regularizer's gradient is added after clipping.

    Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022, arXiv 2202.01017.

    As in the released code, α also weights the heads (unclipped). Differences: the released code approaches α by up to
    20 convex programs with ECOS, which miss it on ordinary gradients (two of cosine .95). Here Newton's method finds it
    wherever there is one, see :func:`~dgr.methods.shared.bargaining.solve`, and each answer is held against
    :math:`\alpha_k (G\alpha)_k = 1`. ``update_weights_every`` saves the solver only, not the passes through the
    encoder.

    A task of zero gradient, such as one without a target in the batch, takes no part and keeps its last weight. There
    is no solution where no direction improves all tasks, as with exactly opposite gradients. There the last solved α is
    used again with a :class:`~dgr.methods.shared.bargaining.StaleWeightsWarning`, counted by ``bargaining.failures``.
    With no solved α to use, or after 20 such steps in a row, the run stops with a DGRError: equal weights are never
    used in its place.

    Args:
        num_tasks: number K of tasks.
        max_norm: largest norm of the encoder's task gradient; 0 switches clipping off.
        update_weights_every: steps between two solutions.

    Returned weights: α, before clipping.

    Raises:
        DGRError: an option is out of range; at a step, as above.
    """

    def __init__(self, num_tasks: int, max_norm: float = 1.0, update_weights_every: int = 1) -> None:
        bargaining = Bargaining(
            num_tasks,
            number("nash_mtl", "max_norm", max_norm, at_least=0),
            positive_integer("nash_mtl", "update_weights_every", update_weights_every),
        )
        super().__init__(num_tasks, GramianWeightedAggregator(bargaining))
        self.bargaining = bargaining

    @override
    def fill(self, step: Step) -> Tensor:
        super().fill(step)
        alpha = self.bargaining.alpha.to(step.losses[0], copy=True)
        weigh_heads(step, alpha)
        return alpha
