import json
import re
from pathlib import Path

import pandas as pd
import yaml
from audit_page import XHTML, by_id, links, page, parsed, text, text_of
from audit_support import RUN, SUITE, write_lock

from dgr.tables.shared import rendering

PLAIN = f"{SUITE}-digits-conv-equal_weighting-none"


def test_each_number_of_a_table_leads_to_its_run(checkout: Path) -> None:
    tree = parsed(page())
    data = pd.read_csv(checkout / "tables/T1.csv", keep_default_na=False)
    rows = list(next(by_id(tree, "table-T1").iter(f"{XHTML}tbody")))
    assert len(rows) == len(data)
    for row, method, regularizer in zip(rows, data["method"], data["regularizer"], strict=True):
        for cell in row:
            if re.search(r"\d", text(cell)):
                assert links(cell) == [f"#record-{SUITE}-digits-conv-{method}-{regularizer}"]
    # One stop a row for the keyboard; the other links of the row lead to the same place.
    assert [sum(link.get("tabindex") is None for link in row.iter(f"{XHTML}a")) for row in rows] == [1] * len(rows)


def test_a_run_record_holds_all_that_is_known(checkout: Path) -> None:
    record = text(by_id(parsed(page()), RUN))
    seed = pd.read_csv(checkout / "records/runs.csv").query(
        "method == 'equal_weighting' and regularizer == 'dgr' and split == 'test' and metric == 'accuracy'"
    )
    for value in seed["value"]:
        assert f"{value:#.4g}" in record
    made = pd.read_csv(checkout / "records/provenance.csv").set_index(["key", "seed"])
    digest = made.loc[(RUN.removeprefix("record-"), 0), "config_hash"]
    for part in ("abc.dir", "def.dir", "2.13.0", digest[:12], "best_mean_validation", "seed 101", "width: 4", "T1"):
        assert part in record, part
    assert "python -m dgr train toy-digits-conv-equal_weighting-dgr" in record


def test_a_claim_leads_to_the_runs_on_both_sides(checkout: Path) -> None:
    tree = parsed(page())
    (first, _) = next(by_id(tree, "table-claims").iter(f"{XHTML}tbody"))
    assert set(links(first)) == {"#record-C2a"}
    evidence = by_id(tree, "record-C2a")
    assert [target for target in links(evidence) if target.startswith("#record-")] == [
        f"#record-{SUITE}-digits-conv-{method}-{regularizer}"
        for regularizer in ("dgr", "none")
        for method in ("equal_weighting", "pcgrad")
    ]
    assert "supported" in text(evidence)
    control = by_id(tree, "record-C2b")
    # Decided over the methods that the suite has on both sides.
    assert "EW + norm" in text(control)
    assert "PCGrad" not in text(control)
    assert "1 supported 1 undecided" in text(by_id(tree, "claims"))


def test_every_table_leads_to_its_files(checkout: Path) -> None:
    tree = parsed(page())
    for place, name in (("claims", "claims"), ("table-T1", "T1")):
        found = [target for target in links(by_id(tree, place)) if f"{SUITE}/tables/" in target]
        assert found == [f"../{SUITE}/tables/{name}.{suffix}" for suffix in ("csv", "md", "tex")]


def test_a_comparison_tells_what_was_found(checkout: Path) -> None:
    path = checkout / "tables/claims.csv"
    numbers = {
        "sign_flip_p": [0.0, ""],
        "n": [3, ""],
        "low": [1.25, ""],
        "high": [3.75, ""],
        "confidence": [0.975, ""],
        "holm_p": [0.0123, ""],
    }
    pd.read_csv(path).assign(**numbers, reason=["", "too few seeds"]).to_csv(path, index=False)
    tree = parsed(page())
    found = "n = 3 seeds; difference 2.5; interval [1.25, 3.75] of confidence 0.975; adjusted p 0.0123 (difference)"
    assert found in text_of(tree, "record-C2a")
    assert "0.0123 (difference); p < 0.0001 (sign flips, of the mean)" in text_of(tree, "record-C2a")
    assert "Why: Too few seeds." in text_of(tree, "record-C2b")
    assert "recorded units difference 0.1" in text_of(tree, "record-C2b")


