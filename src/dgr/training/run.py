"""One run: one method, one regularizer, one seed, from the first epoch to the last or from where it was left."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from dgr.core.improvement import relative_improvement
from dgr.core.provenance import config_hash
from dgr.core.seeds import seed_for
from dgr.datasets.prepared import PreparedData
from dgr.models.model import MultiTaskModel
from dgr.training.build import build_parts
from dgr.training.checkpoint import load_checkpoint, save_checkpoint
from dgr.training.configuration import RunConfig
from dgr.training.divergence import check_validation
from dgr.training.epoch import Epoch
from dgr.training.evaluation import Scores, evaluate

CHECKPOINT_SECONDS = 5.0
"""How old the resume checkpoint may get before the next epoch renews it: a kill costs that and one epoch.

Writing one takes as long as a tenth of an epoch of the smallest models.
"""


@dataclass
class Progress:
    """What has happened so far; saved with every checkpoint."""

    history: list[dict[str, float | None]] = field(default_factory=list)
    epoch_seconds: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best_score: float = float("-inf")
    best_model: dict[str, Tensor] = field(default_factory=dict)
    snapshots: dict[str, Tensor] = field(default_factory=dict)


class Run:
    """One run, resumable from its first epoch on.

    Args:
        config: the run's configuration, with numbers for what tuning chooses.
        seed: which of its seeds.
        data: the prepared data set.
        device: where to train.
        checkpoint: where the resume checkpoint is kept while the run is unfinished.

    Raises:
        DGRError: the strength is left to tuning, a method's option is wrong, a file of weights is missing.
    """

    def __init__(
        self, config: RunConfig, seed: int, data: PreparedData, device: torch.device, checkpoint: Path
    ) -> None:
        self.config = config
        self.seed = seed
        self.tasks = data.tasks
        self.device = device
        self.checkpoint = checkpoint
        self.splits = {name: split.to(device) for name, split in data.splits.items()}
        self.trained_on = self.splits["train"].first(config.regularizer.training_share)
        image_shape = self.splits["train"].images.shape[1:]
        self.parts = build_parts(config, self.tasks, image_shape, seed).to(device)
        self.progress = Progress()
        self._saved_at = -math.inf
        settings = config.model_dump(mode="json", exclude={"seeds"})
        self.identity = config_hash({"config": settings, "seed": seed})

    @property
    def model(self) -> MultiTaskModel:
        """The model that is trained."""
        return self.parts.model

    def train(self) -> None:
        """Train to the last epoch, from the resume checkpoint if there is one.

        Raises:
            DGRError: a loss or a metric of validation is not finite; the last checkpoint stays.
        """
        torch.manual_seed(seed_for(self.config.experiment, self.seed, "balancer"))
        split = self.trained_on
        if self.checkpoint.exists():
            self._restore()
        else:
            self.parts.method.begin(self.tasks, split.batches(self.config.training.batch_size))
            self._keep_snapshot(0)
        epochs = range(len(self.progress.history), self.config.training.epochs)
        for epoch in tqdm(epochs, desc=f"{self.config.key} seed {self.seed}", unit="epoch", leave=False, disable=None):
            start = time.perf_counter()
            row = Epoch(self.config, self.seed, self.parts, self.tasks, split, epoch).train()
            row |= self._validate(epoch)
            self.progress.history.append(row)
            self.progress.epoch_seconds.append(time.perf_counter() - start)
            self._keep_snapshot(epoch + 1)
            if time.monotonic() - self._saved_at >= CHECKPOINT_SECONDS:
                self._save()
                self._saved_at = time.monotonic()

    def _validate(self, epoch: int) -> dict[str, float]:
        evaluation = evaluate(self.model, self.tasks, self.splits["val"])
        scores = evaluation.scores
        row = {f"val_{metric}/{task}": value for task, metrics in scores.items() for metric, value in metrics.items()}
        check_validation(row | {"val_mean_norm": evaluation.mean_norm}, f"{self.config.key}, seed {self.seed}", epoch)
        score = self._selection_score(scores)
        if score > self.progress.best_score:
            self.progress.best_epoch, self.progress.best_score = epoch + 1, score
            self.progress.best_model = {name: value.clone() for name, value in self.model.state_dict().items()}
        return row

    def _selection_score(self, scores: Scores) -> float:
        """Mean over tasks of the primary metric's improvement over the first epoch, in percent; higher is better.

        It is relative to the first epoch's value, and where that is exactly 0 (no right answer, or no error yet) the
        difference itself: the order of epochs is all that is asked for, and no training stops for it.
        """
        first = self.progress.history[0] if self.progress.history else None
        signed = []
        for task in self.tasks:
            value = scores[task.name][task.primary_metric]
            reference = value if first is None else first[f"val_{task.primary_metric}/{task.name}"]
            assert reference is not None
            if reference == 0:
                signed.append(100 * value if task.higher_is_better else -100 * value)
            else:
                signed.append(relative_improvement(value, reference, task.higher_is_better))
        return sum(signed) / len(signed)

    def _keep_snapshot(self, epoch: int) -> None:
        if epoch in self.config.training.snapshot_epochs:
            for name, split in self.splits.items():
                z = evaluate(self.model, self.tasks, split).representation
                if z is not None:
                    self.progress.snapshots[f"{name}@{epoch}"] = z

    def _save(self) -> None:
        state = {name: part.state_dict() for name, part in self.parts.stateful().items()}
        state["random"] = torch.get_rng_state()
        if self.device.type == "cuda":
            state["cuda_random"] = torch.cuda.get_rng_state(self.device)
        save_checkpoint(self.checkpoint, self.identity, {**state, "progress": vars(self.progress)})

    def _restore(self) -> None:
        state = load_checkpoint(self.checkpoint, self.identity, self.device)
        for name, part in self.parts.stateful().items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["random"].cpu())
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda_random"].cpu(), self.device)
        self.progress = Progress(**state["progress"])
