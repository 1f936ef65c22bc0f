"""The stage of a study of fetched data: as of :mod:`dgr.studies.stage`, with a source that must be there and whole."""

from __future__ import annotations

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.core.files import read_manifest
from dgr.core.paths import SOURCES
from dgr.real_studies.registry import real_rows, real_trials
from dgr.real_studies.schema import RealStudyEntry
from dgr.studies.recording import record_study


def run_real_study(key: str) -> None:
    """Run every seed of a study and write its records, with the hash of the source's tree.

    Args:
        key: a key of the plan's real studies.

    Raises:
        DGRError: unknown key, a source that is not fetched or not as it was, a number that is not finite, unwritable
            folder.
    """
    entry = parse(RealStudyEntry, plan_entry(key, ("real_studies",)), key)
    place = SOURCES / entry.study.source
    tree = read_manifest(place, f"run `python -m dgr fetch {entry.study.source}`")["tree"]
    record_study(
        key,
        entry,
        lambda: real_trials(entry.study, place),
        lambda seed, rates: real_rows(entry.study, seed, rates, place),
        {"tree": tree},
    )
