from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from golden_support import GOLDEN, PLAN, golden_scope
from synthetic import CLASSIFIERS, PROBED, SUITE, TASKS, make_measurements, make_plan, make_runs, write_plan

from dgr.core.errors import DGRError
from dgr.records.collecting import collect_suite
from dgr.records.records import load_records
from dgr.tables.registry import write_table
from dgr.tables.shared import rendering
from dgr.tables.transfer import build as transfer_table


def golden_table(**changed: pd.DataFrame) -> rendering.Table:
    return transfer_table(golden_scope("T4", **changed))


@pytest.mark.parametrize("suffix", [".csv", ".md", ".tex", ".json"])
def test_golden(tmp_path: Path, suffix: str) -> None:
    rendering.write(golden_table(), tmp_path / "T4", "tab:toy-T4")
    assert (tmp_path / f"T4{suffix}").read_bytes() == (GOLDEN / f"T4{suffix}").read_bytes()


def test_recomputed_from_probes_csv_alone() -> None:
    probes = pd.read_csv(GOLDEN / "probes.csv", keep_default_na=False)
    for _, row in golden_table().data.query("given == 'representation'").iterrows():
        own = probes.query("given == 'representation' and method == @row.method and regularizer == @row.regularizer")
        assert row["n"] == own["seed"].nunique() == 3
        for task in PROBED:
            for classifier in CLASSIFIERS:
                values = own.query("task == @task and classifier == @classifier")["value"]
                np.testing.assert_allclose(row[f"{task}_{classifier}_mean"], values.mean())
                np.testing.assert_allclose(row[f"{task}_{classifier}_sd"], np.std(values, ddof=1))
            by_seed = own.query("task == @task").groupby("seed")["value"].mean()
            np.testing.assert_allclose(row[f"{task}_all_mean"], by_seed.mean())
            np.testing.assert_allclose(row[f"{task}_all_sd"], np.std(by_seed, ddof=1))
        trained = own[own["task"].isin(TASKS) & (own["classifier"] == "svm")].groupby("seed")["value"].mean()
        np.testing.assert_allclose(row["trained_svm_mean"], trained.mean())
        np.testing.assert_allclose(row["trained_svm_sd"], np.std(trained, ddof=1))


def test_rows_and_columns() -> None:
    table = golden_table()
    labels = list(table.text["Representation"])
    assert labels == ["Majority class", "Raw pixels", "Untrained encoder", "STL", *["EW"] * 3, *["PCGrad"] * 2]
    assert table.groups == [0, 0, 0, 4, 5, 5, 5, 6, 6]
    assert "left > right * ↑" in table.text
    assert list(table.text["n"]) == ["–", "–", *["3"] * 7]
    assert table.text["kNN ↑"][0] == "–"
    assert "±" not in table.text["left ↑"][1]


def test_new_tasks_are_one_column_of_the_text() -> None:
    probes = load_records(GOLDEN).probes
    more = probes[probes["task"] == "left_greater"].assign(task="same_digit", value=lambda rows: rows["value"] / 2)
    table = golden_table(probes=pd.concat([probes, more], ignore_index=True))
    assert [name for name in table.text if "*" in name] == ["2 new tasks * ↑"]
    first = table.data.query("method == 'pcgrad' and regularizer == 'dgr'").iloc[0]
    assert first["new_all_mean"] == pytest.approx(0.75 * first["left_greater_all_mean"])
    assert first["same_digit_svm_mean"] == pytest.approx(first["left_greater_svm_mean"] / 2)
    assert sum(note.startswith("*: ") for note in table.notes) == 2


def test_notes_say_what_was_done() -> None:
    notes = " ".join(golden_table().notes)
    for part in (
        "Accuracy is balanced",
        "50 training images",
        "cross-validation",
        "no head was trained on",
        "STL",
        "CSV",
    ):
        assert part in notes


def test_a_missing_value_is_never_averaged_over() -> None:
    probes = load_records(GOLDEN).probes
    gone = probes.query("given == 'representation' and method == 'pcgrad' and seed == 1 and classifier == 'svm'").index
    with pytest.raises(DGRError, match="pcgrad, dgr, 1 in probes of 'representation'; run `python -m dgr collect toy`"):
        golden_table(probes=probes.drop(gone))


def test_a_classifier_without_a_file_is_an_error_and_no_hole() -> None:
    probes = load_records(GOLDEN).probes
    renamed = probes["classifier"].mask((probes["classifier"] == "svm") & probes["seed"].notna(), "boosting")
    with pytest.raises(DGRError, match="Unknown classifier 'boosting'"):
        golden_table(probes=probes.assign(classifier=renamed))


def test_a_missing_seed_is_named() -> None:
    probes = load_records(GOLDEN).probes
    gone = probes.query("method == 'pcgrad' and seed == 1").index
    with pytest.raises(DGRError, match=r"probes.csv of suite 'toy' lacks 2 runs .*pcgrad"):
        golden_table(probes=probes.drop(gone))


def test_a_dropped_run_is_refused_until_collected_again() -> None:
    plan = {**PLAN, "probes": {key: entry for key, entry in PLAN["probes"].items() if "pcgrad" not in key}}
    with pytest.raises(DGRError, match=r"probes.csv of suite 'toy' still holds 6 runs"):
        transfer_table(golden_scope("T4", plan))


def test_one_seed_and_no_snapshots(workplace: Path) -> None:
    plan: dict[str, Any] = make_plan((("pcgrad", ("none", "dgr")),), seeds=(4,))
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    collect_suite(SUITE)
    _, markdown, *_ = write_table(SUITE, "T4")
    text = markdown.read_text()
    assert "| Untrained" not in text
    assert "±" not in next(line for line in text.splitlines() if line.startswith("| PCGrad"))


def test_without_probes(workplace: Path) -> None:
    plan: dict[str, Any] = make_plan() | {"probes": {}, "baselines": {}}
    write_plan(plan)
    make_runs(plan, workplace)
    collect_suite(SUITE)
    with pytest.raises(DGRError, match="T4 needs probes; add a block 'probes'"):
        write_table(SUITE, "T4")
    csv, markdown, *_ = write_table(SUITE, "T1")
    assert "efitted" not in csv.read_text() + markdown.read_text()
