"""A key that is given twice is refused, since the last one would win without a word."""

from pathlib import Path

import pytest
from project_support import ROOT

from dgr.core.errors import DGRError
from dgr.plan.expand import make_plans
from dgr.plan.keys_once import check_keys


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seeds: [40, 41]\nsuite: mini\nseeds: [0, 1]\n", "'seeds' is given twice, in lines 1 and 3"),
        ("a:\n  - b: {c: 1,\n        c: 1}\n", "'c' is given twice, in lines 2 and 3"),
        ("a: &x {b: 1}\nc: {<<: *x, <<: *x, d: *x}\na: 2\n", "'a' is given twice, in lines 1 and 3"),
        ("? [a, b]\n: 1\n? {c: 1}\n: c\nc: 1\nd: {c: [{c: 1}], c: 2}\n", "'c' is given twice, in lines 6 and 6"),
        ("'k': 1\nk: 2\n", "'k' is given twice, in lines 1 and 2"),
    ],
)
def test_the_file_the_key_and_both_lines_are_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "mini").mkdir()
    (tmp_path / "mini/T1.yaml").write_text(text)
    with pytest.raises(DGRError, match=rf"mini/T1\.yaml: {told}; keep one of them"):
        check_keys(tmp_path)


@pytest.mark.parametrize("text", ["a: &x {b: 1}\nc: {b: 1, <<: *x}\nd: [*x, *x]\n", "a: &x [*x]\n", "", "{", "\0"])
def test_what_is_once_or_no_yaml_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    check_keys(tmp_path)


def test_no_committed_file_has_one_and_a_plan_asks(tmp_path: Path) -> None:
    check_keys(ROOT / "paper_configs")
    (tmp_path / "deep.yaml").write_text("[" * 10**5)
    check_keys(tmp_path)  # a library's recursion has no bound
    (tmp_path / "datasets.yaml").write_text("a: 1\na: 2\n")
    with pytest.raises(DGRError, match="'a' is given twice"):
        make_plans(tmp_path)
