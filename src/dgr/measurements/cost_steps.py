"""One training step as something to call: what the cost stage and the benchmark measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgr.core.task import Batch, Task
from dgr.methods.shared.base import forward
from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm
from dgr.training.build import Parts


@dataclass
class Stepper:
    """A model in training; calling it takes one step.

    Attributes:
        parts: as in a run.
        tasks: as in a run.
        batches: an endless stream of batches.
    """

    parts: Parts
    tasks: tuple[Task, ...]
    batches: Iterator[Batch]

    def __call__(self) -> None:
        """Zero the gradients, forward, penalty, backward, optimizer."""
        parts = self.parts
        parts.optimizer.zero_grad()
        batch = next(self.batches)
        held_out = next(self.batches) if parts.method.needs_held_out else None
        parts.method.backward(forward(parts.model, self.tasks, parts.regularizer, batch, held_out, parts.optimizer))
        parts.optimizer.step()

    def resting_bytes(self) -> int:
        """Bytes of everything that stays between steps: weights, optimizer state, dummies."""
        modules = [tensor for part in self.parts.modules() for tensor in (*part.parameters(), *part.buffers())]
        values = [value for state in self.parts.optimizer.state.values() for value in state.values()]
        states = [value for value in values if torch.is_tensor(value)]
        return sum(tensor.numel() * tensor.element_size() for tensor in (*modules, *states))


class ReleasedProcedure(Stepper):
    """The step of the authors' released code, written anew from its description, for equal weighting.

    Differs from the library's: each set of dummies sends the batch through the encoder again, its dummies are moved by
    ±εd in place, and the penalty's gradient on the encoder is expanded into four terms,
    ``2λ/(Nε²) · (D⁺∂D⁺ − D⁺∂D − D∂D⁺ + D∂D)``. The encoder is walked back once for ∂D and once for ∂D⁺, the fewest
    times this procedure can do with: a lower bound on its cost.
    """

    def __call__(self) -> None:
        """One step of equal weighting with DGR."""
        model, regularizer, sets = self.parts.model, self.parts.regularizer, len(self.tasks)
        self.parts.optimizer.zero_grad()
        inputs, targets = next(self.batches)
        total = self._loss(model.encoder(inputs), targets, list(model.heads.values()))
        total.backward()  # type: ignore[no-untyped-call]
        assert isinstance(regularizer, DummyGradientNorm)
        scale = 2 * regularizer.strength / (regularizer.num_dummies * regularizer.epsilon**2)
        shared = model.shared_parameters()
        for start in range(0, len(regularizer.dummies), sets):
            heads = list(regularizer.dummies[start : start + sets])
            own = [parameter.requires_grad_() for head in heads for parameter in head.parameters()]
            z = model.encoder(inputs)
            loss = self._loss(z, targets, heads)
            gradients = torch.autograd.grad(loss, [*shared, *own], retain_graph=True)
            at, direction = gradients[: len(shared)], gradients[len(shared) :]
            step = regularizer.epsilon / nn.utils.get_total_norm(direction).clamp_min(1e-12)
            moves = torch._foreach_mul(direction, step)
            with torch.no_grad():
                torch._foreach_add_(own, moves)
            moved = self._loss(z, targets, heads)
            beside = torch.autograd.grad(moved, shared)
            with torch.no_grad():
                torch._foreach_sub_(own, moves)
                high, low = moved.detach(), loss.detach()
                for parameter, g, h in zip(shared, at, beside, strict=True):
                    assert parameter.grad is not None
                    parameter.grad += scale * (high * h - high * g - low * h + low * g)
        regularizer.dummies.requires_grad_(False)
        self.parts.optimizer.step()

    def _loss(self, z: Tensor, targets: dict[str, Tensor], heads: list[nn.Module]) -> Tensor:
        losses = [task.loss(head(z), targets[task.name]) for task, head in zip(self.tasks, heads, strict=True)]
        return torch.stack(losses).sum()
