from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from golden_support import GOLDEN, PLAN, golden_scope
from synthetic import SUITE, make_measurements, make_plan, make_runs, write_plan

from dgr.core.errors import DGRError
from dgr.records.collecting import collect_suite
from dgr.records.records import load_records
from dgr.tables.main import build as main_table
from dgr.tables.registry import write_table
from dgr.tables.shared import rendering


def golden_table(plan: dict[str, Any] = PLAN, **changed: pd.DataFrame) -> rendering.Table:
    return main_table(golden_scope("T1", plan, **changed))


@pytest.mark.parametrize("suffix", [".csv", ".md", ".tex", ".json"])
def test_golden(tmp_path: Path, suffix: str) -> None:
    rendering.write(golden_table(), tmp_path / "T1", "tab:toy-T1")
    assert (tmp_path / f"T1{suffix}").read_bytes() == (GOLDEN / f"T1{suffix}").read_bytes()


def test_recomputed_from_runs_csv_alone() -> None:
    runs = pd.read_csv(GOLDEN / "runs.csv", keep_default_na=False)
    test = runs[(runs.split == "test") & (runs.metric == "accuracy") & (runs.moment == "final")]
    wide = test.pivot(index=["method", "regularizer", "seed"], columns="task", values="value")
    delta = (100 * (wide / wide.loc["single_task"].mean() - 1)).mean(axis=1)
    table = golden_table().data.set_index(["method", "regularizer"])
    for cell, row in table.iterrows():
        for task in ("left", "right"):
            np.testing.assert_allclose(row[f"{task}_accuracy_mean"], np.mean(wide.loc[cell][task]))
            np.testing.assert_allclose(row[f"{task}_accuracy_sd"], np.std(wide.loc[cell][task], ddof=1))
        np.testing.assert_allclose(row["delta_m_mean"], np.mean(delta.loc[cell]), atol=1e-12)
        np.testing.assert_allclose(row["delta_m_sd"], np.std(delta.loc[cell], ddof=1))
        assert row["n"] == 3


def test_rows_and_marks() -> None:
    text = golden_table().text
    assert list(text["Method"]) == ["STL", "EW", "EW", "EW", "PCGrad", "PCGrad"]
    assert list(text["Regularizer"]) == ["–", "–", "+ DGR", "+ norm", "–", "+ DGR"]
    assert list(text["λ"]) == ["–", "–", "1†", "0.1", "–", "1†"]


def test_universality_is_the_mean_over_trained_and_over_new_tasks() -> None:
    frame = pd.read_csv(GOLDEN / "universality.csv")
    last = frame[frame["epoch"] == 3]
    for kind, tasks in (("trained", ["left", "right"]), ("new", ["left_greater"])):
        of_kind = last[last["task"].isin(tasks)].groupby(["method", "regularizer", "seed"])
        for column in ("refitted_loss", "label_area", "step_area", "tempered_loss"):
            means = of_kind[column].mean()
            for (method, regularizer), row in golden_table().data.set_index(["method", "regularizer"]).iterrows():
                values = means.loc[method, regularizer]
                np.testing.assert_allclose(row[f"{column}_{kind}_mean"], values.mean())
                np.testing.assert_allclose(row[f"{column}_{kind}_sd"], np.std(values, ddof=1), atol=1e-12)


def test_without_new_tasks_there_is_no_column_for_them() -> None:
    frame = load_records(GOLDEN).universality
    table = golden_table(universality=frame[frame["task"] != "left_greater"])
    assert "Refitted loss ↓" in table.text
    assert not [name for name in (*table.text, *table.data) if "new" in name]
    assert "tasks that no head was trained on" not in " ".join(table.notes)


def test_a_missing_universality_is_named() -> None:
    frame = load_records(GOLDEN).universality
    gone = frame.query("method == 'pcgrad' and seed == 2 and task == 'right'").index
    with pytest.raises(DGRError, match="pcgrad, dgr, 2 in 'refitted_loss'"):
        golden_table(universality=frame.drop(gone))


def test_every_control_is_explained() -> None:
    (note,) = (note for note in golden_table().notes if note.startswith("Regularizers: "))
    assert note.endswith("+ norm (a plain penalty on the mean of ‖z‖²) is the control; λ is the strength of each.")


def test_notes_say_what_was_done() -> None:
    notes = " ".join(golden_table().notes)
    for part in ("n = 3 runs", "standard deviation", "relative change", "seeds 100, 101", "{0.01, 0.1, 1}", "†"):
        assert part in notes


