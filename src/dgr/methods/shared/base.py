"""What a multi-task method is: one call per step that turns task losses into gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from dgr.core.errors import DGRError
from dgr.core.task import Batch, Task
from dgr.methods.shared.look_ahead import laid_out_as
from dgr.methods.shared.ranks import average_gradients, processes
from dgr.methods.shared.step import Step as Step
from dgr.methods.shared.step import forward as forward
from dgr.methods.shared.step import trainable as trainable

SHARDED = ("set_requires_gradient_sync", "_fsdp_wrapped_module")
"""What modules have under FSDP 2 and 1, by which parameters may be whole between forward and backward pass."""


class Method(nn.Module, ABC):
    """Turns task losses into gradients.

    Parameters registered on a method are trained by the run's optimizer, together with the model. All state, also
    that of a wrapped library object, is in ``state_dict()``, so that a resumed run continues exactly.

    Attributes:
        separate_encoders: whether each task has an encoder of its own.
        needs_held_out: whether each step must come with a second batch.
        needs_main_task: whether the option ``main_task`` must name the task that all others serve.
        one_process: whether it only works in a single process.
        takes_scaler: whether a ``GradScaler`` may scale the loss, which takes a single backward pass of one sum.

    Args:
        num_tasks: number K of tasks.
    """

    separate_encoders: ClassVar[bool] = False
    needs_held_out: ClassVar[bool] = False
    needs_main_task: ClassVar[bool] = False
    one_process: ClassVar[bool] = False
    takes_scaler: ClassVar[bool] = False

    def __init__(self, num_tasks: int) -> None:
        super().__init__()
        self.num_tasks = num_tasks

    def begin(self, tasks: Sequence[Task], batches: Iterable[Batch]) -> None:
        """Called once before the first step of a fresh run, with the whole training split in batches.

        A resumed run does not call it again: what it finds belongs into ``state_dict()``.
        """

    @property
    def name(self) -> str:
        """The method's name in configurations: that of its file."""
        return type(self).__module__.rpartition(".")[2]

    def backward(self, step: Step) -> Tensor:
        """Add to ``.grad`` of encoder, heads and the method's own parameters.

        The regularizer's gradient λ∂R/∂E is added to the encoder after any balancing; heads never see it. Whatever the
        method, every gradient ends in the memory layout of its parameter, which fused optimizers take for granted, and
        is the mean over the processes that train together.

        Returns:
            The task weights used in this step, shape ``(K,)``, detached.

        Raises:
            DGRError: the method cannot do such a step; says why, and what can.
        """
        self._check(step)
        parameters = trainable([*step.model.parameters(), *self.parameters()])
        # Of earlier parts of a batch: no weight and no mean over processes of this part is theirs.
        earlier = [parameter.grad for parameter in parameters]
        for parameter in parameters:
            parameter.grad = None
        # Backward passes have the forward pass's precision in any case; what is computed from gradients needs its own.
        with torch.autocast(step.representation.device.type, enabled=False):
            weights = self._filled(step)
        average_gradients(parameters)
        for parameter, before in zip(parameters, earlier, strict=True):
            if before is not None:
                parameter.grad = before if parameter.grad is None else before + parameter.grad
            if parameter.grad is not None and parameter.grad.stride() != parameter.stride():
                parameter.grad = laid_out_as(parameter, parameter.grad)
        return weights

    @abstractmethod
    def fill(self, step: Step) -> Tensor:
        """What :meth:`backward` does where every ``.grad`` is None, in any memory layout and in this process alone."""

    def _filled(self, step: Step) -> Tensor:
        try:
            return self.fill(step)
        except RuntimeError as error:
            if "donated buffers" not in str(error):
                raise
            raise DGRError(
                f"Method '{self.name}' takes more than one walk back through a compiled module, which torch.compile "
                "forbids by default; set torch._functorch.config.donated_buffer = False before the first step."
            ) from error

    def _check(self, step: Step) -> None:
        if self.one_process and processes() > 1:
            raise DGRError(
                f"Method '{self.name}' looks ahead on its own batch and does not train in several processes; "
                "train it in one, or choose another method."
            )
        if processes() > 1 and any(hasattr(module, sign) for module in step.model.modules() for sign in SHARDED):
            raise DGRError(
                f"Method '{self.name}' does not train sharded parameters, whose gradients no process has as a whole; "
                "leave the model unsharded, as for DistributedDataParallel."
            )
        if step.scaler is not None and step.scaler.is_enabled() and not self.takes_scaler:
            raise DGRError(
                f"Method '{self.name}' compares the tasks' gradients, which a GradScaler would scale; "
                "leave it out and use bfloat16, or choose a method that weighs losses."
            )

    def end_epoch(self) -> None:
        """Called after the last step of each epoch."""

    def details(self) -> dict[str, float]:
        """What the epoch's record says about the method beyond task weights, by ``quantity/task``; called before
        :meth:`end_epoch`, and of the steps since the last call of that.
        """
        return {}


def shared_of(method: Method, step: Step) -> list[nn.Parameter]:
    """The shared parameters that are not frozen, of a method that needs some.

    Raises:
        DGRError: all are frozen.
    """
    shared = trainable(step.model.shared_parameters())
    if not shared:
        raise DGRError(
            f"Method '{method.name}' works on the gradients of the shared parameters, but all of these are frozen; "
            "choose a method that weighs losses, such as equal_weighting."
        )
    return shared
