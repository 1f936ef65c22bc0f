"""A table as CSV (numbers), Markdown, LaTeX and JSON (text): the same bytes for the same records."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dgr.core.files import write_json, write_text
from dgr.tables.shared.latex import longtable


@dataclass(frozen=True)
class Table:
    """A finished table.

    Attributes:
        data: numbers in the units of ``runs.csv``, for the CSV file.
        text: the same rows as a reader sees them; Unicode strings only.
        groups: number of each row's group, rising; a group is set apart in LaTeX.
        title: what is shown, in one sentence; Unicode.
        notes: n, definitions and selection rules, a sentence or two each; Unicode.
        records: of each row, the keys of what it was made from, the main one first: runs and measurements by their keys
            in the plan, claims by the id of the comparison.
        only_in_csv: columns that LaTeX's narrower page leaves out.
    """

    data: pd.DataFrame
    text: pd.DataFrame
    groups: list[int]
    title: str
    notes: list[str]
    records: list[list[str]]
    only_in_csv: tuple[str, ...] = ()


def write(table: Table, stem: Path, label: str) -> list[Path]:
    """Write ``stem.csv``, ``stem.md``, ``stem.tex`` and ``stem.json``, each atomically.

    The CSV file has one more column, ``record``: the keys of the row's records, with blanks between them.

    Args:
        table: the table.
        stem: path without suffix.
        label: LaTeX label, e.g. ``tab:mini-T1``; also names the table in Markdown.
    """
    numbers = table.data.assign(record=list(map(" ".join, table.records)))
    texts = {
        # Ten decimals are far below any spread of runs and above what summation order changes; + 0.0 removes −0.0.
        ".csv": rounded(numbers).to_csv(index=False, lineterminator="\n"),
        ".md": to_markdown(table, stem.name),
        ".tex": to_latex(table, label),
    }
    for suffix, text in texts.items():
        write_text(stem.with_suffix(suffix), text)
    write_json(stem.with_suffix(".json"), as_read(table, stem.name))
    return [stem.with_suffix(suffix) for suffix in (*texts, ".json")]


def as_read(table: Table, name: str) -> dict[str, Any]:
    """The table as readers see it, for pages: name, title, notes, columns, rows, groups, and each row's records."""
    return {
        "name": name,
        "title": table.title,
        "notes": table.notes,
        "columns": list(table.text),
        "rows": table.text.to_numpy().tolist(),
        "groups": table.groups,
        "records": table.records,
    }


def to_markdown(table: Table, name: str) -> str:
    """GitHub-flavoured Markdown: title, a pipe table with numbers to the right, notes."""
    text = table.text.map(escape_markdown).rename(columns=escape_markdown)
    align = [("left" if side == "l" else "right") for side in _sides(table.text)]
    body = text.to_markdown(index=False, disable_numparse=True, colalign=align)
    body = body.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")  # or a narrow page breaks a number in three
    notes = "\n".join(f"- {escape_markdown(note)}" for note in table.notes)
    title = escape_markdown(table.title)
    if title.lower().startswith(name.lower()):  # "Claims …" is not told twice
        head = f"**{title[: len(name)]}**{title[len(name) :]}"
    else:
        head = f"**{name}.** {title}"
    return f"{head}\n\n{body}\n\n{notes}\n"


def to_latex(table: Table, label: str) -> str:
    r"""A ``longtable`` as wide as its line; needs ``\usepackage{array,booktabs,longtable}`` and nothing else."""
    text = table.text.drop(columns=list(table.only_in_csv))
    sides = dict(zip(map(str, text), _sides(text), strict=True))
    left_out = [f"Not shown here for want of width, in the CSV file: {', '.join(table.only_in_csv)}."]
    notes = [*table.notes, *(left_out if table.only_in_csv else [])]
    return longtable(text, sides, table.groups, table.title, notes, label)


def mean_sd(mean: float, sd: float, scale: float = 1.0, with_plus: bool = False, digits: int = 2) -> str:
    """``94.20 ± 0.31``; without the ± part where a single run gives no standard deviation; a dash for NaN.

    Args:
        mean: in recorded units.
        sd: likewise; NaN where there is none.
        scale: from recorded to printed units.
        with_plus: print the plus sign of positive means.
        digits: decimals of both.
    """
    if math.isnan(mean):
        return "–"
    number = _number(mean * scale, digits, with_plus)
    return number if math.isnan(sd) else f"{number} ± {sd * scale:.{digits}f}"


def signed(value: float, digits: int = 2) -> str:
    """``+0.12`` or ``−0.12``; 0 without a sign, a dash for NaN."""
    return "–" if math.isnan(value) else _number(value, digits, with_plus=True)


def interval_text(low: float, high: float, digits: int = 2) -> str:
    """``[+0.12, +0.45]``; a dash where there is no interval."""
    return "–" if math.isnan(low) else f"[{signed(low, digits)}, {signed(high, digits)}]"


def rounded(data: pd.DataFrame) -> pd.DataFrame:
    """Numbers as CSV files hold them: to ten decimals, and 0 without a sign."""
    floats = data.select_dtypes("float").columns
    return data.assign(**{name: data[name].round(10) + 0.0 for name in floats})


def _number(value: float, digits: int, with_plus: bool) -> str:
    rounded = round(value, digits) + 0.0  # adding 0.0 turns −0.0 into 0.0
    sign = "+" if with_plus and rounded else ""
    return f"{rounded:{sign}.{digits}f}".replace("-", "−")


def _sides(text: pd.DataFrame) -> list[str]:
    return aligned_sides(list(map(str, text)), text.to_numpy().tolist())


def aligned_sides(columns: list[str], rows: list[list[str]]) -> list[str]:
    """Of each column ``r`` where its cells are mostly numbers, ``l`` for words and settings."""
    cells = zip(*rows, strict=True) if rows else ((),) * len(columns)
    numbers = ([bool(re.match(r"[\[+−-]*\d", cell)) for cell in column] for column in cells)
    return ["r" if found and sum(found) >= len(found) / 2 else "l" for found in numbers]


def escape_markdown(text: str) -> str:
    """Unicode text as Markdown that reads as the text."""
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text)
