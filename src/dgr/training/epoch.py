"""One epoch of training: every batch forward, backward, and the optimizer's step; what is recorded of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dgr.core.errors import DGRError
from dgr.core.seeds import Purpose, generator_for
from dgr.core.task import Batch, Task
from dgr.datasets.augmentation import augment
from dgr.datasets.prepared import Split
from dgr.methods.shared.base import Step, forward, trainable
from dgr.training.build import Parts
from dgr.training.configuration import RunConfig
from dgr.training.divergence import check_finite

_Row = dict[str, float | None]


@dataclass(frozen=True)
class Epoch:
    """One epoch of one run.

    Args:
        config: the run.
        seed: which of its seeds.
        parts: what trains.
        tasks: of its data set.
        split: the training split.
        number: epochs completed before.
    """

    config: RunConfig
    seed: int
    parts: Parts
    tasks: tuple[Task, ...]
    split: Split
    number: int

    def train(self) -> _Row:
        """Train, and give the epoch's columns of ``history.csv``, apart from validation and time.

        Raises:
            DivergedError: a loss or the penalty is not finite.
            DGRError: a batch is too small for batch normalisation.
        """
        row: _Row = {
            "epoch": self.number + 1,
            "learning_rate": float(self.parts.schedule.get_last_lr()[0]),
            "penalty": None,
            "gradient_ratio": None,
        }
        losses: list[Tensor] = []
        weights: list[Tensor] = []
        penalties: list[Tensor] = []
        self.parts.model.train()
        for index, (batch, held_out) in enumerate(self._batches()):
            self.parts.optimizer.zero_grad()
            parts = self.parts
            step = self._forward(batch, held_out)
            check_finite(self._named_values(step), f"{self.config.key}, seed {self.seed}", self.number, index)
            if row["gradient_ratio"] is None and self._computes_penalty(step, index):
                row["gradient_ratio"] = self._measured_backward(step, weights)
            else:
                weights.append(parts.method.backward(step))
            parts.optimizer.step()
            losses.append(torch.stack([loss.detach() for loss in step.losses]))
            if step.penalty is not None:
                penalties.append(step.penalty.detach())
        row |= self.parts.method.details()
        self.parts.method.end_epoch()
        self.parts.schedule.step()
        if penalties:
            row["gradient_ratio"] = row["gradient_ratio"] or 0.0
            row["penalty"] = torch.stack(penalties).mean().item()
        for name, values in (("train_loss", losses), ("weight", weights)):
            means = torch.stack(values).mean(dim=0).tolist()
            row |= {f"{name}/{task.name}": value for task, value in zip(self.tasks, means, strict=True)}
        return row

    def _batches(self) -> Iterator[tuple[Batch, Batch | None]]:
        """Each batch in a new order, and beside it, for methods that need one, a held-out batch in another."""
        drawn = self._drawn("batch_order", "augmentation")
        if not self.parts.method.needs_held_out:
            return ((batch, None) for batch in drawn)
        return zip(drawn, self._drawn("held_out", "held_out_augmentation"), strict=True)

    def _drawn(self, order: Purpose, augmentation: Purpose) -> Iterator[Batch]:
        size, samples = self.config.training.batch_size, len(self.split)
        rows = torch.randperm(samples, generator=self._generator(order))
        generator, settings = self._generator(augmentation), self.config.training.augmentation
        # A last batch of one sample has no statistics for batch normalisation, and is left out.
        for start in range(0, samples - (1 < size < samples and samples % size == 1), size):
            batch = self.split.batch(rows[start : start + size])
            yield batch if settings is None else augment(batch, self.tasks, settings, generator)

    def _forward(self, batch: Batch, held_out: Batch | None) -> Step:
        parts = self.parts
        try:
            return forward(
                parts.model,
                self.tasks,
                parts.regularizer,
                batch,
                held_out,
                parts.optimizer,
                loss_weights=parts.loss_weights,
            )
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise DGRError(
                f"{self.config.key}, seed {self.seed}: batch normalisation has no statistics of a batch of "
                f"{len(batch[0])}; give 'batch_size' a larger value."
            ) from error

    def _generator(self, purpose: Purpose) -> torch.Generator:
        return generator_for(self.config.experiment, self.seed, purpose, self.number)

    def _computes_penalty(self, step: Step, index: int) -> bool:
        """Whether this is an early step with a penalty; with ``every=k`` one of the first k has it."""
        return step.penalty is not None and index < self._every and (self._every == 1 or step.penalty.item() > 0)

    @property
    def _every(self) -> int:
        return getattr(self.parts.regularizer, "every", 1)

    def _measured_backward(self, step: Step, weights: list[Tensor]) -> float:
        """Backward, and λ|g_R|/|g_task| on the encoder, also where g_R comes at each k-th step, k times as strong.

        It costs one more encoder backward, hence once an epoch.
        """
        assert step.penalty is not None
        shared = trainable(self.parts.model.shared_parameters())
        penalty = torch.autograd.grad(step.penalty, shared, retain_graph=True)
        weights.append(self.parts.method.backward(step))
        task = [p.grad - g for p, g in zip(shared, penalty, strict=True) if p.grad is not None]
        return (_norm(penalty) / _norm(task).clamp_min(torch.finfo(torch.float32).tiny)).item() / self._every

    def _named_values(self, step: Step) -> dict[str, Tensor]:
        values = {f"loss of task '{task.name}'": loss for task, loss in zip(self.tasks, step.losses, strict=True)}
        return values if step.penalty is None else values | {"penalty of the regularizer": step.penalty}


def _norm(tensors: Iterable[Tensor]) -> Tensor:
    return torch.stack([tensor.square().sum() for tensor in tensors]).sum().sqrt()
