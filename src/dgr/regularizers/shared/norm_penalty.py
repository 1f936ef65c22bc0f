"""The control that DGR must beat: a plain penalty on the size of the representation."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from dgr.core.errors import DGRError


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

    def forward(self, representation: Tensor, targets: Sequence[Tensor] | None = None) -> Tensor:
        """β times the squared norm over dimension 1, averaged over samples and positions.

        Args:
            representation: z, shape ``(batch, width, …)``.
            targets: not used; there so that both penalties are called alike.

        Returns:
            A scalar.
        """
        return self.strength * representation.square().sum(dim=1).mean()


def check_strength(strength: float) -> None:
    """Refuse a negative or non-finite strength of a penalty.

    Raises:
        DGRError: with the value.
    """
    if not 0 <= strength < float("inf"):
        raise DGRError(f"The strength of a regularizer must be finite and not negative, but is {strength}.")
