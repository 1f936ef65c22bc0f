"""Dummy Gradient norm Regularization (DGR): the penalty of the paper, at the representation.

The penalty depends on the encoder only through the representation z. Its gradient ∂R/∂z is therefore computed on a
detached z, through the dummy heads alone, and joins the task gradient in the one backward pass of the encoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from dgr.core.errors import DGRError
from dgr.regularizers.shared.by_autograd import Dummy, Estimate, Norms, finite_differences, inverse, total_norm
from dgr.regularizers.shared.calling import CalledWith, Loss, called_with, loss_of, writes_its_input
from dgr.regularizers.shared.carried_gradient import with_gradients
from dgr.regularizers.shared.closed_form import closed_groups
from dgr.regularizers.shared.drawing import Init, draw, stream_of, stream_of_heads
from dgr.regularizers.shared.dummies import dummy_copy, parameters_of
from dgr.regularizers.shared.exact import exact
from dgr.regularizers.shared.features import Features, taken_apart, working_type
from dgr.regularizers.shared.precision import full_precision, without_autocast
from dgr.regularizers.shared.settings import check_settings, check_strength


class DummyGradientNorm(nn.Module):
    """λR with ``R = (1/N) Σ_n ‖∂D_n/∂θ_n‖²`` and ``D_n = Σ_k L_k(h_k^n(z))``.

    The N sets of dummy heads have the architecture of the real heads and random weights of their own. They are never
    trained: their parameters require no gradient and are never written to, and a call leaves no trace in them. They are
    in evaluation mode (no dropout), and batch normalisation uses the statistics of the batch.

    Calling ``penalty = regularizer(z, targets)`` gives a scalar whose value is λR and whose backward sends λ∂R/∂z to
    z and nothing anywhere else. Add it to the loss, and the encoder is walked back once.

    Estimators of ∂R/∂z, which are two different regularizers where heads have kinks (ReLU):

    * ``exact``: double backward through the dummy heads, or the same in closed form for a head of one linear layer, or
      two with a ReLU between, under cross-entropy or squared error (:mod:`.two_layer`).
    * ``finite_difference``: with the direction ``d = g/‖g‖`` held fixed and ``D⁺`` the loss at ``θ + εd``,
      ``R = ((D⁺ − D)/ε)²`` and ``∂R/∂z = 2 (D⁺ − D)(∂D⁺/∂z − ∂D/∂z)/ε²``, the factored form of the released code's
      expansion, which loses less to cancellation.

    ‖g‖² is not linear in the samples. With gradient accumulation or several ranks, what acts is the mean of the parts'
    penalties, in which each part's noise counts: a λ belongs to a size of micro-batch. Heads that share a trunk get a
    dummy trunk each, and parameters that are frozen in the real heads are drawn and counted as the others.

    Args:
        heads: the real heads, one a task. They are copied, and drawn anew as :func:`.drawing.draw` says.
        losses: one a task, ``loss(prediction, target) -> tensor``; more than one number is averaged. A loss module is
            called with its class weights as they are at the call.
        strength: λ ≥ 0.
        estimator: ``"exact"`` or ``"finite_difference"``.
        epsilon: length ε > 0 of the finite-difference step, in units of the dummy parameters.
        num_dummies: N ≥ 1.
        norm: ``"squared"`` as released, or ``"plain"`` for ‖·‖ as a third-party summary of the paper writes it.
        per_task: take one norm a task and add them, instead of one over all dummies of a set. For the exact squared
            norm both are the same.
        resample: draw new dummies at every call instead of once.
        every: k ≥ 1; the penalty is computed at the first of k calls, times k, and 0 at the others. Calls without
            gradients (``torch.no_grad``) give λR and are not counted.
        init: applied to every module of a dummy after the default drawing, as by ``nn.Module.apply``.
        seed: of the dummies, a random stream of their own for each set and task. None: the stream is started by the
            real heads' weights, so that two regularizers have equal dummies only if they are for equal heads.

    Raises:
        DGRError: an argument is out of range, or a head's parameters have no shape yet.

    Source: Shin, Do, Son, ECCV 2024; estimator and defaults as in their released code. ``every``, ``init``: ours.
    """

    draws: Tensor
    stream: Tensor

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
        every: int = 1,
        init: Init | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        check_strength(strength)
        check_settings(heads, losses, epsilon, {"estimator": estimator, "norm": norm},
                       {"num_dummies": num_dummies, "every": every})  # fmt: skip
        # Not submodules: a loss that the caller moves, changes or trains is used as it is then.
        self.losses = tuple(getattr(loss, "_torchdynamo_orig_callable", loss) for loss in losses)
        self.strength = strength
        self.estimator = estimator
        self.epsilon = epsilon
        self.num_dummies = num_dummies
        self.norm = norm
        self.per_task = per_task
        self.resample = resample
        self.every = every
        self.init = init
        self.seed = seed
        self.dummies = nn.ModuleList(dummy_copy(head) for _ in range(num_dummies) for head in heads)
        # Numbers of Python, since reading a buffer would wait for the device; buffers only carry them between runs.
        self._calls = 0
        self._stream = stream_of_heads(heads) if seed is None else stream_of(seed)
        self.register_buffer("draws", torch.tensor(0))
        self.register_buffer("stream", torch.tensor(self._stream))
        self._groups = closed_groups(list(self.dummies), self.losses) if estimator == "exact" else []
        self._writes_input: dict[int, bool] = {}
        self._draw()

    def forward(self, representation: Any, targets: Sequence[Any], *inputs: Any, **keywords: Any) -> Tensor:
        """λR of a batch.

        Args:
            representation: z, shape ``(batch, …)``, or a dict, list or tuple of such; with or without a graph.
            targets: one a task, in the order of the heads: what its loss takes, or None where the batch has none for
                this task, which then adds nothing.
            inputs: what every head is called with behind z.
            keywords: the same, by name.

        Returns:
            A scalar, float32 or float64: value λR, gradient λ∂R/∂z with respect to ``representation``.

        Raises:
            DGRError: a head does not fit the representation, or is random; a label is no class; there is not one target
                a task.
        """
        if torch.compiler.is_compiling():
            # The penalty stays outside of what is being compiled; the loss around it does not.
            return torch.compiler.disable(self._penalty)(representation, targets, inputs, keywords)  # type: ignore
        return self._penalty(representation, targets, inputs, keywords)

    def gradient_ratio(
        self,
        loss: Tensor,
        representation: Any,
        targets: Sequence[Any],
        *inputs: Any,
        parameters: Iterable[Tensor] | None = None,
        **keywords: Any,
    ) -> float:
        """λ‖∂R/∂z‖ / ‖∂L/∂z‖: how hard the penalty pulls at the representation, measured by the tasks' pull.

        The graph of the loss stays, and the call does not count for ``every`` or ``resample``.

        Args:
            loss: L, a scalar with a graph through ``representation``.
            representation: as of :meth:`forward`, with a graph.
            targets: as there.
            inputs: as there.
            parameters: take both gradients in these, such as the encoder's, instead of in z.
            keywords: as there.

        Raises:
            DGRError: the representation has no graph; else as of :meth:`forward`.
        """
        features = taken_apart(representation)
        if not any(leaf.requires_grad for leaf in features.leaves):
            raise DGRError("gradient_ratio needs a representation with a graph; call it outside of torch.no_grad.")
        _, gradients = self._estimate(features, targets, inputs, keywords, differentiated=True)
        pairs = [pair for pair in zip(features.leaves, gradients, strict=True) if pair[0].requires_grad]
        leaves, pull = [leaf for leaf, _ in pairs], total_norm([each for _, each in pairs])
        wanted = leaves if parameters is None else [p for p in parameters if p.requires_grad]
        if parameters is not None:
            # Walked back at length 1, where half precision does not round it to zero.
            sent = [(gradient * inverse(pull)).to(leaf.dtype) for leaf, gradient in pairs]
            pull *= total_norm(torch.autograd.grad(leaves, wanted, sent, retain_graph=True, materialize_grads=True))
        task = total_norm(torch.autograd.grad(loss, wanted, retain_graph=True, materialize_grads=True))
        return self.strength * (pull / task).item()

    def _penalty(self, representation: Any, targets: Sequence[Any], inputs: Any, keywords: dict[str, Any]) -> Tensor:
        features = taken_apart(representation)
        leaves, call, counted = features.leaves, self._calls, torch.is_grad_enabled()
        self._calls += counted
        if self.strength == 0 or (counted and call % self.every):
            nothing = leaves[0].new_zeros((), dtype=working_type(leaves))
            return with_gradients(leaves, nothing, [nothing] * len(leaves))
        if self.resample and call > 0:
            self._draw()
        differentiated = counted and any(leaf.requires_grad for leaf in leaves)
        value, gradient = self._estimate(features, targets, inputs, keywords, differentiated=differentiated)
        factor = self.strength * (self.every if counted else 1)
        return with_gradients(leaves, factor * value, [factor * each for each in gradient])

    def _estimate(
        self, features: Features, targets: Sequence[Any], inputs: Any, keywords: dict[str, Any], *, differentiated: bool
    ) -> Estimate:
        """R and ∂R/∂z."""
        dtype, device = working_type(features.leaves), features.leaves[0].device.type
        precision = without_autocast if self.estimator == "exact" else full_precision
        with torch.inference_mode(False), torch.enable_grad(), precision(device):
            leaves = [leaf.clone() if leaf.is_inference() else leaf.detach() for leaf in features.leaves]
            leaves = [leaf.to(dtype).requires_grad_() for leaf in leaves]
            given = called_with(features._replace(leaves=leaves), dtype, targets, len(self.losses), inputs, keywords)
            together = 1 if self.per_task else len(self.losses)
            norms = Norms(len(self.dummies), together, self.num_dummies, self.norm == "squared", differentiated)

            def dummy(index: int) -> Dummy | None:
                return self._dummy(index, leaves, given)

            if self.estimator != "exact":
                return finite_differences(dummy, leaves, norms, self.epsilon)
            found = [(group.indices, group.gradients(self.dummies, self.losses, given)) for group in self._groups]
            closed = [(indices, gradients) for indices, gradients in found if gradients is not None]
            return exact(closed, dummy, leaves, norms)

    def _dummy(self, index: int, leaves: list[Tensor], given: CalledWith) -> Dummy | None:
        """A dummy head at this call; None where its task has no target."""
        task = index % len(self.losses)
        if given.targets[task] is None:
            return None
        module, loss = self.dummies[index], self.losses[task]
        parameters = parameters_of(module, given.dtype)
        if task not in self._writes_input:
            self._writes_input[task] = writes_its_input(task, module, loss, parameters, given)
        copied = self._writes_input[task]
        return Dummy(lambda at: loss_of(task, module, loss, leaves, at, given, copied=copied), parameters)

    def _draw(self) -> None:
        for index, dummy in enumerate(self.dummies):
            words = (self._stream, *divmod(index, len(self.losses)), self._calls if self.resample else 0)
            draw(dummy, stream_of(*words), self.init)

    def train(self, mode: bool = True) -> Self:
        """Does nothing: the penalty is the same function of z in training and in evaluation."""
        return self

    def _save_to_state_dict(self, *arguments: Any) -> None:
        self.draws.fill_(self._calls)
        super()._save_to_state_dict(*arguments)

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        self._calls, self._stream = int(self.draws), int(self.stream)

    def extra_repr(self) -> str:
        """The settings, for ``print(regularizer)``."""
        return (
            f"strength={self.strength}, estimator={self.estimator!r}, epsilon={self.epsilon}, "
            f"num_dummies={self.num_dummies}, norm={self.norm!r}, per_task={self.per_task}, resample={self.resample}, "
            f"every={self.every}"
        )
