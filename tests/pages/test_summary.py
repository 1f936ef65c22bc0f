import json
from pathlib import Path

import pandas as pd
import pytest

from dgr.core.errors import DGRError
from dgr.pages.summary import write_summary


def test_the_summary_is_the_tables_delta_m(results: Path) -> None:
    from dgr.tables.registry import write_table

    write_table("toy", "T1")
    table = pd.read_csv(results / "tables/T1.csv", keep_default_na=False).set_index(["method", "regularizer"])
    summary = json.loads(write_summary("toy").read_text())
    cells = summary["delta_m"]["digits-conv"]
    assert {(method, name) for method, row in cells.items() for name in row} == set(table.index)
    for (method, name), row in table.iterrows():
        assert cells[method][name] == pytest.approx(row["delta_m_mean"], abs=1e-4)
    assert "claims" not in summary


def test_verdicts_are_part_of_it(results: Path) -> None:
    (results / "tables").mkdir()
    pd.DataFrame({"comparison": ["C2a"], "verdict": ["undecided"]}).to_csv(results / "tables/claims.csv", index=False)
    assert json.loads(write_summary("toy").read_text())["claims"] == {"C2a": "undecided"}


def test_without_single_task_runs_there_is_no_delta_m(results: Path) -> None:
    runs = pd.read_csv(results / "records/runs.csv", keep_default_na=False)
    runs[runs["method"] != "single_task"].to_csv(results / "records/runs.csv", index=False)
    summary = json.loads(write_summary("toy").read_text())
    assert set(summary) == {"trained", "made_from"}
    assert summary["trained"] == 18


def test_a_summary_changes_with_whatever_its_suite_has(results: Path) -> None:
    said = {json.loads(write_summary("toy").read_text())["made_from"]}
    for name in ("records/histories.csv", "origins/runs.csv", "tables/T9.json"):
        path = results / name
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() if path.exists() else "") + "\n")
        said.add(json.loads(write_summary("toy").read_text())["made_from"])
    assert len(said) == 4


def test_an_unknown_suite(results: Path) -> None:
    with pytest.raises(DGRError, match="There is no suite 'toi'; did you mean 'toy'"):
        write_summary("toi")


def test_damaged_claims_are_one_sentence(results: Path) -> None:
    (results / "tables").mkdir()
    (results / "tables/claims.csv").write_text("comparison\nC2a\n")
    with pytest.raises(DGRError, match=r"claims\.csv lacks the columns verdict"):
        write_summary("toy")
