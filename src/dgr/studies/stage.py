"""The stage of a study: every seed's rows, one committed file."""

from __future__ import annotations

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.studies.recording import record_study
from dgr.studies.registry import rows, tuning
from dgr.studies.schema import StudyEntry


def run_study(key: str) -> None:
    """Run every seed of a study and write its records; a killed call goes on with the seed it was at.

    Args:
        key: a key of the plan's studies.

    Raises:
        DGRError: unknown key, a number that is not finite, unwritable folder.
    """
    entry = parse(StudyEntry, plan_entry(key, ("studies",)), key)
    record_study(key, entry, lambda: tuning(entry.study), lambda seed, rates: rows(entry.study, seed, rates))
