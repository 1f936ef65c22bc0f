import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from dgr.tables.shared.rendering import (
    Table,
    interval_text,
    mean_sd,
    signed,
    to_markdown,
    write,
)


@pytest.mark.parametrize(
    ("mean", "sd", "options", "text"),
    [
        (0.9425, 0.0031, {"scale": 100}, "94.25 ± 0.31"),
        (1.5, 0.25, {"with_plus": True}, "+1.50 ± 0.25"),
        (-1.5, 0.25, {"with_plus": True}, "−1.50 ± 0.25"),
        (-1e-9, 0.25, {"with_plus": True}, "0.00 ± 0.25"),
        (2.0, float("nan"), {}, "2.00"),
        (2.0, 0.0, {}, "2.00 ± 0.00"),
        (float("nan"), float("nan"), {}, "–"),
        (0.5125, 0.00349, {"digits": 3}, "0.512 ± 0.003"),
    ],
)
def test_mean_sd(mean: float, sd: float, options: dict[str, float], text: str) -> None:
    assert mean_sd(mean, sd, **options) == text  # type: ignore[arg-type]


def table() -> Table:
    text = pd.DataFrame({"Method": ["a_b", "a_b", "c|d"], "50% λ": ["1 ± 2", "–", "−3"]})
    return Table(text, text, [0, 0, 1], "A_title*.", ["n = 2."], [["run-a"], ["run-b", "run-a"], []])


def test_markdown_escapes() -> None:
    markdown = to_markdown(table(), "T1")
    assert markdown.startswith("**T1.** A\\_title\\*.\n")
    assert r"c\|d" in markdown
    assert "1\xa0±\xa02" in markdown, "a narrow page does not break it"
    assert markdown.endswith("\n- n = 2.\n")


def test_a_name_that_begins_the_title_is_told_once() -> None:
    for title, head in {
        "Claims that studies decide.": "**Claims** that studies decide.",
        "Claims and verdicts (data set digits).": "**Claims** and verdicts (data set digits).",
        "What is claimed.": "**claims.** What is claimed.",
    }.items():
        (first, *_) = to_markdown(replace(table(), title=title), "claims").splitlines()
        assert first == head


def test_each_row_tells_its_records(tmp_path: Path) -> None:
    csv, *_, page = write(table(), tmp_path / "T1", "tab:x")
    assert list(pd.read_csv(csv, keep_default_na=False)["record"]) == ["run-a", "run-b run-a", ""]
    assert json.loads(page.read_text(encoding="utf-8")) == {
        "name": "T1",
        "title": "A_title*.",
        "notes": ["n = 2."],
        "columns": ["Method", "50% λ"],
        "rows": [["a_b", "1 ± 2"], ["a_b", "–"], ["c|d", "−3"]],
        "groups": [0, 0, 1],
        "records": [["run-a"], ["run-b", "run-a"], []],
    }


def test_signs_and_intervals() -> None:
    assert [signed(value) for value in (0.5, -0.5, -0.001, float("nan"))] == ["+0.50", "−0.50", "0.00", "–"]
    assert interval_text(-0.12, 0.3456, 3) == "[−0.120, +0.346]"
    assert interval_text(float("nan"), float("nan")) == "–"
