import json
import re
from pathlib import Path

import pandas as pd
import yaml
from audit_page import XHTML, by_id, links, page, parsed, text, text_of
from audit_support import RUN, SUITE

from dgr.tables.shared import rendering


def test_each_number_of_a_table_leads_to_its_run(checkout: Path) -> None:
    tree = parsed(page())
    data = pd.read_csv(checkout / "tables/T1.csv", keep_default_na=False)
    rows = list(next(by_id(tree, "table-T1").iter(f"{XHTML}tbody")))
    assert len(rows) == len(data)
    for row, method, regularizer in zip(rows, data["method"], data["regularizer"], strict=True):
        for cell in row:
            if re.search(r"\d", text(cell)):
                assert links(cell) == [f"#run-{SUITE}-digits-conv-{method}-{regularizer}"]
    # One stop a row for the keyboard; the other links of the row lead to the same place.
    assert [sum(link.get("tabindex") is None for link in row.iter(f"{XHTML}a")) for row in rows] == [1] * len(rows)


def test_a_run_record_holds_all_that_is_known(checkout: Path) -> None:
    record = text(by_id(parsed(page()), RUN))
    seed = pd.read_csv(checkout / "records/runs.csv").query(
        "method == 'equal_weighting' and regularizer == 'dgr' and split == 'test' and metric == 'accuracy'"
    )
    for value in seed["value"]:
        assert f"{value:#.4g}" in record
    for part in ("abc.dir", "def.dir", "2.13.0", "f" * 12, "best_mean_validation", "seed 101", "width: 4", "T1"):
        assert part in record, part
    assert "python -m dgr train toy-digits-conv-equal_weighting-dgr" in record


def test_a_claim_leads_to_the_runs_on_both_sides(checkout: Path) -> None:
    tree = parsed(page())
    (first, _) = next(by_id(tree, "table-claims").iter(f"{XHTML}tbody"))
    assert set(links(first)) == {"#evidence-C2a"}
    evidence = by_id(tree, "evidence-C2a")
    assert links(evidence) == [
        f"#run-{SUITE}-digits-conv-{method}-{regularizer}"
        for regularizer in ("dgr", "none")
        for method in ("equal_weighting", "pcgrad")
    ]
    assert "reproduced" in text(evidence)
    assert "PCGrad + norm (not in the plan)" in text(by_id(tree, "evidence-C2b"))
    assert "1 reproduced 1 inconclusive" in text(by_id(tree, "claims"))


def test_numbers_of_studies_lead_to_their_records(checkout: Path) -> None:
    plan = yaml.safe_load(Path("plan.json").read_text())
    shared = {"suite": SUITE, "dataset": "digits", "architecture": {"name": "conv"}}
    plan["sweeps"] = {"toy-lambda": {"suite": SUITE, "name": "lambda", "run": {"method": {"name": "equal_weighting"}}}}
    plan["costs"], plan["baselines"] = {"toy-digits-conv": shared}, {"toy-digits": shared}
    plan["tables"] = {f"toy-{name}": {"suite": SUITE, "name": name} for name in ("T4", "T5", "T6")}
    Path("plan.json").write_text(json.dumps(plan))
    sweep = {"suite": SUITE, "sweep": "lambda", "settings": '{"regularizer.strength": 0.1}', "seed": 0}
    row = sweep | {"split": "test", "task": "left", "metric": "accuracy", "value": 0.87654}
    pd.DataFrame([row]).to_csv(checkout / "records/sweeps.csv", index=False)
    pd.DataFrame([sweep | {"epoch": 1, "cosine": 0.4321, "norm_ratio": 2.0}]).to_csv(checkout / "records/agreement.csv")
    cost = {"suite": SUITE, "dataset": "digits", "architecture": "conv", "device": "cpu", "threads": 1}
    cost |= {"method": "equal_weighting", "regularizer": "none", "num_dummies": None, "ratio": 1.0}
    pd.DataFrame([cost | {"seconds_per_step": 0.01234, "peak_memory_mb": 5.0}]).to_csv(checkout / "records/costs.csv")
    for name, data in {
        "T5": {"method": ["equal_weighting"], "regularizer": ["none"], "seconds_per_step": [0.01234]},
        "T6": {"sweep": ["plain", "lambda"], "settings": ["{}", sweep["settings"]]},
    }.items():
        rows = len(next(iter(data.values())))
        shown = pd.DataFrame({"Row": ["a", "b"], "Value": ["1.0", "2.0"]}).head(rows)
        table = rendering.Table(pd.DataFrame(data), shown, [0] * rows, "A table.", [], [[]] * rows)
        rendering.write(table, checkout / "tables" / name, name)
    tree = parsed(page())

    def targets(name: str) -> list[set[str]]:
        return [set(links(row)) for row in next(by_id(tree, name).iter(f"{XHTML}tbody"))]

    plain = "#run-toy-digits-conv-equal_weighting-none"
    assert targets("table-T4")[:3] == [{"#baselines-toy-digits"}, {"#baselines-toy-digits"}, {plain}]
    assert targets("table-T5") == [{"#cost-toy-digits-conv"}]
    assert targets("table-T6") == [{plain}, {"#sweep-toy-lambda"}]
    values = {"0.8765": "sweep-toy-lambda", "0.4321": "sweep-toy-lambda", "0.01234": "cost-toy-digits-conv"}
    for value, record in values.items():
        assert value in text_of(tree, record)
    assert "pixels" in text_of(tree, "baselines-toy-digits")
