"""One dummy head's loss as a function of the representation and the dummy's parameters, without side effects."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from dgr.core.errors import DGRError
from dgr.regularizers.shared.dummies import Parameters
from dgr.regularizers.shared.features import Features, plain

Loss = Callable[[Any, Any], Tensor]
FOREIGN = ("allocate memory", "out of memory", "CUDA", "CUBLAS", "CUDNN", "cuDNN")
"""In the message of a RuntimeError that says nothing about shapes."""
UNEQUAL = {torch.float32: 1e-5, torch.float64: 1e-10}
"""By how much, relatively, two calls of one head may differ."""


class CalledWith(NamedTuple):
    """What the penalty was called with: the parts of z, a target by task, and what every head gets beside z."""

    features: Features
    targets: Sequence[Any]
    inputs: tuple[Any, ...]
    keywords: dict[str, Any]
    dtype: torch.dtype


def called_with(
    features: Features, dtype: torch.dtype, targets: Sequence[Any], tasks: int, inputs: Any, keywords: Any
) -> CalledWith:
    """The arguments of a call, as autograd can save them.

    Raises:
        DGRError: there is not one target a task.
    """
    if isinstance(targets, Mapping) or len(targets) != tasks:
        given = f"a {type(targets).__name__}" if isinstance(targets, Mapping) else f"{len(targets)} targets"
        raise DGRError(
            f"There must be one target a head, in a list of {tasks}, but the penalty got {given}; "
            "give None for a task without one."
        )
    return CalledWith(
        features,
        [None if target is None else plain(target, dtype) for target in targets],
        tuple(plain(value, dtype) for value in inputs),
        {name: plain(value, dtype) for name, value in keywords.items()},
        dtype,
    )


def loss_of(
    task: int,
    dummy: nn.Module,
    loss: Loss,
    leaves: list[Tensor],
    parameters: Parameters,
    given: CalledWith,
    *,
    copied: bool = False,
) -> Tensor:
    """L_k(h_k(z)) at the parameters, a scalar: the mean where the loss gives more than one number.

    Args:
        task: k, for messages.
        dummy: h_k; neither it nor what belongs to it is changed.
        loss: L_k.
        leaves: the tensors of z.
        parameters: of h_k.
        given: all else.
        copied: hand the head a copy of z, since it writes into its input.

    Raises:
        DGRError: the head does not fit z, or a label is no class.
    """
    # Not the leaves themselves: torch's counters of modules, among others, refuse inputs that begin a graph.
    z = given.features.with_leaves([leaf.clone() if copied else leaf.view_as(leaf) for leaf in leaves])
    with _kernels_for(dummy), unchanged(dummy):
        try:
            buffers = _copies(dummy.named_buffers(), given.dtype)
            prediction = functional_call(dummy, {**parameters, **buffers}, (z, *given.inputs), given.keywords)
        except RuntimeError as error:
            if isinstance(error, NotImplementedError | torch.cuda.OutOfMemoryError) or _is_foreign(error):
                raise
            shapes = ", ".join(str(tuple(leaf.shape)) for leaf in leaves)
            raise DGRError(
                f"Head {task} does not fit a representation of shape {shapes} ({error}); "
                "give the heads that the model itself uses."
            ) from error
        try:
            value = _called(loss, prediction, given.targets[task], leaves[0].device, given.dtype)
        except IndexError as error:
            raise no_class(task, error) from error
    if not torch.is_tensor(value):
        raise DGRError(f"The loss of head {task} gave a {type(value).__name__}; it must give a tensor.")
    return value if value.ndim == 0 else value.mean()


def no_class(task: int, error: Exception) -> DGRError:
    """What is said of a label that is no class."""
    return DGRError(
        f"A label of task {task} is no class ({error}); give labels from 0, and the loss's ignore_index "
        "(torch's default is -100) where there is none."
    )


@torch.no_grad()
def writes_its_input(task: int, dummy: nn.Module, loss: Loss, parameters: Parameters, given: CalledWith) -> bool:
    """Whether a head changes z in place; two calls of it must also give one loss.

    Raises:
        DGRError: they do not.
    """
    losses = []
    for _ in range(2):
        leaves = [leaf.detach().to(given.dtype, copy=True) for leaf in given.features.leaves]
        before = [leaf._version for leaf in leaves]
        losses.append(loss_of(task, dummy, loss, leaves, parameters, given).item())
        written = [leaf._version for leaf in leaves] != before
    if not (math.isclose(*losses, rel_tol=UNEQUAL[given.dtype]) or all(map(math.isnan, losses))):
        raise DGRError(
            f"Head {task} gives another loss each time ({losses[0]:.6g}, {losses[1]:.6g}), though it is in evaluation "
            "mode: switch off what is random in it where `self.training` is false."
        )
    return written


@contextmanager
def unchanged(dummy: nn.Module) -> Iterator[None]:
    """Takes back what a forward pass leaves in the attributes of modules: activations, weights made by hooks."""
    before = [(module.__dict__, dict(module.__dict__)) for module in dummy.modules()]
    try:
        yield
    finally:
        for now, then in before:
            if len(now) != len(then) or any(now.get(name) is not value for name, value in then.items()):
                now.clear()
                now.update(then)


@contextmanager
def _kernels_for(dummy: nn.Module) -> Iterator[None]:
    """Kernels that can be differentiated twice: of attention the plain products, of recurrent layers torch's own."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    enabled = torch._C._get_cudnn_enabled()
    with sdpa_kernel(SDPBackend.MATH):
        try:
            if any(isinstance(module, nn.RNNBase) for module in dummy.modules()):
                torch._C._set_cudnn_enabled(False)
            yield
        finally:
            torch._C._set_cudnn_enabled(enabled)


def _called(loss: Loss, prediction: Any, target: Any, device: torch.device, dtype: torch.dtype) -> Tensor:
    """A loss module is called with its weights as they are now, on z's device and in its type, and gets no gradient."""
    if not isinstance(loss, nn.Module):
        return loss(prediction, target)
    held = {**_copies(loss.named_parameters(), dtype, device), **_copies(loss.named_buffers(), dtype, device)}
    with unchanged(loss):
        return functional_call(loss, held, (prediction, target))  # type: ignore[no-any-return]


def _copies(named: Iterator[tuple[str, Tensor]], dtype: torch.dtype, device: torch.device | None = None) -> Parameters:
    """Copies that may be written to; those of real numbers in the working type."""
    return {
        name: tensor.detach().to(device, dtype if tensor.is_floating_point() else None, copy=True)
        for name, tensor in named
    }


def _is_foreign(error: RuntimeError) -> bool:
    return any(word in str(error) for word in FOREIGN)
