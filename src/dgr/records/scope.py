"""What one table or figure is about: the complete records of one data set and architecture of a suite."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from dgr.config.plan_file import tunings
from dgr.core.errors import DGRError
from dgr.records import outcomes
from dgr.records.current import check_current
from dgr.records.names import KNOWN_REGULARIZERS, encoder_label, metric_named
from dgr.records.outcomes import RUN
from dgr.records.records import Records, configured_measurements, configured_runs
from dgr.records.rows import FINAL, REPRESENTATION, Moment

CELL = RUN[:2]
"""Method and regularizer."""


@dataclass(frozen=True)
class Scope:
    """Input of every table and figure.

    Attributes:
        suite, name: e.g. ``mini``, ``T1``.
        dataset, architecture: what the records are narrowed to; empty where a suite of specifications is not narrowed.
        runs: the plan's entries in scope, by key; they fix order and completeness.
        tuning: the plan's tuning entries in scope, by key: rule, grids, seeds.
        records: the frames, narrowed where they name data set and architecture; probes without a run are kept.
        probes, baselines, sweeps, costs: the plan's entries of these measurements in scope, by key.
        specifications: the options of each specification, by the key of its sweep.
        remark: what a reader must know of the data; empty where nothing is configured.
    """

    suite: str
    name: str
    dataset: str
    architecture: str
    runs: dict[str, Any]
    tuning: dict[str, Any]
    records: Records
    probes: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, Any] = field(default_factory=dict)
    sweeps: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, Any] = field(default_factory=dict)
    specifications: dict[str, Any] = field(default_factory=dict)
    remark: str = ""

    @property
    def encoder(self) -> str:
        """The architecture as readers see it."""
        return encoder_label(self.architecture)

    def cells(self) -> list[tuple[str, str]]:
        """(method, regularizer) in display order: configured order of methods, plain first, then the regularizers."""
        pairs = list(self._keys())
        methods = list(dict.fromkeys(method for method, _ in pairs))
        regularizers = sorted({regularizer for _, regularizer in pairs}, key=KNOWN_REGULARIZERS.in_order().index)
        return [pair for method in methods for pair in ((method, name) for name in regularizers) if pair in pairs]

    def run_key(self, method: str, regularizer: str) -> str:
        """The key of the configured run of a cell."""
        return self._keys()[method, regularizer]

    def primary_metrics(self) -> dict[str, str]:
        """The primary metric of each task, by task, in recorded order."""
        return outcomes.primary_metrics(self.records.runs)

    def secondary_metrics(self) -> list[tuple[str, str]]:
        """(task, metric) of all that is recorded beside the tasks' losses and primary metrics.

        Raises:
            DGRError: a metric that has no label.
        """
        primary = self.primary_metrics()
        recorded = self.records.runs[["task", "metric"]].drop_duplicates().itertuples(index=False, name=None)
        pairs = [(t, m) for t, m in recorded if t in primary and m not in ("loss", primary[t])]
        for _, metric in pairs:
            metric_named(metric)
        return pairs

    def values(self, split: str, metrics: dict[str, str], moment: Moment = FINAL) -> pd.DataFrame:
        """:func:`dgr.records.outcomes.metric_values`, complete, with columns in the order of the metrics.

        Raises:
            DGRError: a value is missing: nothing is averaged over fewer seeds than configured.
        """
        table = outcomes.metric_values(self.records.runs, metrics, split, moment).reindex(columns=list(metrics))
        self._check_holes(table, self.runs, f"on '{split}'")
        return table

    def delta_m(self, moment: Moment = FINAL) -> pd.Series:
        """:func:`dgr.records.outcomes.delta_m_per_run`, complete.

        Raises:
            DGRError: a value is missing, or single-task learning was not run.
        """
        self.values("test", self.primary_metrics(), moment)
        return outcomes.delta_m_per_run(self.records.runs, moment)

    def last_universality(self, column: str) -> pd.DataFrame:
        """:func:`dgr.records.outcomes.last_universality`, complete; empty where the plan has no probes.

        Raises:
            DGRError: a value is missing.
        """
        table = outcomes.last_universality(self.records.universality, column)
        self._check_holes(table, self.probes, f"in '{column}'")
        return table

    def probe_accuracies(self, given: str) -> pd.DataFrame:
        """:func:`dgr.records.outcomes.probe_accuracies`, complete for the runs that have such probes.

        Raises:
            DGRError: a value is missing.
        """
        table = outcomes.probe_accuracies(self.records.probes, given)
        found = {(method, regularizer) for method, regularizer, _ in table.index}
        entries = {
            key: entry
            for key, entry in self.probes.items()
            if given == REPRESENTATION or _cell(self.runs[key]) in found
        }
        self._check_holes(table, entries, f"in probes of '{given}'")
        return table

    def _keys(self) -> dict[tuple[str, str], str]:
        return {_cell(entry): key for key, entry in self.runs.items()}

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

    A plan entry may name ``dataset`` and ``architecture``; it must, where the suite has several. A suite of
    specifications is about all of its data sets and architectures together, and stays whole.

    Raises:
        DGRError: the plan has no such table or figure, it is ambiguous, or records and plan differ.
    """
    found = [entry for entry in plan[kind].values() if entry["suite"] == suite and entry["name"] == name]
    if not found:
        known = [entry["name"] for entry in plan[kind].values() if entry["suite"] == suite]
        raise DGRError(f"Suite '{suite}' has no {kind[:-1]} {name}; configured: {', '.join(known) or 'none'}.")
    entries = configured_runs(plan, suite)
    probes, baselines, sweeps, costs = (
        configured_measurements(plan, stage, suite) for stage in ("probes", "baselines", "sweeps", "costs")
    )
    check_current(entries, probes, records, suite)
    if specified := configured_measurements(plan, "specifications", suite):
        return Scope(suite, name, "", "", {}, {}, records, sweeps=sweeps, specifications=specified)
    pairs = {_place(entry) for entry in (entries or costs).values()}
    wanted = (found[0].get("dataset"), found[0].get("architecture"))
    matching = sorted(pair for pair in pairs if all(w in (None, p) for w, p in zip(wanted, pair, strict=True)))
    if len(matching) != 1:
        raise DGRError(
            f"{name} must be about one data set and architecture, but suite '{suite}' offers "
            f"{len(matching)} ({', '.join(' with '.join(pair) for pair in matching)}); name one in its entry."
        )
    place = dataset, architecture = matching[0]
    runs = {key: entry for key, entry in entries.items() if _place(entry) == place}
    narrowed = replace(
        records,
        **{
            frame: _of(getattr(records, frame), dataset, architecture)
            for frame in ("runs", "histories", "provenance", "answers", "probes", "universality", "costs")
        },
        tuning=records.tuning[records.tuning["key"].isin(runs)],
        sources=records.sources[records.sources["dataset"] == dataset],
    )
    return Scope(
        suite,
        name,
        dataset,
        architecture,
        runs,
        {key: entry for key, entry in tunings(plan).items() if key in runs},
        narrowed,
        probes={key: entry for key, entry in probes.items() if key in runs},
        baselines={key: entry for key, entry in baselines.items() if entry["dataset"] == dataset},
        sweeps={key: entry for key, entry in sweeps.items() if _place(entry["run"]) == place},
        costs={key: entry for key, entry in costs.items() if _place(entry) == place},
        remark=found[0].get("remark", ""),
    )


def _of(frame: pd.DataFrame, dataset: str, architecture: str) -> pd.DataFrame:
    any_architecture = frame["architecture"].isna()
    return frame[(frame["dataset"] == dataset) & (any_architecture | (frame["architecture"] == architecture))]


def _cell(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["method"]["name"], entry["regularizer"]["name"]


def _place(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["dataset"], entry["architecture"]["name"]
