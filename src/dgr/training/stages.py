"""The two training stages: choose a regularizer's strength, and train one method for its list of seeds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.files import cannot_write, read_json, write_json, write_manifest
from dgr.core.improvement import mean_relative_improvement
from dgr.core.origin import hardware
from dgr.core.paths import DATA, output_path
from dgr.datasets.prepared import PreparedData, load
from dgr.training.configuration import RunConfig, TuningConfig
from dgr.training.divergence import DivergedError
from dgr.training.evaluation import Scores, evaluate
from dgr.training.memory import needed_bytes
from dgr.training.run import Run
from dgr.training.run_records import write_records
from dgr.training.trained import has_trained, settle_trained, trained_hashes
from dgr.training.workspace import identity_of, is_finished, open_workspace, seal, write_origin


def train(key: str, device: str) -> None:
    """Train the seeds of a run that are not finished and write its folder; a killed call goes on where it was.

    Args:
        key: a run id of the plan.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises:
        DGRError: unknown key, missing data or tuning, non-finite loss, unwritable folder.
    """
    config = _resolved(parse(RunConfig, plan_entry(key, ("runs", "tuned_runs")), key))
    data = load(config.dataset, DATA)
    place = choose_device(device, lambda: needed_bytes(config, data))
    work = {"device": hardware(place)}
    workspace, identity = open_workspace(config, work), identity_of(config, work)
    target = output_path(config.suite, "train", key)
    try:
        result = workspace / "result"
        result.mkdir(exist_ok=True)
        finished = [
            seed
            for seed in config.seeds
            if is_finished(target / f"seed-{seed}", identity) and has_trained(config, seed, target / f"seed-{seed}")
        ]
        for seed in config.seeds:
            if seed not in finished:
                _train_seed(config, seed, data, place, workspace, identity)
        for seed in finished:
            if not (result / f"seed-{seed}").exists():
                (target / f"seed-{seed}").replace(result / f"seed-{seed}")
        for leftover in set(result.iterdir()) - {result / f"seed-{seed}" for seed in config.seeds}:
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        write_manifest(result, key=key, seeds=config.seeds)
        settle_trained(config)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        result.replace(target)
        shutil.rmtree(workspace)
    except OSError as error:
        raise cannot_write(target, error) from error


def tune(key: str, device: str) -> None:
    """Train the grid of strengths and write every value and the choice.

    Args:
        key: a run id of the plan's tuning stages.
        device: as for :func:`train`.

    Raises:
        DGRError: as :func:`train`.
    """
    config = parse(TuningConfig, plan_entry(key, ("tuning",)), key)
    data = load(config.run.dataset, DATA)
    place = choose_device(device, lambda: needed_bytes(config.run, data))
    workspace = open_workspace(config.run, {"tuning": True, "device": hardware(place)})
    rows = []
    for strength in config.grid:
        for seed in config.seeds:
            done = workspace / f"{strength}-{seed}.json"
            if not done.exists():
                checkpoint = workspace / f"{strength}-{seed}.pt"
                validation = _validation(Run(config.run.resolved(strength), seed, data, place, checkpoint))
                write_json(done, {"strength": strength, "seed": seed, "val": validation})
            rows.append(read_json(done, f"remove {workspace} and run again"))
    directions = {task.name: task.higher_is_better for task in data.tasks}
    scores = _scores(rows, config.grid, {task.name: task.primary_metric for task in data.tasks}, directions)
    chosen = best_strength(scores, config.grid)
    record = {"key": key, "rule": config.rule, "grid": rows, "scores": scores, "chosen": chosen}
    write_json(output_path(config.run.suite, "tune", f"{key}.json"), record)
    shutil.rmtree(workspace)


def _train_seed(
    config: RunConfig,
    seed: int,
    data: PreparedData,
    device: torch.device,
    workspace: Path,
    identity: str,
) -> None:
    finished = workspace / "result" / f"seed-{seed}"
    checkpoint = workspace / f"seed-{seed}.pt"
    if finished.exists() and has_trained(config, seed, finished):
        return
    shutil.rmtree(finished, ignore_errors=True)  # by a killed call, and its large files were replaced since
    run = Run(config, seed, data, device, checkpoint)
    run.train()
    with tempfile.TemporaryDirectory(dir=workspace) as temporary:
        records = Path(temporary) / finished.name
        records.mkdir()
        write_records(run, records)
        seal(records, identity, trained_hashes(config, seed))
        write_origin(run, records)
        records.replace(finished)
    checkpoint.unlink()


def _validation(run: Run) -> Scores | None:
    """Scores after training; None where it diverged, which says as much about a strength as a bad score."""
    try:
        run.train()
    except DivergedError:
        return None
    return evaluate(run.model, run.tasks, run.splits["val"]).scores


def _scores(
    rows: list[dict[str, Any]], grid: list[float], metrics: dict[str, str], directions: dict[str, bool]
) -> dict[str, float | None]:
    """Mean over tasks of the relative improvement over the smallest strength, from means over seeds.

    A strength with which a seed diverged has no score, and is not the smallest; nor is one with a metric of exactly 0,
    to which nothing is relative.

    Raises:
        DGRError: every strength diverged, or has a metric of 0.
    """
    vals = {strength: [row["val"] for row in rows if row["strength"] == strength] for strength in grid}
    means = {
        strength: {task: sum(val[task][metric] for val in chosen) / len(chosen) for task, metric in metrics.items()}
        for strength, chosen in vals.items()
        if None not in chosen
    }
    if not means:
        raise DGRError(f"Training diverged with every strength of the grid {grid}; lower the learning rate.")
    reference = next((means[strength] for strength in sorted(means) if all(means[strength].values())), None)
    if reference is None:
        task = next(task for task, value in means[min(means)].items() if value == 0)
        raise DGRError(
            f"Tuning compares strengths relative to the smallest, but the metric '{metrics[task]}' of task '{task}' "
            "is exactly 0 there; train for more epochs, or on more data. Trained strengths are kept."
        )
    return {
        str(strength): mean_relative_improvement(means[strength], reference, directions) if strength in means else None
        for strength in grid
    }


def best_strength(scores: Mapping[str, float | None], grid: list[float]) -> float:
    """The strength of the highest score; the smaller one on a tie; none that diverged."""
    found = {strength: score for strength in sorted(grid) if (score := scores[str(strength)]) is not None}
    return max(found, key=lambda strength: found[strength])


def _resolved(config: RunConfig) -> RunConfig:
    """The run with the strength that its tuning chose, where it was left to that."""
    if not config.is_tuned:
        return config
    path = output_path(config.suite, "tune", f"{config.key}.json")
    return config.resolved(read_json(path, f"run `python -m dgr tune {config.key}`")["chosen"])
