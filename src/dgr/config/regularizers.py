"""What every regularizer is: its settings, and what it does to a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from dgr.config.named import Named
from dgr.core.errors import DGRError

if TYPE_CHECKING:
    from torch import Tensor, nn

Strength = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Regularizer(Named):
    """Settings of a regularizer and what it does: nothing, unless a file in ``regularizers`` says otherwise.

    Attributes:
        training_share: the share of the training split that is trained on, from its first sample on.
    """

    training_share: ClassVar[float] = 1.0

    def penalty(
        self, heads: Sequence[nn.Module], losses: Sequence[Callable[[Tensor, Tensor], Tensor]], seed: int
    ) -> nn.Module | None:
        """What is added to the loss, ``penalty(z, targets) -> scalar``; None: nothing.

        Args:
            heads: one a task.
            losses: one a task, ``loss(prediction, target) -> scalar``.
            seed: of what is random in it.
        """
        return None

    def encoder(self, encoder: nn.Module) -> nn.Module:
        """The encoder, or a module around it."""
        return encoder

    def loss_weights(self, tasks: int) -> list[float] | None:
        """What each task's loss is multiplied by before any balancing; None: nothing.

        Args:
            tasks: how many there are.
        """
        return None

    def weight_decay(self, configured: float) -> float:
        """The optimizer's weight decay, where the configuration says the given one."""
        return configured


class StrengthRegularizer(Regularizer):
    """A regularizer with a strength, which may be left to tuning."""

    strength: Strength | Literal["tuned"]
    """λ or β, what the penalty is multiplied by, or what the block says instead; ``tuned``: chosen on validation."""

    @property
    def chosen_strength(self) -> float:
        """The strength as a number.

        Raises:
            DGRError: it is left to tuning.
        """
        if self.strength == "tuned":
            raise DGRError(f"The strength of '{self.name}' is not chosen yet; give a number, or tune it first.")
        return self.strength
