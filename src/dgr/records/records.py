"""The records of a suite: small CSV files, committed, from which every table and figure is made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from dgr.core import paths
from dgr.core.errors import DGRError, nearest
from dgr.records import rows as record_rows
from dgr.records.answers import ANSWER_COLUMNS, SOURCE_COLUMNS
from dgr.records.csv_files import read_frame
from dgr.records.run_folders import IDENTITY

RECORD_COLUMNS = {
    "runs": record_rows.RUN_COLUMNS,
    "histories": [*IDENTITY, "epoch"],
    "tuning": record_rows.TUNING_COLUMNS,
    "provenance": ["key", *IDENTITY, "learning_rate", "strength", "config_hash", "result"],
    "answers": ANSWER_COLUMNS,
    "sources": SOURCE_COLUMNS,
    "probes": record_rows.PROBE_COLUMNS,
    "universality": record_rows.UNIVERSALITY_COLUMNS,
    "sweeps": record_rows.SWEEP_COLUMNS,
    "agreement": record_rows.AGREEMENT_COLUMNS,
    "costs": record_rows.COST_COLUMNS,
}
"""What each file has at least; histories and provenance have more."""


STUDY_SECTIONS = ("studies", "real_studies")
"""Where a plan has its studies: of data that are made, and of data that are fetched."""


@dataclass(frozen=True)
class Records:
    """The frames of ``results/SUITE/records``; nothing in them is averaged.

    Attributes:
        runs: ``suite, dataset, architecture, method, regularizer, seed, task, split, metric, primary, moment, value``.
            ``moment`` is ``final``, after the last epoch; a task's primary metric (``primary`` is true) also stands
            there at the epoch of the best validation mean, ``best_validation``. The mean norm of the representation
            has the task ``representation`` and the metric ``mean_norm``.
        histories: the same identity, then one row an epoch, as in ``history.csv`` (without times).
        tuning: ``suite, key, method, regularizer, learning_rate, strength, seed, task, split, metric, value, chosen``.
        provenance: one row a run and seed; ``strength`` is the regularizer's, empty without one.
        answers: which test samples a run answered rightly, one row a seed and task, see :mod:`dgr.records.answers`.
        sources: what the test samples of a seed were composed of, one row a data set and seed.
        probes: ``suite, dataset, architecture, method, regularizer, seed, given, task, classifier, value``: test
            accuracy of classifiers on the frozen representation, or before training (given ``untrained``). Without a
            run (given ``majority``, ``pixels``) architecture, method, regularizer and seed are empty.
        universality: the same identity, then ``epoch, task`` and what :mod:`dgr.measurements.universality` measures.
        sweeps: ``suite, sweep, settings, seed, split, task, metric, value`` of the last epoch; settings are JSON.
        agreement: ``suite, sweep, settings, seed, epoch, cosine, norm_ratio`` of DGR's two estimators.
        costs: ``suite, dataset, architecture, device, threads, method, regularizer, num_dummies, round,
            seconds_per_step, peak_memory_mb``; one row a round, in which cases took turns (see
            :mod:`dgr.records.step_costs`).
    """

    runs: pd.DataFrame
    histories: pd.DataFrame
    tuning: pd.DataFrame
    provenance: pd.DataFrame
    answers: pd.DataFrame
    sources: pd.DataFrame
    probes: pd.DataFrame
    universality: pd.DataFrame
    sweeps: pd.DataFrame
    agreement: pd.DataFrame
    costs: pd.DataFrame


def configured_runs(plan: dict[str, Any], suite: str) -> dict[str, Any]:
    """The suite's runs, fixed and tuned, by key, in the order of the configuration.

    There are none where the suite has sweeps or costs alone.

    Raises:
        DGRError: the plan has neither a run nor a sweep nor a cost measurement of this suite.
    """
    runs = _of_suite(plan["runs"] | plan["tuned_runs"], suite)
    if not runs and not any(configured_measurements(plan, stage, suite) for stage in ("sweeps", "costs")):
        raise DGRError(f"Suite '{suite}' has no runs in {paths.PLAN}{nearest(suite, plan['suites'])}.")
    return runs


def configured_measurements(plan: dict[str, Any], stage: str, suite: str) -> dict[str, Any]:
    """The suite's entries of another stage of the plan, by key; none where the plan has no such stage.

    Probes of a run that is not configured are left out.
    """
    entries = _of_suite(plan.get(stage, {}), suite)
    if stage == "probes":
        return {key: entry for key, entry in entries.items() if key in configured_runs(plan, suite)}
    return entries


def _of_suite(entries: dict[str, Any], suite: str) -> dict[str, Any]:
    try:
        return {key: entry for key, entry in entries.items() if entry["suite"] == suite}
    except (KeyError, TypeError) as error:
        raise DGRError(f"{paths.PLAN} has an entry of no suite, so it is damaged; run `python -m dgr plan`.") from error


def configured_studies(plan: dict[str, Any], suite: str) -> dict[str, Any]:
    """The suite's studies by key, those of fetched data too."""
    return {
        key: entry for section in STUDY_SECTIONS for key, entry in configured_measurements(plan, section, suite).items()
    }


def study_command(plan: dict[str, Any], key: str) -> str:
    """The command, behind ``dgr``, that runs a study."""
    return f"{'real-study' if key in plan.get('real_studies', {}) else 'study'} {key}"


def load_records(folder: Path) -> Records:
    """Read the records of a suite.

    Args:
        folder: ``results/SUITE/records``.

    Raises:
        DGRError: a file is missing, not readable, or lacks columns.
    """
    remedy = f"make it with `python -m dgr collect {folder.parent.name}`"
    frames = {}
    for field in fields(Records):
        path = folder / f"{field.name}.csv"
        # Only an empty cell is missing: names such as 'none' or 'null' stay what they are.
        whole = {"seed": "Int64"} if field.name == "probes" else None  # empty for baselines
        frame = read_frame(path, remedy, keep_default_na=False, na_values=[""], dtype=whole)
        if missing := set(RECORD_COLUMNS[field.name]) - set(frame):
            raise DGRError(f"{path} lacks the columns {', '.join(sorted(missing))}; {remedy}.")
        frames[field.name] = frame
    return Records(**frames)
