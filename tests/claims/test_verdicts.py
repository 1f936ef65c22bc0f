"""Verdicts from made-up records, worked out apart."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up_records import CLASSIFIERS, METHODS, UNIVERSALITY, claims_of, cost, make_records, paired
from scipy import stats

from dgr.claims import run_verdicts
from dgr.core.errors import DGRError

PROBES = {"measure": "probe_accuracy", "classifiers": list(CLASSIFIERS)}
LOSS = {"measure": "refitted_loss", "direction": "lower"}


def decide(records, *comparisons, **claim):
    found = run_verdicts(records, claims_of(*comparisons, **claim).claims)
    return found[0] if len(found) == 1 else found


def decisions(found):
    return {verdict.comparison.id: verdict.decision for verdict in found}


@pytest.mark.parametrize(
    ("gain", "noise", "decision"),
    [
        (0.03, 0.004, "supported"),
        (-0.03, 0.004, "opposite"),
        (0.0, 0.0004, "no relevant difference"),
        (0.001, 0.0004, "no relevant difference"),
        (0.003, 0.02, "undecided"),
    ],
)
@pytest.mark.parametrize("changes", [{}, PROBES, {**PROBES, "tasks": "new"}, {**PROBES, "classifiers": ["knn"]}])
def test_known_effects(gain, noise, decision, changes):
    verdict = decide(make_records(gain, noise=noise), paired(**changes))
    assert verdict.decision == decision
    assert verdict.test.n == 8
    assert bool(verdict.reason) == (decision == "undecided")


@pytest.mark.parametrize("measure", UNIVERSALITY)
@pytest.mark.parametrize(("gain", "decision"), [(0.03, "supported"), (-0.03, "opposite")])
def test_a_smaller_loss_is_an_improvement(measure, gain, decision):
    verdict = decide(make_records(gain), paired(measure=measure, direction="lower"))
    assert verdict.decision == decision
    assert verdict.test.estimate == pytest.approx(-10 * gain, abs=0.01)  # of the last epoch


def test_the_verdict_recomputed_by_hand():
    records = make_records(seeds=20)
    test = records.runs.query("split == 'test' and metric == 'accuracy' and moment == 'final'")
    wide = test.pivot(index=["method", "regularizer", "seed"], columns="task", values="value")
    delta = (100 * (wide / wide.loc["single_task"].mean() - 1)).mean(axis=1)
    by_method = {method: delta[method]["dgr"] - delta[method]["none"] for method in METHODS}
    by_seed = pd.DataFrame(by_method).mean(axis=1)
    verdict = decide(records, paired())
    wanted = stats.ttest_1samp(by_seed, 0).confidence_interval(0.95)
    assert (verdict.test.low, verdict.test.high) == pytest.approx((wanted.low, wanted.high), rel=1e-9)
    assert verdict.test.estimate == pytest.approx(by_seed.mean())
    assert verdict.by_method == pytest.approx({method: values.mean() for method, values in by_method.items()})
    each = decide(records, paired(each=["method"]))
    assert [row.test.estimate for row in each] == pytest.approx([values.mean() for values in by_method.values()])


def test_each_member_has_its_own_test_verdict_and_row():
    records = make_records()
    rows = (records.runs["method"] == "pcgrad") & (records.runs["regularizer"] == "dgr")
    records.runs.loc[rows, "value"] -= 0.06
    found = decide(records, paired(each=["method"]))
    assert decisions(found) == {"X1-equal_weighting": "supported", "X1-pcgrad": "opposite"}
    assert [verdict.comparison.question for verdict in found] == ["?: EW", "?: PCGrad"]
    found = decide(make_records(), paired(**PROBES, each=["method", "classifier"]))
    assert [verdict.comparison.id for verdict in found] == [f"X1-{m}-{c}" for m in METHODS for c in CLASSIFIERS]


def test_a_fixed_method_is_compared_with_each():
    treatment = {"method": "equal_weighting", "regularizer": "dgr"}
    found = decide(make_records(), paired(treatment=treatment, each=["method"]))
    assert decisions(found) == {"X1-equal_weighting": "supported", "X1-pcgrad": "supported"}


def test_all_tests_of_a_claim_are_one_family():
    records = make_records(0.004)
    alone = decide(records, paired())
    both = decide(records, paired(), paired(id="X2", each=["method"], reference={"regularizer": "norm"}))
    assert both[0].test.p == alone.test.p
    assert alone.test.holm_p < both[0].test.holm_p <= 3 * alone.test.holm_p
    assert both[0].test.high - both[0].test.low > alone.test.high - alone.test.low


def test_a_claim_of_no_difference():
    same = decide(make_records(0.0, noise=0.0004), paired(direction="none"))
    shown = decide(make_records(0.03), paired(direction="none"))
    small = decide(make_records(0.004, noise=0.002), paired(direction="none"))
    assert (same.decision, shown.decision) == ("no relevant difference", "opposite")
    # Shown to be there, and perhaps too small to matter.
    assert 0 < small.test.low < 0.5 < small.test.high
    assert (small.decision, small.reason) == ("undecided", "there is a difference, but it may lie within ±0.5")


def test_methods_that_are_averaged_are_told_apart_beside():
    methods = ["equal_weighting", "pcgrad", "cagrad"]
    verdict = decide(make_records(methods=methods), paired(methods=methods))
    together = verdict.over_methods
    assert together.mean == pytest.approx(verdict.test.estimate)
    assert together.low < together.mean < together.high
    assert decide(make_records(), paired()).over_methods is None


# Positive controls


def test_a_positive_control_that_is_not_supported_fails_what_it_guards():
    guarded = [paired(gate="P1"), paired(id="X2")]
    for control, wanted in ((0.03, "supported"), (0.0, "assay failed"), (-0.03, "assay failed")):
        gate = paired(id="P1", treatment={"regularizer": "norm"})
        found = decisions(decide(make_records(control=control), *guarded, gate))
        assert (found["X1"], found["X2"]) == (wanted, "supported")
    told = decide(make_records(control=-0.03), *guarded, gate)[0]
    assert told.reason == "the positive control P1 is opposite to what is known"
    assert told.test is not None


def test_a_gate_that_was_configured_and_not_run_fails_and_an_absent_one_does_not():
    records = make_records()
    gate = paired(id="P1", methods=["dwa"])
    verdict = decide(records, paired(gate="P1"), gate)[0]
    assert (verdict.decision, verdict.reason) == ("assay failed", "the positive control P1 is not run")
    claims = claims_of(paired(gate="P1"), gate).claims
    absent = claims[0].model_copy(update={"comparisons": claims[0].comparisons[:1]})
    assert run_verdicts(records, [absent])[0].decision == "supported"


# Collapsed runs


def collapse(records, method, regularizer, seeds):
    rows = records.runs["method"].eq(method) & records.runs["regularizer"].eq(regularizer)
    rows &= records.runs["seed"].isin(seeds) & records.runs["task"].eq("left")
    records.runs.loc[rows, "value"] = 0.1
    return records


@pytest.mark.parametrize("changes", [{}, PROBES, LOSS])
def test_collapsed_runs_are_named_and_never_averaged(changes):
    treated = decide(collapse(make_records(), "pcgrad", "dgr", [2, 5]), paired(**changes))
    assert (treated.decision, treated.test) == ("undecided", None)
    assert treated.reason.startswith("runs of PCGrad + DGR (seeds 2, 5) collapsed: a task more than 50% below STL")
    reference = decide(collapse(make_records(), "pcgrad", "none", [1]), paired(**changes))
    assert (reference.decision, reference.test) == ("assay failed", None)
    assert "PCGrad alone (seeds 1)" in reference.reason


def test_a_collapsed_run_of_single_tasks_fails_the_measure_that_it_is_the_reference_of():
    records = collapse(make_records(), "single_task", "none", [0])
    found = decide(records, paired(), paired(id="X2", **PROBES))
    assert decisions(found) == {"X1": "assay failed", "X2": "supported"}
    assert "STL alone (seeds 0)" in found[0].reason


def test_a_collapsed_comparison_keeps_its_place_in_the_family():
    records = collapse(make_records(0.004), "pcgrad", "dgr", [2])
    found = decide(records, paired(each=["method"]))
    alone = decide(make_records(0.004), paired(methods=["equal_weighting"]))
    assert found[0].test.level == alone.test.level / 2


# Too little, too much alike, missing, wrong


@pytest.mark.parametrize(("seeds", "reason"), [(1, "a single seed has no spread"), (3, "n = 3 is too small")])
def test_too_few_seeds(seeds, reason):
    verdict = decide(make_records(seeds=seeds), paired())
    assert verdict.decision == "undecided"
    assert reason in verdict.reason


def test_constant_metrics():
    verdict = decide(make_records(gain=0.0, noise=0.0), paired())
    assert (verdict.decision, verdict.test.estimate) == ("undecided", 0)
    assert verdict.reason == "all 8 seeds have the same difference, so that there is no spread to test it by"


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
        ("universality", LOSS, {"method": "pcgrad"}, "no measurement of universality"),
    ],
)
def test_missing_records_are_named(name, changes, missing, message):
    records = make_records()
    verdict = decide(replace(records, **{name: without(getattr(records, name), **missing)}), paired(**changes))
    assert verdict.decision == "not run"
    assert message in verdict.reason
    assert verdict.test is None


def test_records_of_an_earlier_layout_are_not_run():
    records = make_records()
    old = replace(records, universality=records.universality.rename(columns={"refitted_loss": "gap"}))
    assert decide(old, paired(**LOSS)).reason == "universality.csv has no column refitted_loss"


def test_an_arm_that_has_no_runs_is_named():
    verdict = decide(make_records(), paired(reference={"regularizer": "norm_matched"}))
    assert verdict.reason.startswith("no run for EW + norm at DGR's ‖z‖")


def test_empty_files_are_not_run(tmp_path):
    records = make_records()
    empty = {}
    for name in ("probes", "universality", "costs"):
        (tmp_path / name).write_text(",".join(getattr(records, name).columns) + "\n")
        empty[name] = pd.read_csv(tmp_path / name)
    comparisons = [paired(id="a", **PROBES), paired(id="b", **LOSS), cost(id="c"), paired(id="d")]
    found = decisions(decide(replace(records, **empty), *comparisons))
    assert list(found.values()) == ["not run", "not run", "not run", "supported"]


@pytest.mark.parametrize("name", ["runs", "probes", "universality"])
def test_nan_is_refused(name):
    records = make_records()
    getattr(records, name)[{"universality": "refitted_loss"}.get(name, "value")] = np.nan
    changes = {"runs": {}, "probes": PROBES, "universality": LOSS}[name]
    with pytest.raises(DGRError, match=r"NaN or infinite"):
        decide(records, paired(**changes))
