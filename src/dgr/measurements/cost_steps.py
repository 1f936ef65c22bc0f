"""One training step as something to call: what the cost stage and the benchmark measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgr.core.task import Batch, Task
from dgr.methods.shared.base import Method, forward
from dgr.models.model import MultiTaskModel
from dgr.regularizers.dummy_gradient_norm import DummyGradientNorm
from dgr.regularizers.norm_penalty import FeatureNormPenalty


@dataclass
class Stepper:
    """A model in training; calling it takes one step.

    Attributes:
        model, regularizer, method, optimizer, tasks: as in a run.
        batches: an endless stream of batches.
    """

    model: MultiTaskModel
    regularizer: DummyGradientNorm | FeatureNormPenalty | None
    method: Method
    optimizer: torch.optim.Optimizer
    tasks: tuple[Task, ...]
    batches: Iterator[Batch]

    def __call__(self) -> None:
        """Zero the gradients, forward, penalty, backward, optimizer."""
        self.optimizer.zero_grad()
        batch = next(self.batches)
        held_out = next(self.batches) if self.method.needs_held_out else None
        self.method.backward(forward(self.model, self.tasks, self.regularizer, batch, held_out, self.optimizer))
        self.optimizer.step()

    def resting_bytes(self) -> int:
        """Bytes of everything that stays between steps: weights, optimizer state, dummies."""
        parts = (self.model, self.regularizer, self.method)
        modules = [tensor for part in parts if part is not None for tensor in (*part.parameters(), *part.buffers())]
        states = [
            value for state in self.optimizer.state.values() for value in state.values() if torch.is_tensor(value)
        ]
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
        self.optimizer.zero_grad()
        inputs, targets = next(self.batches)
        total = self._loss(self.model.encoder(inputs), targets, list(self.model.heads.values()))
        total.backward()  # type: ignore[no-untyped-call]
        regularizer, width = self.regularizer, len(self.tasks)
        assert isinstance(regularizer, DummyGradientNorm)
        scale = 2 * regularizer.strength / (regularizer.num_dummies * regularizer.epsilon**2)
        shared = self.model.shared_parameters()
        for start in range(0, len(regularizer.dummies), width):
            heads = list(regularizer.dummies[start : start + width])
            own = [parameter.requires_grad_() for head in heads for parameter in head.parameters()]
            z = self.model.encoder(inputs)
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
        self.optimizer.step()

    def _loss(self, z: Tensor, targets: dict[str, Tensor], heads: list[nn.Module]) -> Tensor:
        losses = [task.loss(head(z), targets[task.name]) for task, head in zip(self.tasks, heads, strict=True)]
        return torch.stack(losses).sum()
