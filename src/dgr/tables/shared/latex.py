"""A table as LaTeX: as wide as the line, over as many pages as it needs, its notes below."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from dgr.tables.shared.latex_layout import parts_of, widths_of
from dgr.tables.shared.latex_text import escape_latex

NEEDS = "% Needs \\usepackage{array,booktabs,longtable} and one column of 16 cm or more: A4 with margins of 2.5 cm."
_OPENING = r"""\begingroup\fontsize{8}{9.5}\selectfont
\setlength{\tabcolsep}{3pt}\setlength{\LTcapwidth}{\linewidth}"""
_ALIGN = {"l": r"\raggedright", "r": r"\raggedleft"}


def longtable(
    text: pd.DataFrame, sides: dict[str, str], groups: list[int], title: str, notes: list[str], label: str
) -> str:
    r"""One ``longtable``, or several below each other where the columns do not fit on a line.

    Args:
        text: the cells as a reader sees them; Unicode.
        sides: of each column, in order, ``l`` for words, ``r`` for numbers.
        groups: number of each row's group; a group is set apart.
        title: the caption; Unicode.
        notes: paragraphs below; Unicode.
        label: of the table, such as ``tab:mini-T1``.
    """
    lines = [NEEDS, _OPENING]
    for number, names in enumerate(parts_of(text, sides)):
        opening = [rf"\caption{{{escape_latex(title)}}}\label{{{label}}}\\"]
        if number:  # a further part is the same table, so it has no number of its own
            lines.append(r"\addtocounter{table}{-1}")
            opening = [_continued(len(names))]
        lines += _part(text[names], {name: sides[name] for name in names}, groups, opening)
    lines += [r"\begin{flushleft}", *(escape_latex(note) + r"\par" for note in notes), r"\end{flushleft}"]
    return "\n".join([*lines, r"\endgroup", ""])


def _part(text: pd.DataFrame, sides: dict[str, str], groups: list[int], opening: list[str]) -> Iterator[str]:
    names = list(sides)
    columns = [
        rf">{{{_ALIGN[sides[name]]}\arraybackslash}}p{{\dimexpr{width:.3f}\linewidth-2\tabcolsep\relax}}"
        for name, width in zip(names, widths_of(text, names, sides), strict=True)
    ]
    heading = [r"\toprule", _row(names), r"\midrule"]
    yield r"\begin{longtable}{@{}%"
    yield from (f"{column}%" for column in columns)
    yield "@{}}"
    yield from (*opening, *heading, r"\endfirsthead")
    yield from (_continued(len(names)), *heading, r"\endhead")
    yield from (r"\midrule", r"\endfoot", r"\bottomrule", r"\endlastfoot")
    last = groups[0] if groups else 0
    for group, cells in zip(groups, text.itertuples(index=False, name=None), strict=True):
        if group != last:
            yield r"\addlinespace"
        last = group
        yield _row(list(cells))
    yield r"\end{longtable}"


def _row(cells: list[str]) -> str:
    # A row that began with a bracket or a star would be read as an option of the row before.
    return "{}" + " & ".join(map(escape_latex, cells)) + r" \\"


def _continued(columns: int) -> str:
    return rf"\multicolumn{{{columns}}}{{@{{}}l}}{{\tablename~\thetable, continued}}\\"
