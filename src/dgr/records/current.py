"""Whether a suite's records are those of its plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dgr.core.errors import DGRError
from dgr.records.records import Records
from dgr.records.run_folders import IDENTITY, run_identity


def check_current(entries: dict[str, Any], probes: dict[str, Any], records: Records, suite: str) -> None:
    """The same runs and seeds in the plan and in each file: neither a hole nor a run that was dropped.

    Args:
        entries: the suite's runs in the plan, by key.
        probes: those of them that are probed.
        records: the suite's records.
        suite: its name, for the message.

    Raises:
        DGRError: a file lacks a configured run, or still holds one that is not.
    """

    def configured(keys: Iterable[str]) -> set[tuple[Any, ...]]:
        return {tuple(run_identity(entries[key], seed).values()) for key in keys for seed in entries[key]["seeds"]}

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
