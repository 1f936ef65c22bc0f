"""A model small enough to know everything about: encoder, heads, a batch, and its Jacobian by plain autograd."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from dgr.core.task import Task
from dgr.methods import Batch, Method, Step
from dgr.models.model import MultiTaskModel

CLASSES = 3
LEARNING_RATE = 0.05


@dataclass(frozen=True)
class Scaled(Task):
    """Multiplies the loss, wherever a method computes it."""

    factor: float = 1.0

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return self.factor * super().loss(prediction, target)


@dataclass
class Toy:
    model: MultiTaskModel
    tasks: list[Task]
    batch: Batch
    held_out: Batch
    penalty: bool = False
    factors: tuple[float, ...] | None = None  # multiply the losses

    def step(self) -> Step:
        inputs, targets = self.batch
        factors = self.factors or (1.0,) * len(self.tasks)
        tasks = [Scaled(**asdict(task), factor=factor) for task, factor in zip(self.tasks, factors, strict=True)]
        representation = self.model.encoder(inputs)
        predictions = self.model.predict(representation)
        losses = [task.loss(predictions[task.name], targets[task.name]) for task in tasks]
        return Step(
            model=self.model,
            tasks=tasks,
            batch=self.batch,
            representation=representation,
            predictions=predictions,
            losses=losses,
            penalty=penalty(representation) if self.penalty else None,
            held_out=self.held_out,
            optimizer=torch.optim.SGD(self.model.parameters(), LEARNING_RATE),
        )

    def jacobian(self) -> np.ndarray:
        """One row a task, with respect to the encoder."""
        losses = self.step().losses
        return np.stack([flat(torch.autograd.grad(loss, self.shared, retain_graph=True)) for loss in losses])

    def head_gradients(self) -> list[np.ndarray]:
        """Of each head, its own loss's gradient."""
        losses = self.step().losses
        heads = [self.model.head_parameters(task.name) for task in self.tasks]
        return [
            flat(torch.autograd.grad(loss, head, retain_graph=True)) for loss, head in zip(losses, heads, strict=True)
        ]

    def losses(self) -> np.ndarray:
        return np.array([loss.item() for loss in self.step().losses])

    @property
    def shared(self) -> list[nn.Parameter]:
        return self.model.shared_parameters()

    def backward(self, method: Method) -> tuple[np.ndarray, list[np.ndarray], Tensor]:
        """Gradient of the encoder, of each head, and the weights returned."""
        self.model.zero_grad()
        method.zero_grad()
        weights = method.backward(self.step())
        heads = [flat([p.grad for p in self.model.head_parameters(task.name)]) for task in self.tasks]
        return flat([p.grad for p in self.shared]), heads, weights


def penalty(representation: Tensor) -> Tensor:
    return 0.1 * representation.square().sum(dim=1).mean()


def flat(tensors) -> np.ndarray:
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).numpy().copy()


def make_toy(num_tasks: int, *, seed: int = 0, dtype: torch.dtype = torch.float64, conflict: bool = True) -> Toy:
    """Conflict comes from heads that nearly mirror the first one on the same labels."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(3 * 4 * 4, 6), nn.Tanh()
        )
        heads = {f"task{k}": nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, CLASSES)) for k in range(num_tasks)}
    model = MultiTaskModel(encoder, heads).to(dtype)
    tasks = [Task(name, "classification", CLASSES) for name in heads]
    if conflict:
        with torch.no_grad():
            for head in list(model.heads.values())[1:]:
                for own, first in zip(head.parameters(), model.heads["task0"].parameters(), strict=True):
                    own.mul_(0.6).add_(first, alpha=-0.5 if own.ndim == 2 and own.shape[1] == 6 else 1.0)
    batches = []
    for _ in range(2):
        inputs = torch.randn(8, 1, 6, 6, generator=generator, dtype=torch.float64).to(dtype)
        labels = torch.randint(CLASSES, (8,), generator=generator)
        targets = {
            task.name: labels if conflict else torch.randint(CLASSES, (8,), generator=generator) for task in tasks
        }
        batches.append((inputs, targets))
    return Toy(model, tasks, batches[0], batches[1])
