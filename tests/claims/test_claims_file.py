from pathlib import Path

import pytest
from made_up_records import claims_of, cost, make_records, paired, shipped_claims

from dgr.claims import load_claims, own_tests, run_verdicts
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
    by_about = {}
    for claim in shipped.claims:
        by_about.setdefault(claim.about, []).append(claim.id)
    assert by_about["paper"] == ["C1", "C2", "C3", "C4", "C5"]
    assert by_about["control"] == ["C1m", "C1n", "C1z", "C2x", "C3x"]
    comparisons = {claim.id: claim.comparisons for claim in shipped.claims}
    for name in ("C1m", "C1n", "C1z"):
        asked = [(one.measure, one.tasks) for one in comparisons[name] if one.treatment.regularizer == "dgr"]
        assert asked == [(one.measure, one.tasks) for one in comparisons["C1"]]
        assert len(asked) == len(set(asked)) == 8
    for name in ("C2x", "C3x"):
        against = {one.reference.regularizer for one in comparisons[name]}
        assert against == {"norm", "norm_matched", "normalized"}


def test_what_the_paper_claims_has_a_positive_control_that_can_fail(shipped):
    """None of the gates compares with DGR, whose effect is what is asked."""
    comparisons = {one.id: one for claim in shipped.claims for one in claim.comparisons}
    for claim in shipped.claims:
        for one in claim.comparisons:
            if claim.about != "own" and one.kind == "paired":
                assert comparisons[one.gate].measure == ("refitted_loss" if "C1" in claim.id else one.measure)
                assert {comparisons[one.gate].treatment.regularizer, one.gate[:2]} == {"none", "P0"}


def test_every_multi_task_method_is_in_the_claims(shipped):
    """Of those that DGR's authors cross it with (FACTS); methods of other papers came later."""
    for claim in shipped.claims:
        for comparison in claim.comparisons:
            if comparison.kind == "paired":
                assert set(comparison.methods) == CROSSED


def test_every_test_gets_a_verdict(shipped):
    records = make_records(methods=[name for name in METHODS if name != "single_task"])
    found = run_verdicts(records, shipped.claims)
    decisions = {verdict.comparison.id: verdict.decision for verdict in found}
    assert len(decisions) == len(found) == sum(len(own_tests(claim).comparisons) for claim in shipped.claims)
    assert (decisions["P0a"], decisions["C2a"]) == ("not run", "assay failed")
    assert decisions["C4a"] == decisions["C4b"] == "not run", "costs are decided on ResNet-50, which was not timed"
    without_gate = run_verdicts(records, [claim for claim in shipped.claims if claim.id != "P0"])
    ungated = {verdict.comparison.id: verdict.decision for verdict in without_gate}
    assert {ungated[name] for name in ("C2a", *(f"C5a-{method}" for method in CROSSED))} == {"supported"}
    # Arms and classifiers that these records lack.
    assert {decisions[name] for name in ("C1ma", "C2ra", "C3a")} == {"not run"}


def test_verdicts_are_computed_never_typed():
    text = Path("paper_configs/claims.yaml").read_text()
    with pytest.raises(DGRError, match="unknown key 'verdict'"):
        claims_of(paired(verdict="supported"))
    assert "\n        verdict:" not in text


@pytest.mark.parametrize(
    ("comparison", "message"),
    [
        (paired(direction="up"), "comparisons.0.paired.direction: Input should be 'higher', 'lower' or 'none'"),
        (paired(methods=["equal_weightin"]), "unknown method 'equal_weightin'; did you mean 'equal_weighting'?"),
        (paired(methods=[]), "at least 1 item"),
        (paired(measure="probe_accuracy"), "'classifiers' must be given for probe_accuracy"),
        (paired(classifiers=["knn"]), "'classifiers' must be given for probe_accuracy, and only there"),
        (paired(region=0), "greater than 0"),
        ({k: v for k, v in paired().items() if k != "region"}, "paired.region: Field required"),
        (paired(region=0.4), "region 0.4 is not 0.5 as for all of delta_m; say why in 'region_reason'"),
        (paired(margin=0.5), "unknown key 'margin'"),
        (paired(id="X-1"), "should match pattern"),
        (paired(gate="P1"), "the gate 'P1' of X1 is no comparison"),
        (paired(tasks="new"), "delta_m is about trained tasks only"),
        (paired(reference={"regularizer": "dgr"}), "treatment and reference are the same"),
        (cost(tolerance=0.02), "unknown key 'tolerance'"),
        ({k: v for k, v in cost().items() if k != "architecture"}, "cost.architecture: Field required"),
        (cost(at_mots=1.0), "unknown key 'at_mots'; did you mean 'at_most'?"),
        (cost(kind="test"), "comparisons.0"),
    ],
)
def test_mistakes_in_the_file_are_named(comparison, message):
    with pytest.raises(DGRError) as error:
        claims_of(comparison)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"about": "papers"}, "Input should be 'paper', 'control' or 'own'"),
        ({"alpha": None}, "claims.0.alpha: Input should be a valid number"),
    ],
)
def test_a_claim_says_what_it_is_about_and_its_error(changes, message):
    with pytest.raises(DGRError) as error:
        claims_of(paired(), **changes)
    assert message in str(error.value)


def test_a_region_of_its_own_has_a_reason():
    assert claims_of(paired(region=1.0, region_reason="as wide as the spread")).claims[0].comparisons[0].region == 1.0


def test_a_gate_has_no_gate():
    with pytest.raises(DGRError, match="the gate 'X2' of X1 has a gate itself"):
        claims_of(paired(gate="X2"), paired(id="X2", gate="X1"))


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
    by_id = {one.id: one for claim in of_runs(shipped.claims, cells) for one in claim.comparisons}
    assert by_id["C2a"].methods == ["equal_weighting", "imtl"]
    assert by_id["C2xa"].methods == ["equal_weighting"]
    # The treatment names its method: EW with DGR against each other method alone.
    assert by_id["C3c"].methods == ["equal_weighting", "imtl"]
    assert by_id["C4a"] in [one for claim in shipped.claims for one in claim.comparisons]


def test_a_suite_without_any_of_the_methods_leaves_a_comparison_to_be_not_run(shipped):
    assert of_runs(shipped.claims, {("single_task", "none")}) == shipped.claims


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


def test_a_suite_without_probes_is_asked_for_delta_m_alone(shipped):
    asked, of_all = (
        {one.id for claim in measured_by(shipped, "nyu", True, False, probed) for one in claim.comparisons}
        for probed in (False, True)
    )
    assert asked == {"P0a", "C2a", "C2xa", "C2xb", "C2xc", "C2xd", "C5a"}
    assert {"P0b", "C1a", "C3a"} <= of_all


def test_a_claim_of_one_suite_is_no_claim_of_another():
    claims = load_claims(Path("paper_configs/claims.yaml"))
    faces = [claim for claim in claims.claims if claim.suites == ["faces_gpu"]]
    assert [claim.id for claim in faces] == ["G1"]
    for suite, has_it in (("faces_gpu", True), ("faces_gpu-seeds-0-1", True), ("mini", False), ("faces", False)):
        assert ("G1" in {claim.id for claim in measured_by(claims, suite, True, False)}) == has_it
    assert "G1" not in {claim.id for claim in measured_by(claims, "faces_gpu", False, True)}
