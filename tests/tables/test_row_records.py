"""Each row of a table names the run or measurement that it was made from, with the plan's key."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
from synthetic import CELLS, SUITE, make_measurements, make_plan, make_runs, write_plan

from dgr.claims import CLAIMS_FILE
from dgr.core import paths
from dgr.core.paths import tables_folder
from dgr.records.collecting import collect_suite
from dgr.tables.registry import write_table


def records(name: str) -> list[str]:
    csv = write_table(SUITE, name)[0]
    keys = pd.read_csv(csv, keep_default_na=False)["record"].tolist()
    shown = json.loads((tables_folder(SUITE) / f"{name}.json").read_text(encoding="utf-8"))
    assert [" ".join(row) for row in shown["records"]] == keys
    assert len(shown["rows"]) == len(keys)
    return keys


def make_suite(plan: dict[str, Any], root: Path, *tables: str) -> None:
    plan["tables"] = {f"{SUITE}-{name}": {"suite": SUITE, "name": name, "dataset": "digits"} for name in tables}
    write_plan(plan)
    make_runs(plan, root)
    make_measurements(plan, root)
    collect_suite(SUITE)


def test_the_same_methods_on_two_data_sets_and_architectures_are_told_apart(workplace: Path) -> None:
    plan = make_plan()
    for section in ("runs", "tuned_runs", "tuning", "probes"):
        for key, entry in list(plan[section].items()):
            changes = {"dataset": "rooms", "architecture": {**entry.get("architecture", {}), "name": "split"}}
            other = {**entry, "run": {**entry["run"], **changes}} if section == "tuning" else {**entry, **changes}
            plan[section][key.replace("digits-conv", "rooms-split")] = other
    make_suite(plan, workplace, "T1", "T2")
    plan["tables"]["toy-T2"]["dataset"] = "rooms"
    write_plan(plan)
    cells = [f"{method}-{name}" for method, names in CELLS for name in names]
    assert records("T1") == [f"toy-digits-conv-{cell}" for cell in cells]
    assert records("T2") == [f"toy-rooms-split-{cell}" for cell in cells]


def test_transfer_rows_lead_to_baselines_the_run_that_kept_its_start_and_runs(workplace: Path) -> None:
    make_suite(make_plan(), workplace, "T4")
    untrained, *runs = [f"toy-digits-conv-{cell}-none" for cell in ("equal_weighting", "single_task")]
    assert records("T4")[:4] == ["toy-digits", "toy-digits", untrained, *runs]


def test_a_test_leads_to_its_comparison_which_names_both_sides(workplace: Path) -> None:
    make_suite(make_plan(seeds=tuple(range(8))), workplace, "T7")
    paths.CONFIGS.mkdir(exist_ok=True)
    shutil.copy(Path(__file__).parents[2] / CLAIMS_FILE, paths.CONFIGS)
    assert records("T7") == list(pd.read_csv(paths.tables_folder("toy") / "T7.csv")["comparison"])
