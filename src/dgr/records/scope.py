"""What one table or figure is about: the complete records of one data set and architecture of a suite."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from dgr.core.errors import DGRError
from dgr.records.names import METRICS, REGULARIZERS
from dgr.records.records import Records, configured_measurements, configured_runs
from dgr.records.rows import BEST_EPOCH, REPRESENTATION
from dgr.records.run_folders import IDENTITY, identity_of

CELL = ["method", "regularizer"]


@dataclass(frozen=True)
class Scope:
    """Input of every table and figure.

    Attributes:
        suite, name: e.g. ``mini``, ``T1``.
        dataset, architecture: what the records are narrowed to.
        runs: the plan's entries in scope, by key; they fix order and completeness.
        tuning: the plan's tuning entries in scope, by key: rule, grid, seeds.
        records: the frames, narrowed where they name data set and architecture; probes without a run are kept.
        probes: the plan's probing entries in scope, by key.
        sweeps: the plan's sensitivity studies in scope, by key.
    """

    suite: str
    name: str
    dataset: str
    architecture: str
    runs: dict[str, Any]
    tuning: dict[str, Any]
    records: Records
    probes: dict[str, Any] = field(default_factory=dict)
    sweeps: dict[str, Any] = field(default_factory=dict)

    def cells(self) -> list[tuple[str, str]]:
        """(method, regularizer) in display order: configured order of methods, plain first, then the regularizers."""
        pairs = [_cell(entry) for entry in self.runs.values()]
        methods = list(dict.fromkeys(method for method, _ in pairs))
        regularizers = sorted({regularizer for _, regularizer in pairs}, key=list(REGULARIZERS).index)
        return [pair for method in methods for pair in ((method, name) for name in regularizers) if pair in pairs]

    def primary_metrics(self) -> dict[str, str]:
        """The primary metric of each task, by task, in recorded order."""
        best = self.records.runs[self.records.runs["metric"].str.endswith(BEST_EPOCH)]
        pairs = best[["task", "metric"]].drop_duplicates().itertuples(index=False)
        return {task: metric.removesuffix(BEST_EPOCH) for task, metric in pairs}

    def secondary_metrics(self) -> dict[str, list[str]]:
        """The other metrics of each task that reports print, by task; none where a task has but one."""
        rows = self.records.runs[["task", "metric"]].drop_duplicates()
        return {
            task: [m for m in rows.loc[rows["task"] == task, "metric"] if m in METRICS and m != primary]
            for task, primary in self.primary_metrics().items()
        }

    def values(self, split: str, metrics: dict[str, str]) -> pd.DataFrame:
        """One metric a task, at one split.

        Args:
            split: train, val or test.
            metrics: metric by task, which become the columns.

        Returns:
            Rows indexed by (method, regularizer, seed).

        Raises:
            DGRError: a value is missing: nothing is averaged over fewer seeds than configured.
        """
        rows = self.records.runs[self.records.runs["split"] == split]
        wanted = rows[rows["metric"] == rows["task"].map(metrics)]
        table = wanted.pivot(index=[*CELL, "seed"], columns="task", values="value").reindex(columns=list(metrics))
        self._check_holes(table, self.runs, f"on '{split}'")
        return table

    def final_universality(self, quantity: str) -> pd.DataFrame:
        """A quantity of ``universality.csv`` at each run's last epoch.

        Returns:
            Rows indexed by (method, regularizer, seed), one column a task; empty where the plan has no probes.

        Raises:
            DGRError: a value is missing.
        """
        frame = self.records.universality
        last = frame[frame["epoch"] == frame.groupby([*CELL, "seed"])["epoch"].transform("max")]
        table = last.pivot(index=[*CELL, "seed"], columns="task", values=quantity)
        self._check_holes(table, self.probes, f"in '{quantity}'")
        return table

    def probe_accuracies(self, source: str) -> pd.DataFrame:
        """Test accuracy of classifiers on the representations of the runs.

        Args:
            source: ``representation``, or ``untrained`` for encoders as they were initialised.

        Returns:
            Rows indexed by (method, regularizer, seed), columns by (task, classifier).

        Raises:
            DGRError: a value is missing.
        """
        rows = self.records.probes[self.records.probes["source"] == source]
        table = rows.pivot(index=[*CELL, "seed"], columns=["task", "classifier"], values="value")
        cells = set(zip(rows["method"], rows["regularizer"], strict=True))
        entries = {
            key: entry
            for key, entry in self.probes.items()
            if source == REPRESENTATION or _cell(self.runs[key]) in cells
        }
        self._check_holes(table, entries, f"in probes of '{source}'")
        return table

    def _check_holes(self, table: pd.DataFrame, entries: dict[str, Any], where: str) -> None:
        """The table's rows are the configured runs and seeds of the entries' keys, and none lacks a value."""
        configured = {(*_cell(self.runs[key]), seed) for key, entry in entries.items() for seed in entry["seeds"]}
        holes = sorted(configured ^ set(table.index)) + list(table.index[table.isna().any(axis=1)])
        if holes:
            raise DGRError(
                f"{self.name} has {len(holes)} incomplete cells, the first for method, regularizer, seed = "
                f"{', '.join(map(str, holes[0]))} {where}; run `python -m dgr collect {self.suite}`."
            )


def open_scope(
    kind: Literal["tables", "figures"], suite: str, name: str, plan: dict[str, Any], records: Records
) -> Scope:
    """Narrow a suite's records to what a table or figure is about, after checking that they are the plan's.

    A plan entry may name ``dataset`` and ``architecture``; it must, where the suite has several.

    Raises:
        DGRError: the plan has no such table or figure, it is ambiguous, or records and plan differ.
    """
    found = [entry for entry in plan[kind].values() if entry["suite"] == suite and entry["name"] == name]
    if not found:
        known = [entry["name"] for entry in plan[kind].values() if entry["suite"] == suite]
        raise DGRError(f"Suite '{suite}' has no {kind[:-1]} {name}; configured: {', '.join(known) or 'none'}.")
    entries = configured_runs(plan, suite)
    probes = configured_measurements(plan, "probes", suite)
    _check_current(entries, probes, records, suite)
    pairs = {(entry["dataset"], entry["architecture"]["name"]) for entry in entries.values()}
    wanted = (found[0].get("dataset"), found[0].get("architecture"))
    matching = sorted(pair for pair in pairs if all(w in (None, p) for w, p in zip(wanted, pair, strict=True)))
    if len(matching) != 1:
        raise DGRError(
            f"{name} must be about one data set and architecture, but suite '{suite}' offers "
            f"{len(matching)} ({', '.join(' with '.join(pair) for pair in matching)}); name one in its entry."
        )
    dataset, architecture = matching[0]
    runs = {k: e for k, e in entries.items() if (e["dataset"], e["architecture"]["name"]) == matching[0]}
    narrowed = replace(
        records,
        **{
            frame: _of(getattr(records, frame), dataset, architecture)
            for frame in ("runs", "histories", "provenance", "probes", "universality", "costs")
        },
        tuning=records.tuning[records.tuning["key"].isin(runs)],
    )
    tuning = {key: plan["tuning"][key] for key in runs if key in plan["tuning"]}
    probes = {key: entry for key, entry in probes.items() if key in runs}
    sweeps = {
        key: entry
        for key, entry in configured_measurements(plan, "sweeps", suite).items()
        if (entry["run"]["dataset"], entry["run"]["architecture"]["name"]) == matching[0]
    }
    return Scope(suite, name, dataset, architecture, runs, tuning, narrowed, probes, sweeps)


def _of(frame: pd.DataFrame, dataset: str, architecture: str) -> pd.DataFrame:
    any_architecture = frame["architecture"].isna()
    return frame[(frame["dataset"] == dataset) & (any_architecture | (frame["architecture"] == architecture))]


def _cell(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["method"]["name"], entry["regularizer"]["name"]


def _check_current(entries: dict[str, Any], probes: dict[str, Any], records: Records, suite: str) -> None:
    """The same runs and seeds in the plan and in each file: neither a hole nor a run that was dropped."""

    def configured(keys: Iterable[str]) -> set[tuple[Any, ...]]:
        return {tuple(identity_of(entries[key], seed).values()) for key in keys for seed in entries[key]["seeds"]}

    everywhere = dict.fromkeys(("runs", "histories", "provenance"), configured(entries))
    for name, wanted in {**everywhere, **dict.fromkeys(("probes", "universality"), configured(probes))}.items():
        frame = getattr(records, name)
        found = set(frame.loc[frame["seed"].notna(), IDENTITY].itertuples(index=False, name=None))
        for problem, runs in (("lacks", wanted - found), ("still holds", found - wanted)):
            if runs:
                text = "; ".join(", ".join(map(str, run)) for run in sorted(runs)[:3])
                raise DGRError(
                    f"{name}.csv of suite '{suite}' {problem} {len(runs)} runs against the configuration ({text}"
                    f"{' …' if len(runs) > 3 else ''}); run `python -m dgr collect {suite}`."
                )
