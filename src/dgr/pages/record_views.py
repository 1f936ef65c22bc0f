"""A record as a page shows it: everything that a number in a table goes back to, under the plan's key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import yaml

from dgr.pages.grid import Grid


@dataclass(frozen=True)
class RecordView:
    """One section of the page.

    Attributes:
        key: of the run, measurement or study in the plan; tables name their rows' records by it.
        title: for readers.
        summary: one line that is always visible.
        command: what makes it.
        settings: its entry of the plan, as YAML.
        facts: what holds for the record as a whole, by name.
        grids: tables.
        curves: by metric, one line a seed: the metric by epoch, mean over the tasks that have it.
        missing: whether the plan asks for it and the records lack it.
    """

    key: str
    title: str
    summary: str
    command: str
    settings: str
    facts: dict[str, str] = field(default_factory=dict)
    grids: list[Grid] = field(default_factory=list)
    curves: dict[str, pd.DataFrame] = field(default_factory=dict)
    missing: bool = False

    @property
    def anchor(self) -> str:
        """Where links lead, stable as long as the plan's key is."""
        return record_anchor(self.key)


def recomputed(suite: str, key: str, seed: int | None = None) -> dict[str, str]:
    """The one command that makes a record again, for one seed where it has several, and compares it with the page's."""
    of_seed = "" if seed is None else f" --seed {seed}"
    return {"recompute and compare": f"python -m dgr verify {suite} --key {key}{of_seed}"}


def record_anchor(key: str) -> str:
    """The anchor of the record of a run, measurement, study or comparison."""
    return f"record-{key}"


def as_yaml(entry: dict[str, Any]) -> str:
    """An entry of the plan as the reader of the plan sees it."""
    return yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, default_flow_style=None, width=80)
