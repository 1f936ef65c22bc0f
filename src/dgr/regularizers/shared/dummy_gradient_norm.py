"""Dummy Gradient norm Regularization (DGR): the penalty of the paper, at the representation.

The penalty depends on the encoder only through the representation z. Its gradient ∂R/∂z is therefore computed on a
detached z, through the dummy heads alone, and joins the task gradient in the one backward pass of the encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.func import functional_call

from dgr.core.errors import DGRError
from dgr.regularizers.shared.by_autograd import Estimate, Groups, exact, finite_difference, inverse
from dgr.regularizers.shared.carried_gradient import with_gradient
from dgr.regularizers.shared.dummies import differentiable, draw, dummy_copy
from dgr.regularizers.shared.norm_penalty import check_strength
from dgr.regularizers.shared.precision import full_precision
from dgr.regularizers.shared.two_layer import has_closed_form, parameter_gradients

_Loss = Callable[[Tensor, Tensor], Tensor]


class DummyGradientNorm(nn.Module):
    """λR with ``R = (1/N) Σ_n ‖∂D_n/∂θ_n‖²`` and ``D_n = Σ_k L_k(h_k^n(z))``.

    The N sets of dummy heads have the architecture of the real heads and random weights of their own. They are never
    trained: their parameters require no gradient and are never written to, and the running statistics of their batch
    normalisation stay untouched (batch statistics are used always; dropout is off).

    Calling ``penalty = regularizer(z, targets)`` gives a scalar whose value is λR and whose backward sends λ∂R/∂z to
    z and nothing anywhere else. Add it to the loss, and the encoder is walked back once.

    Estimators of ∂R/∂z, which are two different regularizers where heads have kinks (ReLU):

    * ``exact``: double backward through the dummy heads, or the same in closed form where every head is two linear
      layers of one shape with a ReLU between and its loss is torch's cross-entropy (:mod:`.two_layer`).
    * ``finite_difference``: with the direction ``d = g/‖g‖`` held fixed and ``D⁺`` the loss at ``θ + εd``,
      ``R = ((D⁺ − D)/ε)²`` and ``∂R/∂z = 2 (D⁺ − D)(∂D⁺/∂z − ∂D/∂z)/ε²``, the factored form of the released code's
      expansion, which loses less to cancellation.

    Args:
        heads: the real heads, one a task. They are copied and drawn anew by each submodule's ``reset_parameters``.
        losses: one a task, ``loss(prediction, target) -> scalar``.
        strength: λ ≥ 0.
        estimator: ``"exact"`` or ``"finite_difference"``.
        epsilon: length ε > 0 of the finite-difference step, in units of the dummy parameters.
        num_dummies: N ≥ 1.
        norm: ``"squared"`` as released, or ``"plain"`` for ‖·‖ as a third-party summary of the paper writes it.
        per_task: take one norm a task and add them, instead of one over all dummies of a set. For the exact squared
            norm both are the same.
        resample: draw new dummies at every call instead of once.
        seed: seed of the dummies, a random stream of their own.

    Raises:
        DGRError: an argument is out of range, or a head holds parameters that cannot be drawn anew.

    Source: Shin, Do, Son, ECCV 2024; estimator and defaults as in the authors' released code.
    """

    draws: Tensor

    def __init__(
        self,
        heads: Sequence[nn.Module],
        losses: Sequence[_Loss],
        strength: float = 1.0,
        *,
        estimator: Literal["exact", "finite_difference"] = "exact",
        epsilon: float = 1e-3,
        num_dummies: int = 1,
        norm: Literal["squared", "plain"] = "squared",
        per_task: bool = False,
        resample: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        _check_choice("estimator", estimator, ("exact", "finite_difference"))
        _check_choice("norm", norm, ("squared", "plain"))
        check_strength(strength)
        if not epsilon > 0:
            raise DGRError(f"epsilon must be greater than 0, but is {epsilon}; the released code uses 1e-3 or 1e-4.")
        if num_dummies < 1:
            raise DGRError(f"num_dummies must be at least 1, but is {num_dummies}.")
        if not heads or len(heads) != len(losses):
            raise DGRError(f"There must be one loss a head, but there are {len(heads)} heads and {len(losses)} losses.")
        self.losses = tuple(losses)
        self.strength = strength
        self.estimator = estimator
        self.epsilon = epsilon
        self.num_dummies = num_dummies
        self.norm = norm
        self.per_task = per_task
        self.resample = resample
        self.seed = seed
        self.register_buffer("draws", torch.zeros((), dtype=torch.int64))
        self.dummies = nn.ModuleList(dummy_copy(head) for _ in range(num_dummies) for head in heads)
        # Walking the modules takes as long as a small head's arithmetic, hence once. Copies and moves keep identity.
        self._parameters_by_head: Groups = [list(dummy.parameters()) for dummy in self.dummies]
        self._closed_form = estimator == "exact" and has_closed_form(self.dummies, losses)
        self._draw()

    def forward(self, representation: Tensor, targets: Sequence[Tensor]) -> Tensor:
        """λR of a batch.

        Args:
            representation: z, shape ``(batch, …)``, with or without a graph.
            targets: one tensor a task, in the order of the heads.

        Returns:
            A scalar: value λR, gradient λ∂R/∂z with respect to ``representation``.

        Raises:
            DGRError: a head does not fit the representation.
        """
        if self.resample and int(self.draws) > 0:
            self._draw()
        self.draws += 1
        z = representation.detach().to(torch.promote_types(representation.dtype, torch.float32))
        estimate = self._in_closed_form if self._fits_closed_form(z, targets) else self._by_autograd
        with full_precision(representation.device.type):
            value, gradient = estimate(z, targets)
        return with_gradient(representation, self.strength * value, self.strength * gradient)

    def _fits_closed_form(self, z: Tensor, targets: Sequence[Tensor]) -> bool:
        """Whether the exact estimator's closed form holds; what is malformed is left to autograd's messages."""
        return (
            self._closed_form
            and z.ndim == 2
            and z.shape[1] == self._parameters_by_head[0][0].shape[1]
            and all(target.dtype == torch.int64 and target.shape == z.shape[:1] for target in targets)
        )

    @torch.no_grad()
    def _in_closed_form(self, z: Tensor, targets: Sequence[Tensor]) -> Estimate:
        squares, pull_back = parameter_gradients(self._parameters_by_head, z, targets)
        grouped = squares.reshape(-1, self._group_size).sum(dim=1)
        if self.norm == "squared":
            return Estimate(grouped.sum() / self.num_dummies, pull_back(torch.ones_like(squares) / self.num_dummies))
        norms = grouped.sqrt()
        # ∂‖g‖/∂z = ∂‖g‖²/∂z / (2‖g‖)
        factors = (inverse(norms) / (2 * self.num_dummies)).repeat_interleave(self._group_size)
        return Estimate(norms.sum() / self.num_dummies, pull_back(factors))

    def _by_autograd(self, z: Tensor, targets: Sequence[Tensor]) -> Estimate:
        parameters = self._parameters_by_head
        with torch.enable_grad(), differentiable(chain(*parameters)):
            z.requires_grad_()
            losses = self._losses(z, targets, [partial(dummy, z) for dummy in self.dummies])
            groups, squared, sets = self._grouped(parameters), self.norm == "squared", self.num_dummies
            if self.estimator == "exact":
                return exact(z, losses, groups, squared=squared, sets=sets)
            at = partial(self._losses_at, z, targets)
            return finite_difference(z, losses, groups, at, epsilon=self.epsilon, squared=squared, sets=sets)

    def _losses_at(self, z: Tensor, targets: Sequence[Tensor], parameters: Groups) -> list[Tensor]:
        """:meth:`_losses` with other parameters in place of the dummies' own."""
        flat = chain(*parameters)
        at = [{name: next(flat) for name, _ in dummy.named_parameters()} for dummy in self.dummies]
        return self._losses(
            z, targets, [partial(functional_call, dummy, p, (z,)) for dummy, p in zip(self.dummies, at, strict=True)]
        )

    def _losses(self, z: Tensor, targets: Sequence[Tensor], calls: Sequence[Callable[[], Tensor]]) -> list[Tensor]:
        """L_k(h_k^n(z)) of every dummy head, by set n and, within it, by task k."""
        losses = []
        for index, call in enumerate(calls):
            task = index % len(self.losses)
            try:
                prediction = call()
            except RuntimeError as error:
                raise DGRError(
                    f"Head {task} does not fit a representation of shape {tuple(z.shape)} ({error}); "
                    "give the heads that the model itself uses."
                ) from error
            losses.append(self.losses[task](prediction, targets[task]))
        return losses

    def _grouped(self, lists: Groups) -> Groups:
        """One list a dummy head, joined to one list a norm."""
        size = self._group_size
        return [list(chain(*lists[start : start + size])) for start in range(0, len(lists), size)]

    @property
    def _group_size(self) -> int:
        """How many dummy heads share one norm."""
        return 1 if self.per_task else len(self.losses)

    def _draw(self) -> None:
        draw(self.dummies, self.seed + int(self.draws) * 0x9E3779B97F4A7C15)

    def train(self, mode: bool = True) -> Self:
        """Does nothing: the penalty is the same function of z in training and in evaluation."""
        return self

    def extra_repr(self) -> str:
        """The settings, for ``print(regularizer)``."""
        return (
            f"strength={self.strength}, estimator={self.estimator!r}, epsilon={self.epsilon}, "
            f"num_dummies={self.num_dummies}, norm={self.norm!r}, per_task={self.per_task}, resample={self.resample}"
        )


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise DGRError(f"{name} must be one of {', '.join(choices)}, but is '{value}'.")
