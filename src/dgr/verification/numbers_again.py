"""Compares what was made again with what is committed, number by number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dgr.verification.findings import Finding, shortened
from dgr.verification.made_again import committed_file
from dgr.verification.record_files import RecordFile
from dgr.verification.tolerance import ValuePair, drifted, spread

NAMES_A_QUANTITY = ("metric", "measure", "classifier")
"""Columns whose value says what the number in the column ``value`` is of."""


def compare_again(suite: str, again: list[RecordFile], exact: bool) -> Finding:
    """Every number that was made again, against the committed one.

    Args:
        suite: whose.
        again: what was made again, by file.
        exact: whether identical bits are expected; else numbers within the tolerance pass.
    """
    found = Finding("numbers made again")
    pairs = [pair for file in again for pair in number_pairs(found, committed_file(suite, file.name), file)]
    found.compared += len(pairs)
    outcomes = {pair: pair.outcome for pair in pairs}
    counts = Counter(outcomes.values())
    found.notes.append(
        ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in ("identical", "within tolerance", "outside"))
    )
    failing = [pair for pair in pairs if outcomes[pair] == "outside" or (exact and outcomes[pair] != "identical")]
    for file in dict.fromkeys(pair.file for pair in failing):
        own = [pair for pair in failing if pair.file == file]
        said = shortened(f"{pair.where}: committed {pair.committed}, again {pair.again}" for pair in own)
        found.problems.append(f"{file}.csv has {len(own)} numbers that came out differently ({said}).")
    if not exact and (names := drifted([pair for pair in pairs if outcomes[pair] != "identical"])):
        found.problems.append(f"All together these drifted to one side: {shortened(names)}.")
    far = [abs(pair.difference or 0) / pair.spread for pair in pairs if pair.spread and outcomes[pair] != "identical"]
    if far:
        found.notes.append(f"largest difference {max(far):.2g} standard deviations over seeds")
    return found


def number_pairs(found: Finding, committed: RecordFile, again: RecordFile) -> Iterator[ValuePair]:
    """Each number of a file that was made again, beside the committed one.

    Args:
        found: is told of rows that are not committed.
        committed: the file.
        again: the same, or some of its rows.
    """
    seed = committed.key.index("seed") if "seed" in committed.key else None
    seeds: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for key, row in committed.rows.items():
        seeds.setdefault(_cell(key, seed), []).append(row)
    for key, row in again.rows.items():
        where = " ".join(filter(None, key[1:] if committed.key[0] == "suite" else key))
        if key not in committed.rows:
            found.expect(False, f"{committed.name}.csv lacks the row {where}.")
            continue
        for column, text in committed.rows[key].items():
            named = dict(zip(committed.key, key, strict=True))
            quantity = next((named[name] for name in NAMES_A_QUANTITY if name in named and column == "value"), column)
            others = seeds[_cell(key, seed)] if text != row.get(column, "") else []
            values = [other[column] for other in others if other is not committed.rows[key]]
            yield ValuePair(committed.name, quantity, f"{where} {column}", text, row.get(column, ""), spread(values))


def _cell(key: tuple[str, ...], seed: int | None) -> tuple[str, ...]:
    """A row's key without its seed."""
    return key if seed is None else (*key[:seed], *key[seed + 1 :])