def measured(checkout: Path) -> None:
    """Adds a sweep, a cost measurement and baselines with their records and tables."""
    plan = yaml.safe_load(Path("plan.json").read_text())
    shared = {"suite": SUITE, "dataset": "digits", "architecture": {"name": "conv"}}
    plan["sweeps"] = {
        "toy-lambda": {"suite": SUITE, "name": "lambda", "run": {"method": {"name": "equal_weighting"}, "seeds": [0]}}
    }
    plan["costs"], plan["baselines"] = {"toy-digits-conv": shared}, {"toy-digits": shared}
    plan["tables"] = {f"toy-{name}": {"suite": SUITE, "name": name} for name in ("T4", "T5", "T6")}
    Path("plan.json").write_text(json.dumps(plan))
    sweep = {"suite": SUITE, "sweep": "lambda", "settings": '{"regularizer.strength": 0.1}', "seed": 0}
    row = sweep | {"split": "test", "task": "left", "metric": "accuracy", "value": 0.87654}
    pd.DataFrame([row]).to_csv(checkout / "records/sweeps.csv", index=False)
    pd.DataFrame([sweep | {"epoch": 1, "cosine": 0.4321, "norm_ratio": 2.0}]).to_csv(checkout / "records/agreement.csv")
    cost = {"suite": SUITE, "dataset": "digits", "architecture": "conv", "device": "cpu", "threads": 1}
    cost |= {"method": "equal_weighting", "regularizer": "none", "num_dummies": 0, "round": 0}
    pd.DataFrame([cost | {"seconds_per_step": 0.01234, "peak_memory_mb": 5.0}]).to_csv(checkout / "records/costs.csv")
    for name, records in {"T5": [["toy-digits-conv"]], "T6": [[PLAIN], ["toy-lambda", PLAIN]]}.items():
        shown = pd.DataFrame({"Row": ["a", "b"], "Value": ["1.0", "2.0"]}).head(len(records))
        table = rendering.Table(pd.DataFrame({"x": range(len(records))}), shown, [0] * len(records), "T.", [], records)
        rendering.write(table, checkout / "tables" / name, name)


def test_numbers_of_measurements_lead_to_their_records(checkout: Path) -> None:
    measured(checkout)
    tree = parsed(page())

    def targets(name: str) -> list[set[str]]:
        return [set(links(row)) for row in next(by_id(tree, name).iter(f"{XHTML}tbody"))]

    assert targets("table-T4")[:3] == [{"#record-toy-digits"}, {"#record-toy-digits"}, {f"#record-{PLAIN}"}]
    assert targets("table-T5") == [{"#record-toy-digits-conv"}]
    assert targets("table-T6") == [{f"#record-{PLAIN}"}, {"#record-toy-lambda", f"#record-{PLAIN}"}]
    values = {"0.8765": "toy-lambda", "0.4321": "toy-lambda", "0.01234": "toy-digits-conv", "pixels": "toy-digits"}
    for value, key in values.items():
        assert value in text_of(tree, f"record-{key}")


def test_a_row_about_two_records_leads_to_both(checkout: Path) -> None:
    measured(checkout)
    table = by_id(parsed(page()), "table-T6")
    assert [text(cell) for cell in next(table.iter(f"{XHTML}thead")).iter(f"{XHTML}th")] == [
        "Row",
        "Other record",
        "Value",
    ]
    rows = [[links(cell) for cell in row] for row in next(table.iter(f"{XHTML}tbody"))]
    plain, sweep = [f"#record-{PLAIN}"], ["#record-toy-lambda"]
    assert rows == [[plain, [], plain], [sweep, plain, sweep]]


def test_each_record_shows_the_hashes_of_what_made_it(checkout: Path) -> None:
    measured(checkout)
    keys = {"sweep": "toy-lambda", "cost": "toy-digits-conv", "baselines": "toy-digits"}
    stages = {
        f"{stage}@{key}": {"outs": [{"path": f"runs/{SUITE}/{stage}/{key}.json", "md5": f"hash-of-{stage}"}]}
        for stage, key in keys.items()
    }
    # A run whose seeds are outputs of their own, and a run whose key begins with another's.
    stages |= {
        f"train@{PLAIN}-{seed}": {
            "deps": [{"path": "data/digits", "md5": "data"}, {"path": "src/dgr/core", "md5": "code"}],
            "outs": [{"path": f"runs/{SUITE}/train/{PLAIN}/seed-{seed}", "md5": f"hash-of-{seed}"}],
        }
        for seed in (0, 1)
    }
    stages["train@other"] = {"outs": [{"path": f"runs/{SUITE}/train/{PLAIN}-other", "md5": "another"}]}
    write_lock(Path(), stages)
    tree = parsed(page())
    for stage, key in keys.items():
        assert f"md5 of runs/{SUITE}/{stage}/{key}.jsonhash-of-{stage}" in text_of(tree, f"record-{key}")
    run = text_of(tree, f"record-{PLAIN}")
    for shown in ("seed-0hash-of-0", "seed-1hash-of-1", "md5 of data/digitsdata", f"train@{PLAIN}-0, train@{PLAIN}-1"):
        assert shown in run
    assert "another" not in run
    assert "src/dgr/core" not in run


def test_curves_of_different_metrics_are_not_averaged(checkout: Path) -> None:
    runs = pd.read_csv(checkout / "records/runs.csv", keep_default_na=False)
    right = runs["task"] == "right"
    runs.loc[right & (runs["metric"] == "accuracy"), "metric"] = "mean_iou"
    runs.to_csv(checkout / "records/runs.csv", index=False)
    histories = pd.read_csv(checkout / "records/histories.csv", keep_default_na=False, na_values=[""])
    histories.rename(columns={"val_accuracy/right": "val_mean_iou/right"}).to_csv(
        checkout / "records/histories.csv", index=False
    )
    shown = text_of(parsed(page()), RUN)
    for curve in ("Validation accuracy of left by epoch", "Validation mIoU of right by epoch"):
        assert curve in shown
    assert "mean over these tasks" not in shown
