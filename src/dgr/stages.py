"""The two training stages: choose a regularizer's strength, and train one method for its list of seeds."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch

from dgr.config import NoRegularizer, RunConfig, TuningConfig, nearest, parse, read_yaml
from dgr.datasets.prepared import PreparedData, load
from dgr.errors import DGRError
from dgr.evaluation import Scores, evaluate, represent
from dgr.files import MANIFEST, cannot_write, read_json, sha256, write_json, write_manifest
from dgr.improvement import mean_relative_improvement
from dgr.paths import DATA, PLAN, RUNS, TUNING, UNFINISHED
from dgr.provenance import config_hash
from dgr.records import write_records
from dgr.training import Run


def train(key: str, device: str) -> None:
    """Train every seed of a run and write ``runs/KEY``; a killed call goes on where it was.

    Args:
        key: a run id of the plan.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises:
        DGRError: unknown key, missing data or tuning, non-finite loss, unwritable folder.
    """
    config = parse(RunConfig, _entry(key, ("runs", "tuned_runs")), key)
    strength = _strength(config)
    place = _set_up(device)
    data = load(config.dataset, DATA)
    workspace = _workspace(config, {"strength": strength})
    try:
        for seed in config.seeds:
            _train_seed(config, seed, strength, data, place, workspace)
        result = workspace / "result"
        for leftover in set(result.iterdir()) - {result / f"seed-{seed}" for seed in config.seeds}:
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        write_manifest(result, key=key, seeds=config.seeds)
        RUNS.mkdir(exist_ok=True)
        shutil.rmtree(RUNS / key, ignore_errors=True)
        result.replace(RUNS / key)
        shutil.rmtree(workspace)
    except OSError as error:
        raise cannot_write(RUNS / key, error) from error


def tune(key: str, device: str) -> None:
    """Train the grid of strengths and write ``tuning/KEY.json`` with every value and the choice.

    Args:
        key: a run id of the plan's tuning stages.
        device: as for :func:`train`.

    Raises:
        DGRError: as :func:`train`.
    """
    config = parse(TuningConfig, _entry(key, ("tuning",)), key)
    place = _set_up(device)
    data = load(config.run.dataset, DATA)
    workspace = _workspace(config.run, {"tuning": True})
    rows = []
    for strength in config.grid:
        for seed in config.seeds:
            done = workspace / f"{strength}-{seed}.json"
            if not done.exists():
                run = Run(config.run, seed, strength, data, place, workspace / f"{strength}-{seed}.pt")
                run.train()
                write_json(done, {"strength": strength, "seed": seed, "val": _validation(run)})
            rows.append(read_json(done, f"remove {workspace} and run again"))
    directions = {task.name: task.higher_is_better for task in data.tasks}
    scores = _scores(rows, config.grid, {task.name: task.primary_metric for task in data.tasks}, directions)
    record = {"key": key, "rule": config.rule, "grid": rows, "scores": scores}
    write_json(TUNING / f"{key}.json", {**record, "chosen": best_strength(scores, config.grid)})
    shutil.rmtree(workspace)


def _train_seed(
    config: RunConfig, seed: int, strength: float | None, data: PreparedData, device: torch.device, workspace: Path
) -> None:
    finished = workspace / "result" / f"seed-{seed}"
    checkpoint = workspace / f"seed-{seed}.pt"
    if finished.exists():
        return
    run = Run(config, seed, strength, data, device, checkpoint)
    run.train()
    with tempfile.TemporaryDirectory(dir=workspace) as temporary:
        records = Path(temporary) / finished.name
        records.mkdir()
        write_records(run, strength, records)
        finished.parent.mkdir(exist_ok=True)
        records.replace(finished)
    checkpoint.unlink()


def _validation(run: Run) -> Scores:
    split = run.splits["val"]
    return evaluate(run.model, run.tasks, represent(run.model, split), split.targets)


def _scores(
    rows: list[dict[str, Any]], grid: list[float], metrics: dict[str, str], directions: dict[str, bool]
) -> dict[str, float]:
    """Mean over tasks of the relative improvement over the smallest strength, from means over seeds."""

    def means(strength: float) -> dict[str, float]:
        chosen = [row["val"] for row in rows if row["strength"] == strength]
        return {task: sum(val[task][metric] for val in chosen) / len(chosen) for task, metric in metrics.items()}

    reference = means(min(grid))
    return {str(strength): mean_relative_improvement(means(strength), reference, directions) for strength in grid}


def best_strength(scores: dict[str, float], grid: list[float]) -> float:
    """The strength of the highest score; the smaller one on a tie."""
    return max(sorted(grid), key=lambda strength: scores[str(strength)])


def _entry(key: str, stages: tuple[str, ...]) -> Any:
    plan = read_yaml(PLAN)
    known = {name: entry for stage in stages for name, entry in plan[stage].items()}
    if key not in known:
        raise DGRError(f"{PLAN} has no entry '{key}' under {' or '.join(stages)}{nearest(key, known)}.")
    return known[key]


def _strength(config: RunConfig) -> float | None:
    if isinstance(config.regularizer, NoRegularizer):
        return None
    if config.regularizer.strength != "tuned":
        return config.regularizer.strength
    chosen: float = read_json(TUNING / f"{config.key}.json", f"run `python -m dgr tune {config.key}`")["chosen"]
    return chosen


def _set_up(device: str) -> torch.device:
    """Choose the device and make everything on it deterministic."""
    if device not in ("auto", "cpu", "cuda"):
        raise DGRError(f"Unknown device '{device}'{nearest(device, ('auto', 'cpu', 'cuda'))}.")
    if device == "cuda" and not torch.cuda.is_available():
        raise DGRError("Device 'cuda' was asked for, but torch finds no GPU; use --device cpu or auto.")
    # cuBLAS needs this to be deterministic, and reads it when it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Sums come out differently with another number of threads; parallelism comes from the engine.
    torch.set_num_threads(1)
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def _workspace(config: RunConfig, extra: dict[str, Any]) -> Path:
    """Where unfinished work is kept: found again only with the same settings, data and code."""
    settings = config.model_dump(mode="json", exclude={"seeds"})
    data = sha256(DATA / config.dataset / MANIFEST)
    name = config_hash({"config": settings, "data": data, "code": _code_hash(), **extra})
    folder = UNFINISHED / f"{config.key}-{name[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def _code_hash() -> str:
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
