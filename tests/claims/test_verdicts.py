from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up_records import CLASSIFIERS, METHODS, claims_of, cost, make_records, paired

from dgr.claims import run_verdicts
from dgr.comparison import smallest_p
from dgr.core.errors import DGRError

PROBES = {"measure": "probe_accuracy", "classifiers": list(CLASSIFIERS)}


def decide(records, *comparisons):
    found = run_verdicts(records, claims_of(*comparisons))
    return found[0] if len(found) == 1 else found


@pytest.mark.parametrize(("gain", "decision"), [(0.03, "reproduced"), (-0.03, "contradicted"), (0.0, "inconclusive")])
@pytest.mark.parametrize(
    "changes", [{}, {"each": ["method"]}, PROBES, {**PROBES, "tasks": "new"}, {**PROBES, "each": ["classifier"]}]
)
def test_known_effects(gain, decision, changes):
    verdict = decide(make_records(gain), paired(**changes))
    assert verdict.decision == decision
    assert verdict.n == 8
    assert verdict.reason or decision != "inconclusive"


@pytest.mark.parametrize("measure", ["universality_gap", "universality_gap_normalized"])
@pytest.mark.parametrize(("gain", "decision"), [(0.03, "reproduced"), (-0.03, "contradicted")])
def test_a_smaller_gap_is_an_improvement(measure, gain, decision):
    verdict = decide(make_records(gain), paired(measure=measure, direction="lower"))
    assert verdict.decision == decision
    assert verdict.mean == pytest.approx(-10 * gain, abs=0.01)  # of the last epoch
    assert verdict.low < verdict.mean < verdict.high


def test_estimate_recomputed_by_hand():
    records = make_records()
    test = records.runs.query("split == 'test' and metric == 'accuracy' and moment == 'final'")
    wide = test.pivot(index=["method", "regularizer", "seed"], columns="task", values="value")
    delta = (100 * (wide / wide.loc["single_task"].mean() - 1)).mean(axis=1)
    differences = [delta[method]["dgr"] - delta[method]["none"] for method in METHODS]
    assert decide(records, paired()).mean == pytest.approx(np.mean(differences))
    each = decide(records, paired(each=["method"]))
    assert [row.mean for row in each.tests] == pytest.approx([np.mean(values) for values in differences])
    pooled = decide(records, paired())
    assert (each.mean, each.low, each.high) == (pooled.mean, pooled.low, pooled.high)


def test_a_withdrawn_verdict_keeps_its_numbers_and_says_why():
    stands, withdrawn, missing = decide(
        make_records(),
        paired(),
        paired(id="X2", withdrawn="too short"),
        paired(id="X3", methods=["dwa"], withdrawn="too short"),
    )
    assert (stands.decision, withdrawn.decision, withdrawn.reason) == ("reproduced", "withdrawn", "too short")
    assert (withdrawn.mean, withdrawn.n, len(withdrawn.tests)) == (stands.mean, stands.n, 1)
    assert missing.decision == "not run"


def test_a_fixed_method_is_compared_with_each():
    verdict = decide(
        make_records(), paired(treatment={"method": "equal_weighting", "regularizer": "dgr"}, each=["method"])
    )
    assert [row.name for row in verdict.tests] == ["X1/equal_weighting", "X1/pcgrad"]
    assert verdict.decision == "reproduced"


def test_all_tests_of_a_claim_are_one_family():
    records = make_records(0.004)
    alone = decide(records, paired())
    both = decide(records, paired(), paired(id="X2", each=["method"], reference={"regularizer": "norm"}))
    assert both[0].tests[0].t_p == alone.tests[0].t_p
    assert alone.tests[0].holm_p < both[0].tests[0].holm_p <= 3 * alone.tests[0].holm_p
    assert both[0].low == alone.low


def test_better_than_the_method_but_not_than_the_control():
    alone, control = decide(
        make_records(0.03, control=0.03),
        paired(),
        paired(id="X2", reference={"regularizer": "norm"}, margin=0.5),
    )
    assert (alone.decision, control.decision) == ("reproduced", "inconclusive")
    assert "not below 0.05; equivalence: the difference lies within ±0.5" in control.reason
    wide = decide(make_records(noise=0.05), paired(margin=0.5))
    assert "equivalence" not in wide.reason


def test_one_test_the_other_way_contradicts():
    records = make_records()
    rows = (records.runs["method"] == "pcgrad") & (records.runs["regularizer"] == "dgr")
    records.runs.loc[rows, "value"] -= 0.06
    verdict = decide(records, paired(each=["method"]))
    assert (verdict.decision, verdict.reason) == ("contradicted", "worse for PCGrad")


