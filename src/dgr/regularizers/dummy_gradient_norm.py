"""Dummy Gradient norm Regularization (DGR): the penalty of the paper, at the representation.

The penalty depends on the encoder only through the representation z. Its gradient ∂R/∂z is therefore computed on a
detached z, through the dummy heads alone, and joins the task gradient in the one backward pass of the encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parameters_to_vector

from dgr.core.errors import DGRError
from dgr.regularizers.dummies import differentiable, draw, dummy_copy
from dgr.regularizers.norm_penalty import check_strength
from dgr.regularizers.precision import full_precision
from dgr.regularizers.two_layer import has_closed_form, parameter_gradients

Loss = Callable[[Tensor, Tensor], Tensor]
Groups = list[list[Tensor]]


class DummyGradientNorm(nn.Module):
    """λR with ``R = (1/N) Σ_n ‖∂D_n/∂θ_n‖²`` and ``D_n = Σ_k L_k(h_k^n(z))``.

    The N sets of dummy heads have the architecture of the real heads and random weights of their own. They are never
    trained: their parameters require no gradient and are never written to, and the running statistics of their batch
    normalisation stay untouched (batch statistics are used always; dropout is off).

    Calling ``penalty = regularizer(z, targets)`` gives a scalar whose value is λR and whose backward sends λ∂R/∂z to
    z and nothing anywhere else. Add it to the loss, and the encoder is walked back once.

    Estimators of ∂R/∂z, which are two different regularizers where heads have kinks (ReLU):

    * ``exact``: double backward through the dummy heads, or the same in closed form where every head is two linear
      layers of one shape with a ReLU between and its loss is torch's cross-entropy (:mod:`dgr.regularizers.two_layer`).
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
        losses: Sequence[Loss],
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
        scaled = (self.strength * value, self.strength * gradient)
        penalty: Tensor = _WithGradient.apply(representation, *scaled)  # type: ignore[no-untyped-call]
        return penalty

    def _fits_closed_form(self, z: Tensor, targets: Sequence[Tensor]) -> bool:
        """Whether the exact estimator's closed form holds; what is malformed is left to autograd's messages."""
        return (
            self._closed_form
            and z.ndim == 2
            and z.shape[1] == self._parameters_by_head[0][0].shape[1]
            and all(target.dtype == torch.int64 and target.shape == z.shape[:1] for target in targets)
        )

    @torch.no_grad()
    def _in_closed_form(self, z: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        squares, pull_back = parameter_gradients(self._parameters_by_head, z, targets)
        grouped = squares.reshape(-1, self._group_size).sum(dim=1)
        if self.norm == "squared":
            return grouped.sum() / self.num_dummies, pull_back(torch.ones_like(squares) / self.num_dummies)
        norms = grouped.sqrt()
        # ∂‖g‖/∂z = ∂‖g‖²/∂z / (2‖g‖)
        factors = (_inverse(norms) / (2 * self.num_dummies)).repeat_interleave(self._group_size)
        return norms.sum() / self.num_dummies, pull_back(factors)

    def _by_autograd(self, z: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        parameters = self._parameters_by_head
        with torch.enable_grad(), differentiable(chain(*parameters)):
            z.requires_grad_()
            losses = self._losses(z, targets, [partial(dummy, z) for dummy in self.dummies])
            estimate = self._exact if self.estimator == "exact" else self._finite_difference
            return estimate(z, targets, losses, self._grouped(parameters))

    def _exact(
        self, z: Tensor, targets: Sequence[Tensor], losses: list[Tensor], parameters: Groups
    ) -> tuple[Tensor, Tensor]:
        gradients = _gradients(losses, parameters, create_graph=True)
        fixed = [[g.detach() for g in gradient] for gradient in gradients]
        norms = torch.stack([_norm(gradient) for gradient in fixed])
        # ∂‖g‖²/∂z = 2 (∂g/∂z)ᵀ g and ∂‖g‖/∂z = (∂g/∂z)ᵀ g/‖g‖: one vector-Jacobian product with g held fixed.
        if self.norm == "squared":
            value, factor = norms.square().sum(), 2.0
        else:
            value, factor = norms.sum(), 1.0
            fixed = [[step * g for g in gradient] for step, gradient in zip(_inverse(norms), fixed, strict=True)]
        # A gradient that does not depend on z, such as that of a loss linear in the prediction, has nothing to add.
        varying = [(g, v) for g, v in zip(chain(*gradients), chain(*fixed), strict=True) if g.requires_grad]
        if not varying:
            return value / self.num_dummies, torch.zeros_like(z)
        outputs, vectors = zip(*varying, strict=True)
        (product,) = torch.autograd.grad(outputs, z, vectors, materialize_grads=True)
        return value / self.num_dummies, product * (factor / self.num_dummies)

    def _finite_difference(
        self, z: Tensor, targets: Sequence[Tensor], losses: list[Tensor], parameters: Groups
    ) -> tuple[Tensor, Tensor]:
        gradients = _gradients(losses, parameters, create_graph=False)
        steps = self.epsilon * _inverse(torch.stack([_norm(gradient) for gradient in gradients]))
        # θ + εg/‖g‖ as new tensors: writing ±ε in place would let the dummies drift by round-off.
        shifted = iter(
            [
                p.detach() + step * g
                for step, group, gradient in zip(steps, parameters, gradients, strict=True)
                for p, g in zip(group, gradient, strict=True)
            ]
        )
        at = [{name: next(shifted) for name, _ in dummy.named_parameters()} for dummy in self.dummies]
        calls = [partial(functional_call, dummy, p, (z,)) for dummy, p in zip(self.dummies, at, strict=True)]
        rises = self._grouped_sums(self._losses(z, targets, calls)) - self._grouped_sums(losses)
        slopes = rises.detach() / self.epsilon
        squared = self.norm == "squared"
        factors = (2 * slopes if squared else slopes.sign()) / (self.epsilon * self.num_dummies)
        value = (slopes.square() if squared else slopes.abs()).sum() / self.num_dummies
        return value, torch.autograd.grad((factors * rises).sum(), z)[0]

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

    def _grouped_sums(self, losses: list[Tensor]) -> Tensor:
        """The losses whose gradients share one norm, added: D_n of each set, or L_k(h_k^n(z)) of each dummy head."""
        return torch.stack(losses).reshape(-1, self._group_size).sum(dim=1)

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


class _WithGradient(torch.autograd.Function):
    """A scalar of a given value whose gradient with respect to the representation is given as well."""

    @staticmethod
    def forward(ctx: Any, representation: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient.to(representation.dtype))
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return grad_outputs[0] * gradient, None, None


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise DGRError(f"{name} must be one of {', '.join(choices)}, but is '{value}'.")


def _gradients(losses: list[Tensor], parameters: Groups, *, create_graph: bool) -> Groups:
    """∂D/∂θ of every group; as the heads share no parameter, one backward of all losses gives each."""
    flat = torch.autograd.grad(
        losses,
        list(chain(*parameters)),
        create_graph=create_graph,
        retain_graph=True,
        materialize_grads=True,
    )
    remaining = iter(flat)
    return [list(islice(remaining, len(group))) for group in parameters]


def _norm(gradient: list[Tensor]) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(parameters_to_vector(gradient))
    return norm


def _inverse(norms: Tensor) -> Tensor:
    """1/‖g‖, and 0 where a gradient vanishes: there R is at its minimum and has no direction."""
    return torch.where(norms > 0, norms.clamp_min(torch.finfo(norms.dtype).tiny).reciprocal(), 0.0)
