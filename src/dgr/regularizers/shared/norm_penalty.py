"""The control that DGR must beat: a plain penalty on the size of the representation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from dgr.regularizers.shared.features import taken_apart, working_type
from dgr.regularizers.shared.precision import without_autocast
from dgr.regularizers.shared.settings import check_strength


class FeatureNormPenalty(nn.Module):
    """β · mean‖z‖², with the interface of :class:`dgr.regularizers.shared.dummy_gradient_norm.DummyGradientNorm`.

    The gradient of a head's first linear layer is δzᵀ, so a small dummy gradient is also reached by a small z. This
    penalty does that and nothing else: what DGR gains beyond it is not explained by shrinking alone.

    Args:
        strength: β ≥ 0.

    Raises:
        DGRError: β is negative or not finite.

    Source: this project (a control, not in the paper).
    """

    def __init__(self, strength: float = 1.0) -> None:
        super().__init__()
        check_strength(strength)
        self.strength = strength

    def forward(
        self, representation: Any, targets: Sequence[Any] | None = None, *inputs: Any, **keywords: Any
    ) -> Tensor:
        """β times the squared norm over dimension 1, averaged over samples and positions; in float32 at least.

        Args:
            representation: z, shape ``(batch, width, …)``; of a dict, list or tuple the tensors' terms are added.
            targets: not used; there, as what follows, so that both penalties are called alike.
            inputs: not used.
            keywords: not used.

        Returns:
            A scalar.
        """
        leaves = taken_apart(representation).leaves
        dtype = working_type(leaves)
        with without_autocast(leaves[0].device.type):
            terms = [leaf.to(dtype).square().sum(dim=1).mean() for leaf in leaves]
            return self.strength * sum(terms[1:], start=terms[0])