@pytest.mark.parametrize("seeds", [1, 3])
def test_too_few_seeds(seeds):
    verdict = decide(make_records(seeds=seeds), paired(margin=9.0))
    assert verdict.decision == "inconclusive"
    assert {
        1: "a single seed",
        3: f"n = 3 is too small: without assuming normality p cannot fall below {smallest_p(3)}",
    }[seeds] in verdict.reason
    assert "equivalence" not in verdict.reason


def test_constant_metrics():
    verdict = decide(make_records(gain=0.0, noise=0.0), paired())
    assert (verdict.decision, verdict.reason, verdict.mean) == ("inconclusive", "all differences are zero", 0)


# What is missing, and what is wrong


def without(frame, **values):
    return frame[~(frame[list(values)] == pd.Series(values)).all(axis=1)]


@pytest.mark.parametrize(
    ("name", "changes", "missing", "message"),
    [
        ("runs", {}, {"method": "pcgrad", "regularizer": "dgr"}, "no run for PCGrad + DGR"),
        ("runs", {}, {"method": "pcgrad", "regularizer": "none", "seed": 2}, r"for PCGrad alone (seeds 2)"),
        ("runs", {}, {"method": "single_task"}, "no single-task runs"),
        ("probes", PROBES, {"method": "pcgrad", "seed": 2, "classifier": "knn"}, "no probe for PCGrad + DGR (seeds 2)"),
        ("probes", PROBES, {"method": "pcgrad", "seed": 1, "task": "left"}, "PCGrad alone (seeds 1)"),
        ("probes", {**PROBES, "tasks": "new"}, {"task": "parity"}, "no probe of a task not trained on for EW + DGR"),
        ("universality", {"measure": "universality_gap"}, {"method": "pcgrad"}, "no measurement of universality"),
    ],
)
def test_missing_records_are_named(name, changes, missing, message):
    records = make_records()
    verdict = decide(replace(records, **{name: without(getattr(records, name), **missing)}), paired(**changes))
    assert verdict.decision == "not run"
    assert message in verdict.reason
    assert (verdict.n, verdict.mean, verdict.tests) == (0, None, ())


def test_empty_files_are_not_run(tmp_path):
    records = make_records()
    empty = {}
    for name in ("probes", "universality", "costs"):
        (tmp_path / name).write_text(",".join(getattr(records, name).columns) + "\n")
        empty[name] = pd.read_csv(tmp_path / name)
    comparisons = [paired(id="a", **PROBES), paired(id="b", measure="universality_gap"), cost(id="c"), paired(id="d")]
    decisions = [verdict.decision for verdict in decide(replace(records, **empty), *comparisons)]
    assert decisions == ["not run", "not run", "not run", "reproduced"]


@pytest.mark.parametrize("name", ["runs", "probes", "universality"])
def test_nan_is_refused(name):
    records = make_records()
    getattr(records, name)[{"universality": "gap"}.get(name, "value")] = np.nan
    changes = {"runs": {}, "probes": PROBES, "universality": {"measure": "universality_gap"}}[name]
    with pytest.raises(DGRError, match=r"NaN or infinite"):
        decide(records, paired(**changes))


# Costs

AUTHORS = {"method": "equal_weighting", "regularizer": "authors"}


@pytest.mark.parametrize(
    ("at_most", "decision"),
    [(1.10, "reproduced"), (1.05, "inconclusive"), (1.03, "inconclusive"), (1.0, "contradicted")],
)
def test_cost_bounds(at_most, decision):
    verdict = decide(make_records(), cost(at_most=at_most, num_dummies=1))
    assert (verdict.decision, verdict.ratios) == (decision, {1: 1.04})


def test_costs_of_each_number_of_dummies():
    verdict = decide(make_records(), cost(reference=AUTHORS, at_most=1.0))
    assert verdict.ratios == pytest.approx({1: 1.04 / 3, 4: 1.2 / 11})
    assert verdict.decision == "reproduced"
    assert decide(make_records(), cost()).decision == "contradicted"


def test_costs_that_are_missing_or_wrong():
    records = make_records()
    fewer = replace(records, costs=without(records.costs, regularizer="authors", num_dummies=4))
    verdict = decide(fewer, cost(reference=AUTHORS))
    assert (verdict.decision, verdict.reason) == (
        "not run",
        "no cost measurement of EW + DGR as released (num_dummies 1, 4)",
    )
    for costs in (pd.concat([records.costs] * 2), records.costs.assign(seconds_per_step=np.nan)):
        with pytest.raises(DGRError, match="twice or not positive"):
            decide(replace(records, costs=costs), cost())
