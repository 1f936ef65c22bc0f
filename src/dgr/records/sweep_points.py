"""The points of a suite's sweeps: what was set, what came out, and the plain runs beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dgr.config.sweeps import combinations
from dgr.core.errors import DGRError
from dgr.records.names import SINGLE_TASK, Metric, metric_named
from dgr.records.rows import REPRESENTATION, settings_text
from dgr.records.scope import Scope
from dgr.regularizers.dgr import Config as DGRConfig

VALUE, NORM = "value", "representation_norm"
"""Columns of :attr:`Point.runs`: the metric averaged over tasks, and the mean norm of z."""


@dataclass(frozen=True)
class Point:
    """One combination of settings.

    Attributes:
        sweep: its name.
        settings: as they stand in the records.
        run: the whole configuration of the run, as in the plan.
        runs: one row a seed (the index), in recorded units, test split, last epoch: the metric of each task, their
            mean ``value``, and ``representation_norm``.
        agreement: rows of ``agreement.csv``; none without finite differences.
    """

    sweep: str
    settings: str
    run: dict[str, Any]
    runs: pd.DataFrame
    agreement: pd.DataFrame

    def get(self, name: str, default: Any = None) -> Any:
        """A field of the regularizer, or the default where its kind has no such field."""
        return self.run["regularizer"].get(name, default)

    @property
    def method(self) -> str:
        """Name of the method."""
        return str(self.run["method"]["name"])

    @property
    def activation(self) -> str:
        """Of the heads' hidden layer."""
        return str(self.run["architecture"].get("activation", "relu"))

    @property
    def normalized(self) -> bool:
        """Whether every representation has the same norm."""
        return self.regularizer in ("normalized", "normalized_dgr")

    @property
    def regularizer(self) -> str:
        """Name of the regularizer."""
        return str(self.run["regularizer"]["name"])

    @property
    def strength(self) -> float:
        """λ of DGR, or the strength of a control; NaN without a regularizer."""
        return float(self.get("strength", "nan"))

    def is_usual(self, *, apart_from: tuple[str, ...] = ()) -> bool:
        """All of a DGR point's settings but its strength and those named are the defaults."""
        if self.regularizer != "dgr":
            return False
        usual = DGRConfig(name="dgr", strength=self.strength)
        changed = {name for name, value in usual if self.get(name) != value}
        changed |= {"activation"} if self.activation != "relu" else set()
        if self.get("estimator") == "exact":
            changed -= {"epsilon"}
        return changed <= set(apart_from)


def sweep_metric(scope: Scope) -> Metric:
    """The one metric that all tasks have.

    Raises:
        DGRError: they have several, whose mean would have no unit.
    """
    metrics = set(scope.primary_metrics().values())
    if len(metrics) != 1:
        raise DGRError(f"{scope.name} averages one metric over tasks, but the tasks have {', '.join(sorted(metrics))}.")
    return metric_named(metrics.pop())


def sweep_points(scope: Scope) -> list[Point]:
    """All points of all sweeps in scope, in the order of the configuration.

    Raises:
        DGRError: there are no sweeps, or the records lack a point or seed that is configured.
    """
    if not scope.sweeps:
        raise DGRError(f"{scope.name} needs sweeps; add a file of kind 'sweeps' to the configuration.")
    points = []
    for entry in scope.sweeps.values():
        for settings, run in combinations(entry["run"], entry["vary"]):
            if run["regularizer"]["name"] == "dgr":  # a block that is varied as a whole may leave settings out
                run["regularizer"] = DGRConfig(**run["regularizer"]).model_dump()
            text = settings_text(settings)
            rows, agreement = (
                frame[(frame["sweep"] == entry["name"]) & (frame["settings"] == text)]
                for frame in (scope.records.sweeps, scope.records.agreement)
            )
            runs = _runs(scope, rows)
            if missing := set(entry["run"]["seeds"]) ^ set(runs.index[runs.notna().all(axis=1)]):
                raise DGRError(
                    f"{scope.name}: the records of sweep '{entry['name']}' at {text} are not those configured for "
                    f"seeds {', '.join(map(str, sorted(missing)))}; run `python -m dgr collect {scope.suite}`."
                )
            points.append(Point(entry["name"], text, run, runs, agreement))
    return points


def plain_runs(scope: Scope, points: list[Point]) -> pd.DataFrame | None:
    """The runs of the swept method without any regularizer, with the seeds of the sweeps.

    Returns:
        As :attr:`Point.runs`; None where the suite has no such runs for all these seeds, at the sweeps' learning rate.
    """
    method = points[0].method
    runs = all_runs(scope)
    made = scope.records.provenance
    made = made[(made["method"] == method) & (made["regularizer"] == "none")]
    if set(made["learning_rate"]) != {points[0].run["training"]["learning_rate"]}:
        return None
    plain = runs[(runs["method"] == method) & (runs["regularizer"] == "none")].set_index("seed")
    seeds = points[0].runs.index
    return plain.loc[seeds, points[0].runs.columns] if set(seeds) <= set(plain.index) else None


def all_runs(scope: Scope) -> pd.DataFrame:
    """Every multi-task run of the main comparison: method, regularizer, seed, then as :attr:`Point.runs`.

    Single-task learning is left out: the norm of several representations joined is another quantity.
    """
    metrics = scope.primary_metrics()
    values = scope.values("test", metrics)
    norm = scope.values("test", {REPRESENTATION: "mean_norm"})[REPRESENTATION]
    runs = values.assign(**{VALUE: values.mean(axis=1), NORM: norm}).reset_index()
    return runs[runs["method"] != SINGLE_TASK]


def _runs(scope: Scope, rows: pd.DataFrame) -> pd.DataFrame:
    metrics = scope.primary_metrics()
    test = rows[rows["split"] == "test"]
    wanted = test[test["metric"] == test["task"].map({**metrics, REPRESENTATION: "mean_norm"})]
    table = wanted.pivot(index="seed", columns="task", values="value").reindex(columns=[*metrics, REPRESENTATION])
    values = table[list(metrics)]
    return values.assign(**{VALUE: values.mean(axis=1, skipna=False), NORM: table[REPRESENTATION]})