def test_a_choice_at_an_end_of_what_was_tried_is_marked() -> None:
    text = golden_table().text.set_index(["Method", "Regularizer"])
    assert text.loc[("EW", "–"), ["Rate", "λ"]].tolist() == ["0.001", "–"], "neither was tuned"
    assert text.loc[("EW", "+ DGR"), ["Rate", "λ"]].tolist() == ["0.001†", "1†"]
    assert text.loc[("EW", "+ norm"), "λ"] == "0.1"
    tuning = load_records(GOLDEN).tuning
    beyond = tuning.assign(learning_rate=tuning["learning_rate"].replace(0.01, 0.0001))
    further = golden_table(tuning=pd.concat([tuning, beyond])).text.set_index(["Method", "Regularizer"])
    assert further.loc[("EW", "+ DGR"), ["Rate", "λ"]].tolist() == ["0.001", "1†"]


def test_a_missing_value_is_never_averaged_over() -> None:
    runs = load_records(GOLDEN).runs
    one = (runs[["method", "seed", "task", "split", "metric"]] == ["pcgrad", 1, "left", "test", "accuracy"]).all(axis=1)
    with pytest.raises(DGRError, match="pcgrad, dgr, 1 on 'test'; run `python -m dgr collect toy`"):
        golden_table(runs=runs[~(one & (runs["regularizer"] == "dgr"))])


def test_a_metric_without_a_label_is_an_error_and_no_hole() -> None:
    runs = load_records(GOLDEN).runs
    with pytest.raises(DGRError, match="Metric 'luck' has no unit and direction"):
        golden_table(runs=runs.assign(metric=runs["metric"].replace("loss", "luck")))


def test_a_missing_seed_is_named() -> None:
    runs = load_records(GOLDEN).runs
    with pytest.raises(DGRError, match=r"lacks 5 runs .*equal_weighting, dgr, 2"):
        golden_table(runs=runs[~((runs["seed"] == 2) & (runs["method"] != "single_task"))])


def test_a_dropped_run_is_refused_until_collected_again() -> None:
    plan = {**PLAN, "tuned_runs": {k: v for k, v in PLAN["tuned_runs"].items() if "pcgrad" not in k}}
    with pytest.raises(DGRError, match=r"still holds 3 runs .*pcgrad, dgr.*collect toy"):
        golden_table(plan)


def test_a_dropped_run_is_gone_after_collecting(results: Path, plan: dict[str, Any]) -> None:
    write_table(SUITE, "T1")
    assert "PCGrad" in (results / "tables/T1.md").read_text()
    plan["runs"].pop("toy-digits-conv-pcgrad-none")
    plan["tuned_runs"].pop("toy-digits-conv-pcgrad-dgr")
    write_plan(plan)
    collect_suite(SUITE)
    for path in write_table(SUITE, "T1"):
        assert "pcgrad" not in path.read_text().lower()


def test_without_single_task_runs(workplace: Path) -> None:
    plan = make_plan((("equal_weighting", ("none",)),))
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    collect_suite(SUITE)
    with pytest.raises(DGRError, match="add method 'single_task'"):
        write_table(SUITE, "T1")


def test_one_seed_has_no_standard_deviation(workplace: Path) -> None:
    plan = make_plan(seeds=(4,))
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    collect_suite(SUITE)
    csv, markdown, *_ = write_table(SUITE, "T1")
    assert pd.read_csv(csv)["delta_m_sd"].isna().all()
    row = next(line for line in markdown.read_text().splitlines() if line.startswith("| EW"))
    assert "±" not in row


def test_two_data_sets_need_a_choice(workplace: Path) -> None:
    plan, other = make_plan(), make_plan((("single_task", ("none",)),))
    for entry in other["runs"].values():
        plan["runs"]["rooms"] = {**entry, "dataset": "rooms"}
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    collect_suite(SUITE)
    with pytest.raises(DGRError, match="one data set and architecture, but suite 'toy' offers 2"):
        write_table(SUITE, "T1")
    plan["tables"]["toy-T1"]["dataset"] = "rooms"
    write_plan(plan)
    assert set(pd.read_csv(write_table(SUITE, "T1")[0])["dataset"]) == {"rooms"}


@pytest.mark.parametrize("name", ["T9", "Tt2"])
def test_unknown_table(results: Path, name: str) -> None:
    assert results.exists()
    with pytest.raises(DGRError, match=f"no table '{name}'"):
        write_table(SUITE, name)


def test_table_that_the_plan_does_not_have(results: Path, plan: dict[str, Any]) -> None:
    assert results.exists()
    plan["tables"] = {}
    write_plan(plan)
    with pytest.raises(DGRError, match="Suite 'toy' has no table T1; configured: none"):
        write_table(SUITE, "T1")
