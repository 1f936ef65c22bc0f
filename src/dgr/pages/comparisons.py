"""What decides a claim on a page: the row of the claims table in numbers, and the records on either side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pandas as pd

from dgr.claims import CostComparison, PairedComparison, StudyComparison
from dgr.claims.comparisons import AnyComparison
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.pages.exhibits import CLAIMS_TABLE
from dgr.pages.grid import number_text
from dgr.pages.inputs import Inputs
from dgr.pages.measurement_records import cost_key
from dgr.pages.record_views import record_anchor
from dgr.pages.run_records import cell_title, run_key
from dgr.records.csv_files import read_frame
from dgr.records.names import method_label

NUMBERS = (
    "n = {n} seeds",
    "difference {difference}",
    "interval [{low}, {high}] of confidence {confidence}",
    "region of equivalence ±{region}",
    "adjusted p {holm_p} (difference)",
    "adjusted p {holm_equivalence_p} (equivalence)",
    "p {sign_flip_p} (sign flips, of the mean)",
    "detectable difference {detectable}",
    "standard error from the test set {test_set_se}",
    "with one method left out from {without_one_low} to {without_one_high}",
    "for methods like these [{methods_low}, {methods_high}]",
    "ratio {ratio} within [{ratio_low}, {ratio_high}] over {rounds} rounds",
)
"""What the claims' CSV tells beside a verdict, by its columns, in the unit of the records."""
SMALLEST_P = 1e-4
"""Smaller p-values are told as smaller than this: tables keep ten decimals of them."""
Linked = tuple[str, str | None]
"""A text and the anchor of its record, if it has one."""


def decided_claims(suite: str) -> dict[str, dict[str, Any]]:
    """The rows of a suite's claims table, by comparison; empty where it has not been made.

    Raises:
        DGRError: the file is damaged.
    """
    path = paths.tables_folder(suite) / f"{CLAIMS_TABLE}.csv"
    if not path.exists():
        return {}
    remedy = "remove it and make the claims again"
    frame = read_frame(path, remedy, keep_default_na=False, na_values=[""], dtype={"n": "Int64"})
    if missing := {"comparison", "verdict"} - set(frame):
        raise DGRError(f"{path} lacks the columns {', '.join(sorted(missing))}; remove it and make the claims again.")
    return {
        row["comparison"]: {str(name): value for name, value in row.items() if not pd.isna(value)}
        for row in frame.to_dict("records")
    }


def sides_of(inputs: Inputs, comparison: AnyComparison) -> dict[str, list[Linked]]:
    """The records on either side of a comparison, by which side it is."""
    if isinstance(comparison, StudyComparison):
        return dict(_study_sides(inputs, comparison))
    return dict(_sides(inputs, comparison))


def found_in(row: dict[str, Any]) -> list[str]:
    """What a row of the claims table has of :data:`NUMBERS`; not every comparison has every number."""
    numbers = []
    for text in NUMBERS:
        with suppress(KeyError):
            numbers.append(text.format_map({name: _told(name, value) for name, value in row.items()}))
    return numbers


def _told(name: str, value: Any) -> str:
    return f"< {SMALLEST_P:.4f}" if name.endswith("_p") and value < SMALLEST_P else number_text(value)


def _sides(inputs: Inputs, comparison: PairedComparison | CostComparison) -> Iterator[tuple[str, list[Linked]]]:
    # The table of claims is about one data set and architecture, and so is what decides it.
    tables = inputs.entries("tables").values()
    about: dict[str, Any] = next((entry for entry in tables if entry["name"] == CLAIMS_TABLE), {})
    for name, side in (("treatment", comparison.treatment), ("reference", comparison.reference)):
        if isinstance(comparison, CostComparison):
            yield (
                name,
                [
                    _linked(
                        f"{cell_title(str(side.method), side.regularizer)}: cost",
                        cost_key(inputs, comparison.architecture),
                    )
                ],
            )
            continue
        methods = [side.method] if side.method else comparison.methods
        place = about.get("dataset"), about.get("architecture")
        keys = {method: run_key(inputs, method, side.regularizer, *place) for method in methods}
        yield name, [_linked(cell_title(method, side.regularizer), key) for method, key in keys.items()]


def _study_sides(inputs: Inputs, comparison: StudyComparison) -> Iterator[tuple[str, list[Linked]]]:
    told = inputs.entries("study_reports")[comparison.study]

    def in_study(text: str) -> list[Linked]:
        return [_linked(f"{text} in {told['name']}", comparison.study)]

    def label(method: str) -> str:
        return told["methods"].get(method) or method_label(method)

    yield "treatment", in_study(label(comparison.treatment))
    if comparison.bound is not None:
        yield "reference", [(f"the bound {comparison.bound:g}", None)]
    for name in comparison.references:
        yield "reference", in_study(label(name))
    if comparison.from_level is not None:
        yield "less", in_study(f"the same at level {comparison.from_level:g}")


def _linked(text: str, key: str | None) -> Linked:
    return (f"{text} (not in the plan)", None) if key is None else (text, record_anchor(key))
