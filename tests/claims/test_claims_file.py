from pathlib import Path

import pytest
from made_up_records import claims_of, cost, make_records, paired, shipped_claims

from dgr.claims import load_claims, run_verdicts
from dgr.claims.narrowing import measured_by, of_runs
from dgr.core.errors import DGRError
from dgr.methods.registry import METHODS

CROSSED = {name for name in METHODS if name in (
    "equal_weighting", "dwa", "uncertainty_weighting", "auto_lambda", "graddrop", "pcgrad", "cagrad", "nash_mtl", "imtl"
)}  # fmt: skip


@pytest.fixture(scope="module")
def shipped():
    return shipped_claims()


def test_the_claims_of_the_paper_and_the_controls_beside_them(shipped):
    claims = {claim.id: claim.comparisons for claim in shipped.claims}
    assert list(claims) == ["C1", "C2", "C3", "C4", "C5"]
    for name in ("C1", "C2"):
        measures = {"none": [], "norm": []}
        for comparison in claims[name]:
            measures[comparison.reference.regularizer].append((comparison.measure, comparison.tasks))
        assert measures["none"] == measures["norm"] != []


def test_every_multi_task_method_is_in_the_claims(shipped):
    """Of those that DGR's authors cross it with (FACTS); methods of other papers came later."""
    together = CROSSED
    for claim in shipped.claims:
        for comparison in claim.comparisons:
            if comparison.kind == "paired" and comparison.reference.regularizer == "none":
                assert set(comparison.methods) == together


def test_every_comparison_gets_a_verdict(shipped):
    found = run_verdicts(make_records(methods=[name for name in METHODS if name != "single_task"]), shipped)
    decisions = {verdict.comparison.id: verdict.decision for verdict in found}
    assert [id_ for id_, decision in decisions.items() if decision == "not run"] == ["C1e", "C1f", "C3a", "C3b", "C3c"]
    assert decisions["C2a"] == decisions["C4a"] == decisions["C5a"] == "withdrawn"
    assert decisions["C4b"] == "reproduced"
    assert [verdict.comparison.id for verdict in found] == list(decisions)


def test_verdicts_are_computed_never_typed():
    text = Path("paper_configs/claims.yaml").read_text()
    with pytest.raises(DGRError, match="unknown key 'verdict'"):
        claims_of(paired(verdict="reproduced"))
    assert "verdict:" not in text


@pytest.mark.parametrize(
    ("comparison", "message"),
    [
        (paired(direction="up"), "comparisons.0.paired.direction: Input should be 'higher' or 'lower'"),
        (paired(methods=["equal_weightin"]), "unknown method 'equal_weightin'; did you mean 'equal_weighting'?"),
        (paired(methods=[]), "at least 1 item"),
        (paired(measure="probe_accuracy"), "'classifiers' must be given for probe_accuracy"),
        (paired(classifiers=["knn"]), "'classifiers' must be given for probe_accuracy, and only there"),
        (paired(each=["method"], margin=0.5), "'margin' needs a single test"),
        (paired(tasks="new"), "delta_m is about trained tasks only"),
        (paired(reference={"regularizer": "dgr"}), "treatment and reference are the same"),
        (cost(tolerance=1.5), "less than 1"),
        (cost(at_mots=1.0), "unknown key 'at_mots'; did you mean 'at_most'?"),
        (cost(kind="test"), "comparisons.0"),
    ],
)
def test_mistakes_in_the_file_are_named(comparison, message):
    with pytest.raises(DGRError) as error:
        claims_of(comparison)
    assert message in str(error.value)


def test_ids_are_given_once():
    with pytest.raises(DGRError, match="the ids X1 are given twice"):
        claims_of(paired(), cost())


def test_no_file_or_another_one(tmp_path):
    with pytest.raises(DGRError, match=r"claims.yaml is missing"):
        load_claims(tmp_path / "claims.yaml")
    (tmp_path / "claims.yaml").write_text("- C1\n")
    with pytest.raises(DGRError, match="must hold one key, 'claims'"):
        load_claims(tmp_path / "claims.yaml")


def test_a_suite_decides_over_the_methods_it_is_configured_with(shipped):
    cells = {("equal_weighting", name) for name in ("none", "dgr", "norm")} | {("imtl", "none"), ("imtl", "dgr")}
    by_id = {one.id: one for claim in of_runs(shipped, cells).claims for one in claim.comparisons}
    assert by_id["C2a"].methods == ["equal_weighting", "imtl"]
    assert by_id["C2b"].methods == ["equal_weighting"]
    # The treatment names its method: EW with DGR against each other method alone.
    assert by_id["C3b"].methods == ["equal_weighting", "imtl"]
    assert by_id["C4a"] in [one for claim in shipped.claims for one in claim.comparisons]


def test_a_suite_without_any_of_the_methods_leaves_a_comparison_to_be_not_run(shipped):
    assert of_runs(shipped, {("single_task", "none")}) == shipped


def test_costs_are_decided_where_steps_are_timed(shipped):
    ids = {
        (runs, costs): {one.id for claim in measured_by(shipped, "mini", runs, costs) for one in claim.comparisons}
        for runs in (True, False)
        for costs in (True, False)
    }
    assert ids[False, True] == {"C4a", "C4b"}
    assert ids[True, False] | ids[False, True] == ids[True, True]
    assert not ids[True, False] & ids[False, True]
    assert ids[False, False] == set()


def test_a_claim_of_one_suite_is_no_claim_of_another():
    claims = load_claims(Path("paper_configs/claims.yaml"))
    faces = [claim for claim in claims.claims if claim.suites == ["faces_gpu"]]
    assert [claim.id for claim in faces] == ["G1"]
    for suite, has_it in (("faces_gpu", True), ("faces_gpu-seeds-0-1", True), ("mini", False), ("utkface64", False)):
        assert ("G1" in {claim.id for claim in measured_by(claims, suite, True, False)}) == has_it
    assert "G1" not in {claim.id for claim in measured_by(claims, "faces_gpu", False, True)}
