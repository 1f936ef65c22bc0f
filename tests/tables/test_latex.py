"""LaTeX tables compile, fit on A4, and lose no cell."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from committed_support import committed

from dgr.tables.shared.latex_layout import LINE, parts_of, widths_of
from dgr.tables.shared.latex_text import escape_latex, widest_word
from dgr.tables.shared.rendering import Table, to_latex

COMMITTED = {
    f"{path.parents[1].name}-{path.stem}": path for path in sorted(committed().glob("results/*/tables/*.json"))
}
PDFLATEX = shutil.which("pdflatex")
DOCUMENT = r"""\documentclass{article}
\usepackage[a4paper,margin=2.5cm]{geometry}
\usepackage{array,booktabs,longtable}
\begin{document}
%s
\end{document}
"""


def latex_of(name: str) -> str:
    """What this code makes of a committed table."""
    told = json.loads(COMMITTED[name].read_text(encoding="utf-8"))
    text = pd.DataFrame(told["rows"], columns=told["columns"])
    return to_latex(Table(text, text, told["groups"], told["title"], told["notes"], told["records"]), f"tab:{name}")


def small(**options: object) -> Table:
    text = pd.DataFrame({"Method": ["a_b", "a_b", "c|d"], "50% λ": ["1 ± 2", "–", "−3"], "p": ["1", "2", "3"]})
    return Table(text, text, [0, 0, 1], "A_title.", ["n = 2 & more."], [[], [], []], **options)


def wide(columns: int) -> pd.DataFrame:
    return pd.DataFrame({"Method": ["EW"]} | {f"metric {number}": ["12.34 ± 5.67"] for number in range(columns)})


def test_every_symbol_becomes_a_command() -> None:
    assert escape_latex(r"50% & a_b #1 {x} \y ~^<$|") == (
        r"50\% \& a\_\allowbreak{}b \#1 \{x\} \textbackslash{}y "
        r"\textasciitilde{}\textasciicircum{}\textless{}\$\textbar{}"
    )
    assert escape_latex("Auto-λ: Δm ↑ 1 ± −2, ‖z‖²") == (
        r"Auto-$\lambda$: $\Delta_m$ $\uparrow$ 1~$\pm$~$-$2, $\Vert z\Vert^2$"
    )


def test_groups_are_set_apart_and_notes_stand_below() -> None:
    latex = to_latex(small(), "tab:x")
    body, _, notes = latex.partition(r"\end{longtable}")
    assert body.count(r"\addlinespace") == 1
    assert "\\addlinespace\n{}c\\textbar{}d & $-$3 & 3 \\\\" in body
    assert r"\caption{A\_\allowbreak{}title.}\label{tab:x}\\" in body
    assert r"n = 2 \& more." in notes
    assert "n = 2" not in body


def test_what_is_left_out_is_named() -> None:
    latex = to_latex(small(only_in_csv=("p",)), "tab:x")
    assert "Not shown here for want of width, in the CSV file: p." in latex
    assert " & 3 " not in latex


def test_a_row_that_begins_with_a_bracket_is_no_option() -> None:
    text = pd.DataFrame({"Interval": ["[0, 1]", "*"], "n": ["1", "2"]})
    latex = to_latex(Table(text, text, [0, 0], "T", [], [[], []]), "tab:x")
    assert "\n{}[0, 1] & 1" in latex
    assert "\n{}* & 2" in latex


@pytest.mark.parametrize("columns", [1, 4, 12, 30])
def test_a_wide_table_is_split_and_each_part_names_its_rows(columns: int) -> None:
    text = wide(columns)
    sides = {name: "l" if name == "Method" else "r" for name in text}
    parts = parts_of(text, sides)
    assert [name for part in parts for name in part if name != "Method"] == list(text)[1:]
    assert all(part[0] == "Method" for part in parts)
    assert (len(parts) > 1) == (columns > 6)
    for part in parts:
        widths = widths_of(text, part, sides)
        assert sum(widths) <= 1
        assert all(width * LINE > widest_word(text[name][0]) for name, width in zip(part, widths, strict=True))


@pytest.mark.parametrize("name", COMMITTED)
def test_every_table_is_well_formed(name: str) -> None:
    told = json.loads(COMMITTED[name].read_text(encoding="utf-8"))
    latex = latex_of(name)
    assert latex.isascii(), "a symbol that pdflatex may not know"
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    for kind in ("longtable", "flushleft"):
        assert latex.count(rf"\begin{{{kind}}}") == latex.count(rf"\end{{{kind}}}") >= 1
    assert not re.search(r"(?<!\\)[#$]", re.sub(r"\$[^$]*\$", "", latex))
    shown, column_of = set(), {escape_latex(column): column for column in told["columns"]}
    for part in re.findall(r"(?s)\\begin\{longtable\}(.*?)\\end\{longtable\}", latex):
        widths = [float(width) for width in re.findall(r"dimexpr([\d.]+)\\linewidth", part)]
        assert sum(widths) <= 1
        rows = [line for line in part.splitlines() if line.startswith("{}")]
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(widths)}
        heading, again, *body = rows
        assert heading == again
        assert len(body) == len(told["rows"])
        names = heading[2:-3].split(" & ")
        shown |= {*names}
        for column, width in zip(names, widths, strict=True):
            words = [column_of[column], *(row[told["columns"].index(column_of[column])] for row in told["rows"])]
            assert max(map(widest_word, words)) < width * LINE, f"a word of {column} sticks out"
    assert shown == {*column_of}


@pytest.mark.skipif(PDFLATEX is None, reason="no pdflatex: install it, e.g. apt-get install texlive-latex-recommended")
@pytest.mark.parametrize("name", COMMITTED)
def test_every_table_compiles_and_fits_on_a4(name: str, tmp_path: Path) -> None:
    (tmp_path / "table.tex").write_text(DOCUMENT % latex_of(name), encoding="utf-8")
    done = subprocess.run(
        (PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "table.tex"),
        cwd=tmp_path, capture_output=True, timeout=120,
    )  # fmt: skip
    log = (tmp_path / "table.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log
    assert [line for line in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(line) > 2] == []
