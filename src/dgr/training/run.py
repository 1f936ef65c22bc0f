"""The training loop of one run: one method, one regularizer, one seed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from dgr.config.runs import RunConfig
from dgr.core.improvement import relative_improvement
from dgr.core.provenance import config_hash
from dgr.core.seeds import Purpose, generator_for, seed_for
from dgr.core.task import Batch
from dgr.datasets.augmentation import augment
from dgr.datasets.prepared import PreparedData
from dgr.methods.shared.base import Step, forward
from dgr.training.build import build_optimizer, build_run
from dgr.training.checkpoint import load_checkpoint, save_checkpoint
from dgr.training.divergence import check_finite
from dgr.training.evaluation import Scores, evaluate


@dataclass
class Progress:
    """What has happened so far; saved with every checkpoint."""

    history: list[dict[str, float | None]] = field(default_factory=list)
    seconds: float = 0.0
    best_epoch: int = 0
    best_score: float = float("-inf")
    best_model: dict[str, Tensor] = field(default_factory=dict)
    snapshots: dict[str, Tensor] = field(default_factory=dict)


class Run:
    """One run, resumable after every epoch.

    Args:
        config: the run's configuration.
        seed: which of its seeds.
        strength: the regularizer's strength after tuning, None without a regularizer.
        data: the prepared data set.
        device: where to train.
        checkpoint: where the resume checkpoint is kept while the run is unfinished.
    """

    def __init__(
        self,
        config: RunConfig,
        seed: int,
        strength: float | None,
        data: PreparedData,
        device: torch.device,
        checkpoint: Path,
    ) -> None:
        self.config = config
        self.seed = seed
        self.tasks = data.tasks
        self.device = device
        self.checkpoint = checkpoint
        self.splits = {name: split.to(device) for name, split in data.splits.items()}
        image_shape = self.splits["train"].images.shape[1:]
        self.model, self.regularizer, self.method = build_run(config, strength, self.tasks, image_shape, seed)
        for module in (self.model, self.regularizer, self.method):
            if module is not None:
                module.to(device)
        if device.type == "cuda":
            # The layout that cuDNN's convolutions are fastest in; inputs and representations follow the weights.
            self.model.to(memory_format=torch.channels_last)
        self.optimizer, self.schedule = build_optimizer(config, strength, self.model, self.method)
        self.progress = Progress()
        settings = config.model_dump(mode="json", exclude={"seeds"})
        self.identity = config_hash({"config": settings, "seed": seed, "strength": strength})

    def train(self) -> None:
        """Train to the last epoch, from the resume checkpoint if there is one.

        Raises:
            DGRError: a loss is not finite; the checkpoint of the last whole epoch stays.
        """
        torch.manual_seed(seed_for(self.config.experiment, self.seed, "balancer"))
        if self.checkpoint.exists():
            self._restore()
        else:
            self.method.begin(self.tasks, self.splits["train"].batches(self.config.training.batch_size))
            self._keep_snapshot(0)
        epochs = range(len(self.progress.history), self.config.training.epochs)
        for epoch in tqdm(epochs, desc=f"{self.config.key} seed {self.seed}", unit="epoch", leave=False, disable=None):
            start = time.perf_counter()
            row = self._train_epoch(epoch)
            row |= self._validate(epoch)
            self.progress.seconds += (seconds := time.perf_counter() - start)
            self.progress.history.append({**row, "seconds": round(seconds, 4)})
            self._keep_snapshot(epoch + 1)
            self._save()

    def _train_epoch(self, epoch: int) -> dict[str, float | None]:
        split, size = self.splits["train"], self.config.training.batch_size
        order = self._order("batch_order", epoch)
        held_out_order = self._order("held_out", epoch) if self.method.needs_held_out else None
        row: dict[str, float | None] = {
            "epoch": epoch + 1,
            "learning_rate": float(self.schedule.get_last_lr()[0]),
            "penalty": None,
            "gradient_ratio": None,
        }
        losses: list[Tensor] = []
        weights: list[Tensor] = []
        penalties: list[Tensor] = []
        augmentation = self._generator("augmentation", epoch)
        held_out_augmentation = self._generator("held_out_augmentation", epoch)
        # A last batch of one sample has no statistics for batch normalisation, and is left out.
        samples = len(split) - (size > 1 and len(split) % size == 1)
        for start in range(0, samples, size):
            batch = self._batch(order[start : start + size], augmentation)
            held_out = None
            if held_out_order is not None:
                held_out = self._batch(held_out_order[start : start + size], held_out_augmentation)
            step = self._forward(batch, held_out)
            check_finite(self._named_values(step), f"{self.config.key}, seed {self.seed}", epoch, start // size)
            if step.penalty is not None and start == 0:
                row["gradient_ratio"] = self._measured_backward(step, weights)
            else:
                weights.append(self.method.backward(step))
            self.optimizer.step()
            losses.append(torch.stack([loss.detach() for loss in step.losses]))
            if step.penalty is not None:
                penalties.append(step.penalty.detach())
        row |= self.method.details()
        self.method.end_epoch()
        self.schedule.step()
        if penalties:
            row["penalty"] = torch.stack(penalties).mean().item()
        for name, values in (("train_loss", losses), ("weight", weights)):
            means = torch.stack(values).mean(dim=0).tolist()
            row |= {f"{name}/{task.name}": value for task, value in zip(self.tasks, means, strict=True)}
        return row

    def _order(self, purpose: Purpose, epoch: int) -> Tensor:
        return torch.randperm(len(self.splits["train"]), generator=self._generator(purpose, epoch))

    def _generator(self, purpose: Purpose, epoch: int) -> torch.Generator:
        return generator_for(self.config.experiment, self.seed, purpose, epoch)

    def _batch(self, rows: Tensor, generator: torch.Generator) -> Batch:
        batch = self.splits["train"].batch(rows)
        config = self.config.training.augmentation
        return batch if config is None else augment(batch, self.tasks, config, generator)

    def _forward(self, batch: Batch, held_out: Batch | None) -> Step:
        self.model.train()
        self.optimizer.zero_grad()
        return forward(self.model, self.tasks, self.regularizer, batch, held_out, self.optimizer)

    def _measured_backward(self, step: Step, weights: list[Tensor]) -> float:
        """Backward, and λ|g_R|/|g_task| on the encoder; costs one more encoder backward, hence once an epoch."""
        assert step.penalty is not None
        shared = self.model.shared_parameters()
        penalty = torch.autograd.grad(step.penalty, shared, retain_graph=True)
        weights.append(self.method.backward(step))
        task = [p.grad - g for p, g in zip(shared, penalty, strict=True) if p.grad is not None]
        return (_norm(penalty) / _norm(task).clamp_min(torch.finfo(torch.float32).tiny)).item()

    def _named_values(self, step: Step) -> dict[str, Tensor]:
        values = {f"loss of task '{task.name}'": loss for task, loss in zip(self.tasks, step.losses, strict=True)}
        return values if step.penalty is None else values | {"penalty of the regularizer": step.penalty}

    def _validate(self, epoch: int) -> dict[str, float]:
        scores = evaluate(self.model, self.tasks, self.splits["val"]).scores
        row = {f"val_{metric}/{task}": value for task, metrics in scores.items() for metric, value in metrics.items()}
        score = self._selection_score(scores)
        if score > self.progress.best_score:
            self.progress.best_epoch, self.progress.best_score = epoch + 1, score
            self.progress.best_model = {name: value.clone() for name, value in self.model.state_dict().items()}
        return row

    def _selection_score(self, scores: Scores) -> float:
        """Mean over tasks of the primary metric's relative improvement over the first epoch; higher is better."""
        first = self.progress.history[0] if self.progress.history else None
        signed = []
        for task in self.tasks:
            value = scores[task.name][task.primary_metric]
            reference = value if first is None else first[f"val_{task.primary_metric}/{task.name}"]
            assert reference is not None
            signed.append(relative_improvement(value, reference, task.higher_is_better))
        return sum(signed) / len(signed)

    def _keep_snapshot(self, epoch: int) -> None:
        if epoch in self.config.training.snapshot_epochs:
            for name, split in self.splits.items():
                z = evaluate(self.model, self.tasks, split).representation
                if z is not None:
                    self.progress.snapshots[f"{name}@{epoch}"] = z

    def _stateful(self) -> dict[str, Any]:
        parts = {"model": self.model, "method": self.method, "optimizer": self.optimizer, "schedule": self.schedule}
        return parts | ({} if self.regularizer is None else {"regularizer": self.regularizer})

    def _save(self) -> None:
        state = {name: part.state_dict() for name, part in self._stateful().items()}
        state["random"] = torch.get_rng_state()
        if self.device.type == "cuda":
            state["cuda_random"] = torch.cuda.get_rng_state(self.device)
        save_checkpoint(self.checkpoint, self.identity, {**state, "progress": vars(self.progress)})

    def _restore(self) -> None:
        state = load_checkpoint(self.checkpoint, self.identity, self.device)
        for name, part in self._stateful().items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["random"].cpu())
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda_random"].cpu(), self.device)
        self.progress = Progress(**state["progress"])


def _norm(tensors: Any) -> Tensor:
    return torch.stack([tensor.square().sum() for tensor in tensors]).sum().sqrt()
