"""T5 and T6 from made-up sweeps, beside the made-up runs of the suite."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sweep_records import ARCHITECTURE
from synthetic import SUITE, TASKS

from dgr.core.errors import DGRError
from dgr.records.records import load_records
from dgr.records.scope import Scope, open_scope
from dgr.records.sweep_points import plain_runs, sweep_points
from dgr.tables.ablation import build as ablation_table
from dgr.tables.cost import build as cost_table
from dgr.tables.shared import rendering
from dgr.training.configuration import SweepConfig


def without(scope: Scope, **values: Any) -> Scope:
    """The same without some rows of the sweeps."""
    sweeps = scope.records.sweeps
    gone = (sweeps[list(values)] == pd.Series(values)).all(axis=1)
    return replace(scope, records=replace(scope.records, sweeps=sweeps[~gone]))


def test_one_row_a_point_under_the_plain_runs(opened: Any, plan: dict[str, Any]) -> None:
    table = ablation_table(opened("T6"))
    points = [point for entry in plan["sweeps"].values() for point in SweepConfig(**entry).points()]
    assert len(table.text) == len(table.data) == len(table.groups) == 1 + len(points)
    assert table.groups == sorted(table.groups)
    swept = [key for key, entry in plan["sweeps"].items() for _ in SweepConfig(**entry).points()]
    assert table.records == [["toy-digits-conv-equal_weighting-none"], *([key] for key in swept)]
    assert not table.text[["Study", "Setting"]].duplicated().any()
    first = table.text.iloc[1]
    assert (first["Study"], first["Setting"], first["n"]) == ("DGR", "λ = 0.01", "2")
    assert first["Accuracy (%) ↑"] == "90.50 ± 0.71"
    assert first["Mean ‖z‖"] == "5.50 ± 0.71"
    for part in ("few seeds (0, 1)", "no test is made", "nothing is chosen"):
        assert part in " ".join(table.notes)
    assert all(ord(letter) < 128 for letter in rendering.to_latex(table, "tab:x"))


def test_the_difference_is_to_the_plain_runs_of_the_same_seeds(opened: Any) -> None:
    scope = opened("T6")
    plain = scope.values("test", dict.fromkeys(TASKS, "accuracy")).loc[("equal_weighting", "none")].mean(axis=1)
    row = ablation_table(scope).data.iloc[1]
    assert row["difference_mean"] == pytest.approx(((0.90 - plain[0]) + (0.91 - plain[1])) / 2)


def test_settings_are_told_in_words(opened: Any) -> None:
    settings = set(ablation_table(opened("T6")).text["Setting"])
    assert {
        "β = 0.001",
        "λ = 0.1, exact, ReLU heads",
        "λ = 0.1, FD, ε = 0.001, GELU heads",
        "λ = 0.1, N = 4",
        "λ = 0.1, plain norm, one norm a task",
        "λ = 0",
    } <= settings


def test_agreement_is_averaged_over_what_was_trained(opened: Any) -> None:
    table = ablation_table(opened("T6"))
    compared = table.data["settings"].str.contains("finite_difference")
    assert table.data.loc[compared, "cosine"].tolist() == pytest.approx([0.65] * 4)
    assert (table.text.loc[~compared, "Cosine"] == "").all()


@pytest.mark.parametrize("gone", [{"sweep": "variant", "seed": 1}, {"split": "test", "task": "left", "seed": 0}])
def test_a_missing_seed_or_metric_is_not_averaged_over(opened: Any, gone: dict[str, Any]) -> None:
    scope = without(opened("T6"), **gone)
    with pytest.raises(DGRError, match=f"not those configured for seeds {gone['seed']}; run `python -m dgr collect"):
        ablation_table(scope)


def test_without_sweeps_or_costs_the_tables_say_what_to_configure(results: Path, plan: dict[str, Any]) -> None:
    scope = open_scope("tables", SUITE, "T1", plan, load_records(results / "records"))
    with pytest.raises(DGRError, match="needs sweeps; add a file of kind 'sweeps'"):
        ablation_table(scope)
    with pytest.raises(DGRError, match="needs measured costs; add a file of kind 'cost'"):
        cost_table(scope)


def test_costs_are_told_against_equal_weighting_and_the_method_alone(opened: Any, plan: dict[str, Any]) -> None:
    place = {"suite": SUITE, "dataset": "digits", "architecture": ARCHITECTURE}
    plan["costs"] = {"toy-digits-conv": place, "toy-rooms-conv": {**place, "dataset": "rooms"}}
    table = cost_table(opened("T5"))
    assert table.records == [["toy-digits-conv"]] * 5
    assert table.text["Method"].tolist() == ["PCGrad", "PCGrad", "PCGrad", "EW", "EW"]
    assert table.text["N"].tolist() == ["–", "1", "4", "–", "1"]
    assert table.text["Time (ms) ↓"].tolist() == ["16.0", "20.0", "30.0", "8.0", "24.0"]
    assert table.text["Time / EW"].tolist() == ["2.00", "2.50", "3.75", "1.00", "3.00"]
    assert table.text["Time / method alone"].tolist() == [
        "1",
        "1.25 [1.25, 1.25]",
        "1.88 [1.88, 1.88]",
        "1",
        "3.00 [3.00, 3.00]",
    ]
    assert table.data["rounds"].tolist() == [6] * 5
    assert table.text["Regularizer"].tolist()[-1] == "+ DGR as released"
    for part in ("cpu (made up), 1 thread.", "processor time", "lower bound"):
        assert part in " ".join(table.notes)
    assert all(ord(letter) < 128 for letter in rendering.to_latex(table, "tab:x"))


def test_runs_at_another_learning_rate_are_no_reference(opened: Any) -> None:
    scope = opened("T6")
    made = scope.records.provenance.assign(learning_rate=0.5)
    other = replace(scope, records=replace(scope.records, provenance=made))
    assert plain_runs(scope, sweep_points(scope)) is not None
    assert plain_runs(other, sweep_points(other)) is None
