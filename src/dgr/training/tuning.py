"""The stage that chooses a run's learning rate and strength on validation data, with seeds that are not reported."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, FiniteFloat, PositiveFloat

from dgr.config.parsing import Strict, parse
from dgr.config.plan_file import plan_entry
from dgr.config.regularizers import Strength
from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.files import read_json, write_json
from dgr.core.origin import hardware
from dgr.core.paths import DATA, tuning_file
from dgr.core.provenance import config_hash
from dgr.datasets.prepared import load
from dgr.training.choice import Setting, Tried, Validated, choose_best, choose_matched
from dgr.training.configuration import RunConfig, TuningConfig
from dgr.training.divergence import DivergedError
from dgr.training.evaluation import evaluate
from dgr.training.memory import needed_bytes
from dgr.training.run import Run
from dgr.training.workspace import open_workspace

_SECTIONS = ("tuning", "matching")


class _Chosen(Strict):
    learning_rate: PositiveFloat
    strength: Strength | None


class _Tried(BaseModel):
    learning_rate: FiniteFloat
    strength: FiniteFloat | None
    mean_norm: FiniteFloat | None


class _Record(BaseModel):
    """What is read of a tuning record."""

    key: str | None = None
    chosen: _Chosen
    rows: list[_Tried] = []


def tune(key: str, device: str) -> None:
    """Choose by the rule of the plan, and write every outcome and the choice: ``results/SUITE/tuning/KEY.json``.

    A killed call goes on where it was.

    Args:
        key: a run id of the plan's tuning stages.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises:
        DGRError: unknown key, missing data, every setting diverged, or what is matched is not tuned yet.
    """
    config = parse(TuningConfig, plan_entry(key, _SECTIONS), key)
    data = load(config.run.dataset, DATA, config.seeds[0])
    place = choose_device(device, lambda: needed_bytes(config.run.with_any_setting(), data))
    workspace = open_workspace(config.run, {"tuning": config.matched, "device": hardware(place)})

    def outcome(setting: Setting, seed: int) -> Validated:
        done = workspace / f"{config_hash(setting)[:16]}-{seed}.json"
        if not done.exists():
            run = Run(
                config.run.resolved(*setting),
                seed,
                load(config.run.dataset, DATA, seed),
                place,
                done.with_suffix(".pt"),
            )
            write_json(done, _outcome(run))
        known: Validated = read_json(done, f"remove {workspace} and run again")
        return known

    tried, facts = Tried(outcome), {}
    if config.matched is None:
        metrics = {task.name: task.primary_metric for task in data.tasks}
        directions = {task.name: task.higher_is_better for task in data.tasks}
        chosen = choose_best(config, tried, metrics, directions)
    else:
        rate, norm = matched_norm(config)
        chosen, expected = choose_matched(config, tried, rate, norm)
        facts = {"matched": {"key": config.matched, "norm": norm, "expected_norm": expected}}
    rows = [{**setting._asdict(), "seed": seed, **row} for (setting, seed), row in tried.rows.items()]
    record = {"key": key, "rule": config.rule, "rows": rows, "chosen": chosen._asdict(), **facts}
    write_json(tuning_file(config.run.suite, key), record)
    shutil.rmtree(workspace)


def chosen_setting(config: RunConfig) -> RunConfig:
    """The run with what its tuning chose, where something was left to that.

    Raises:
        DGRError: it is not tuned yet.
    """
    if not config.is_tuned:
        return config
    return config.resolved(**_record(config.suite, config.key)["chosen"])


def matched_norm(config: TuningConfig) -> tuple[float, float]:
    """Learning rate and mean ‖z‖ of what a rule ``matched_norm`` matches, as its own tuning chose and found them.

    Raises:
        DGRError: it is not tuned yet, or its representation is zero.
    """
    assert config.matched is not None
    record = _record(config.run.suite, config.matched)
    chosen = record["chosen"]
    own = [row["mean_norm"] for row in record.get("rows", []) if all(row[name] == chosen[name] for name in chosen)]
    if not own or None in own:
        place = tuning_file(config.run.suite, config.matched)
        raise DGRError(f"{place} does not say how large ‖z‖ was; run `python -m dgr tune {config.matched}`.")
    norm = sum(own) / len(own)
    if norm <= 0:
        raise DGRError(f"{config.matched} chose a representation of norm 0, which nothing can be matched to.")
    return chosen["learning_rate"], norm


def _record(suite: str, key: str) -> dict[str, Any]:
    path, remedy = tuning_file(suite, key), f"run `python -m dgr tune {key}`"
    record: dict[str, Any] = read_json(path, remedy)
    try:
        found = parse(_Record, record, str(path))
    except DGRError as error:
        raise DGRError(f"{str(error).rstrip('.')}; {remedy}.") from error
    if found.key not in (None, key):
        raise DGRError(f"{path} is not the tuning of {key}; {remedy}.")
    return record


def _outcome(run: Run) -> Validated:
    """Scores after training; None where it diverged, which says as much about a setting as a bad score."""
    try:
        run.train()
    except DivergedError:
        return {"val": None, "mean_norm": None}
    evaluation = evaluate(run.model, run.tasks, run.splits["val"])
    Path(run.checkpoint).unlink(missing_ok=True)
    return {"val": evaluation.scores, "mean_norm": evaluation.mean_norm}
