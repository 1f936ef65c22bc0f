"""The sweep stage: one run trained at every combination of its varied settings."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry, read_plan
from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.files import read_json, write_json
from dgr.core.origin import hardware
from dgr.core.paths import DATA, output_path
from dgr.core.provenance import config_hash
from dgr.datasets.prepared import PreparedData, load
from dgr.regularizers.dgr import Config as DGRConfig
from dgr.training.build import build_penalty
from dgr.training.configuration import RunConfig, SweepConfig
from dgr.training.divergence import DivergedError
from dgr.training.evaluation import evaluate, represent
from dgr.training.memory import needed_bytes
from dgr.training.run import Run
from dgr.training.workspace import open_workspace

_Row = dict[str, Any]
RECORDED = ("val", "test")
DIVERGED_ROW: _Row = {"split": "test", "task": "representation", "metric": "diverged", "value": 1.0}
"""All that is recorded of a training that diverged."""


def sweep(key: str, device: str) -> None:
    """Train every point of a sweep for every seed and write the record; a killed call goes on where it was.

    Where the estimator is a finite difference, it also records along training how far that gradient agrees with the
    exact one, see :func:`agreement`.

    In a specification a point that diverges is an outcome like others: it has the one row :data:`DIVERGED_ROW`.

    Args:
        key: a key of the plan's sweeps.
        device: as for :func:`dgr.training.stages.train`.

    Raises:
        DGRError: unknown key, missing data, or a point that diverges, apart from specifications; says which.
    """
    config = parse(SweepConfig, plan_entry(key, ("sweeps",)), key)
    is_specification = key in read_plan()["specifications"]
    seeds = config.run.seeds
    data = {seed: load(config.run.dataset, DATA, seed) for seed in seeds}
    place = choose_device(device, lambda: max(needed_bytes(point, data[seeds[0]]) for _, point in config.points()))
    workspace = open_workspace(config.run, {"sweep": config.name, "device": hardware(place)})
    record: dict[str, Any] = {"key": key, "name": config.name, "rows": [], "agreement": []}
    for (settings, point), seed in itertools.product(config.points(), config.run.seeds):
        done = workspace / f"{config_hash(settings)[:16]}-{seed}.json"
        if not done.exists():
            try:
                result = _train(point, seed, data[seed], place, done.with_suffix(".pt"))
            except DGRError as error:
                if not (is_specification and isinstance(error, DivergedError)):
                    raise DGRError(f"Sweep '{config.name}' at {settings}: {error}") from error
                result = {"rows": [DIVERGED_ROW], "agreement": []}
            write_json(done, result)
        finished = read_json(done, f"remove {workspace} and run again")
        for name in ("rows", "agreement"):
            record[name] += [{"settings": settings, "seed": seed, **row} for row in finished[name]]
    write_json(output_path(config.suite, "sweep", f"{key}.json"), record)
    shutil.rmtree(workspace)


def _train(
    config: RunConfig, seed: int, data: PreparedData, device: torch.device, checkpoint: Path
) -> dict[str, list[_Row]]:
    """One point and seed, trained and evaluated."""
    compared = isinstance(config.regularizer, DGRConfig) and config.regularizer.estimator == "finite_difference"
    run = (ComparedRun if compared else Run)(config, seed, data, device, checkpoint)
    run.train()
    return {"rows": _metrics(run), "agreement": run.agreements() if isinstance(run, ComparedRun) else []}


def _metrics(run: Run) -> list[_Row]:
    rows = []
    for split in RECORDED:
        evaluation = evaluate(run.model, run.tasks, run.splits[split])
        for task, values in evaluation.scores.items():
            rows += [{"split": split, "task": task, "metric": name, "value": v} for name, v in values.items()]
        rows.append({"split": split, "task": "representation", "metric": "mean_norm", "value": evaluation.mean_norm})
    return rows


class ComparedRun(Run):
    """A run that keeps one fixed batch's representation of every epoch, to compare both estimators on it.

    The penalty sees the encoder through z alone and its dummies follow from the seed, so that is enough.
    """

    @override
    def _keep_snapshot(self, epoch: int) -> None:
        self.progress.snapshots[str(epoch)] = represent(self.model, self.splits["train"].batch(self._rows())[0])

    def agreements(self) -> list[_Row]:
        """:func:`agreement` at every epoch, 0 being the untrained encoder; no row where a gradient vanishes."""
        targets = self.splits["train"].batch(self._rows())[1]
        rows = []
        for epoch, z in self.progress.snapshots.items():
            exact = self._gradient("exact", z, targets)
            difference = self._gradient("finite_difference", z, targets)
            if exact.norm() > 0 and difference.norm() > 0:
                rows.append({"epoch": int(epoch), **agreement(exact, difference)})
        return rows

    def _rows(self) -> Tensor:
        """The first batch of the training split."""
        return torch.arange(min(self.config.training.batch_size, len(self.splits["train"])))

    def _gradient(self, estimator: str, representation: Tensor, targets: dict[str, Tensor]) -> Tensor:
        """∂R/∂z of this run's dummies by either estimator."""
        settings = self.config.regularizer.model_copy(update={"estimator": estimator, "strength": 1.0})
        config = self.config.model_copy(update={"regularizer": settings})
        penalty = build_penalty(config, self.model, self.tasks, self.seed)
        assert penalty is not None
        z = representation.clone().requires_grad_()
        penalty.to(self.device)(z, [targets[task.name] for task in self.tasks]).backward()
        assert z.grad is not None
        return z.grad


def agreement(exact: Tensor, difference: Tensor) -> dict[str, float]:
    """How far two gradients of one shape agree.

    Args:
        exact: the gradient by double backward, not zero.
        difference: the gradient by finite differences, not zero.

    Returns:
        ``cosine``: 1 for the same direction; ``norm_ratio``: ‖difference‖/‖exact‖.
    """
    one, other = exact.double().flatten(), difference.double().flatten()
    norms = one.norm(), other.norm()
    return {"cosine": (one @ other / (norms[0] * norms[1])).item(), "norm_ratio": (norms[1] / norms[0]).item()}
