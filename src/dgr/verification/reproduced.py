"""After a reproduction: are its numbers and verdicts those of the last commit?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import torch

from dgr.core.errors import DGRError
from dgr.core.origin import committed, device_name
from dgr.core.paths import records_folder, tables_folder
from dgr.verification.findings import Finding, shortened
from dgr.verification.numbers_again import number_pairs
from dgr.verification.record_files import NAMING_COLUMNS, cells_of, origins_file, record_file, text_frame
from dgr.verification.tolerance import ValuePair


def reproduction_lines(suite: str) -> Iterator[str]:
    """What differs between a suite's records here and in the last commit, and whether any verdict does.

    Args:
        suite: a suite of runs.

    Raises:
        DGRError: a file is missing or damaged here; or there is no commit to compare with.
    """
    found, pairs = Finding("numbers"), []
    for name in NAMING_COLUMNS:
        path = records_folder(suite) / f"{name}.csv"
        again, before = record_file(name, text_frame(path)), record_file(name, _in_commit(path))
        pairs += list(number_pairs(found, before, again))
        if gone := before.rows.keys() - again.rows.keys():
            found.expect(False, f"{name}.csv lacks {len(gone)} rows that are committed.")
    yield f"# Reproduction of suite {suite}"
    yield ""
    different = [pair for pair in pairs if pair.outcome != "identical"]
    if not different and not found.problems:
        yield f"All {len(pairs):,} numbers are those of the last commit, digit by digit."
    else:
        yield f"{len(pairs) - len(different):,} of {len(pairs):,} numbers are those of the last commit."
        yield from _differences(different)
        yield from found.problems
    yield from _verdicts(tables_folder(suite) / "claims.csv")
    made_on = sorted(set(_in_commit(origins_file(suite))["device"]) - {""})
    yield f"The committed numbers were made on {', '.join(made_on) or 'an unknown processor'}."
    yield f"This machine has {device_name(torch.device('cpu'))}."


def _differences(pairs: list[ValuePair]) -> Iterator[str]:
    for file in dict.fromkeys(pair.file for pair in pairs):
        own = [pair for pair in pairs if pair.file == file]
        yield f"- {file}.csv: {len(own):,} others, such as {own[0].where}: {own[0].committed} → {own[0].again}"
    if far := [abs(pair.difference or 0) / pair.spread for pair in pairs if pair.spread]:
        yield f"The largest difference is {max(far):.2g} standard deviations over seeds."


def _verdicts(path: Path) -> Iterator[str]:
    if not path.exists():
        return
    here, before = (frame.set_index("comparison")["verdict"] for frame in (text_frame(path), _in_commit(path)))
    changed = [f"{id_}: {before.get(id_)} → {here.get(id_)}" for id_ in here.index if here.get(id_) != before.get(id_)]
    told = f": {shortened(changed, 20)}" if changed else ""
    yield f"{len(here) - len(changed)} of {len(here)} verdicts are the same{told}."


def _in_commit(path: Path) -> pd.DataFrame:
    text = committed(path)
    if text is None:
        raise DGRError(f"The last commit has no {path} to compare with; run this in a clone of the repository.")
    return cells_of(text)
