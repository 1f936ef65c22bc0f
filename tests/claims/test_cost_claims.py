"""Claims on costs: the interval of the ratio within a round decides, on the architecture that the claim names."""

from dataclasses import replace

import numpy as np
import pytest
from made_up_records import claims_of, cost, make_costs, make_records
from scipy import stats

from dgr.claims import load_claims, run_verdicts
from dgr.claims.comparisons import CostComparison
from dgr.claims.schema import CLAIMS_FILE
from dgr.config.plan_file import read_plan
from dgr.core.errors import DGRError

AUTHORS = {"method": "equal_weighting", "regularizer": "authors"}


def decide(costs, *comparisons):
    found = run_verdicts(replace(make_records(), costs=costs), claims_of(*comparisons).claims)
    return found[0] if len(found) == 1 else found


@pytest.mark.parametrize(("at_most", "decision"), [(1.10, "supported"), (1.04, "undecided"), (1.0, "opposite")])
def test_the_interval_decides_against_the_bound(at_most, decision):
    costs = make_costs()
    verdict = decide(costs, cost(at_most=at_most))
    table = costs.pivot(index="round", columns=["regularizer", "num_dummies"], values="seconds_per_step")
    ratios = np.sort(table["dgr", 1] / table["none", 0])
    below = int(stats.binom.ppf(0.025, 30, 0.5))  # the tenth of thirty, from either end
    wanted = (np.median(ratios), ratios[below - 1], ratios[30 - below])
    assert verdict.decision == decision
    assert verdict.ratio[:3] == pytest.approx(wanted)
    assert verdict.ratio.rounds == 30
    assert verdict.reason == ("the interval holds the bound 1.04" if decision == "undecided" else "")


def test_slow_rounds_do_not_matter_since_they_slow_both_sides():
    costs = make_costs()
    slowed = costs.assign(seconds_per_step=costs["seconds_per_step"] * (1 + 9 * (costs["round"] % 2)))
    assert decide(slowed, cost()).ratio == pytest.approx(decide(costs, cost()).ratio)


def test_two_ratios_of_a_claim_share_its_error():
    alone = decide(make_costs(), cost())
    both = decide(make_costs(), cost(), cost(id="X2", reference=AUTHORS, at_most=1.0))
    assert both[0].ratio.low <= alone.ratio.low < alone.ratio.high <= both[0].ratio.high
    assert both[0].ratio.high - both[0].ratio.low > alone.ratio.high - alone.ratio.low
    assert [verdict.decision for verdict in both] == ["supported", "supported"]
    assert both[1].ratio.median == pytest.approx(1.04 / 3, rel=0.02)


def test_dummies_are_those_that_the_comparison_names():
    assert decide(make_costs(), cost(num_dummies=4)).ratio.median == pytest.approx(1.2, rel=0.01)
    assert decide(make_costs(), cost(num_dummies=4, reference=AUTHORS)).ratio.median == pytest.approx(
        1.2 / 11, rel=0.02
    )


@pytest.mark.parametrize(
    ("costs", "reason"),
    [
        (make_costs(rounds=29), "29 rounds are fewer than 30"),
        (make_costs(plain=0.004), "a step of 4.0 ms is too short to say what the model costs"),
    ],
)
def test_few_rounds_and_short_steps_decide_nothing(costs, reason):
    verdict = decide(costs, cost(at_most=2.0))
    assert (verdict.decision, verdict.reason) == ("undecided", reason)


@pytest.mark.parametrize(
    ("costs", "changes", "reason"),
    [
        (make_costs(), {"architecture": "resnet50"}, "no cost measurement of resnet50"),
        (make_costs().query("num_dummies != 4"), {"num_dummies": 4}, "no cost measurement of EW + DGR (num_dummies 4)"),
        (make_costs().query("regularizer != 'none'"), {}, "no cost measurement of EW alone"),
    ],
)
def test_what_was_not_timed_is_not_run(costs, changes, reason):
    verdict = decide(costs, cost(**changes))
    assert (verdict.decision, verdict.reason) == ("not run", reason)


def test_damaged_rounds_are_one_sentence():
    costs = make_costs()
    for damaged in (costs.drop(index=3), costs.loc[[*costs.index, 3]]):
        with pytest.raises(DGRError, match="The cost of equal_weighting with none does not have every round once"):
            decide(damaged, cost())
    with pytest.raises(DGRError, match="positive numbers of seconds; measure again"):
        decide(costs.assign(seconds_per_step=0.0), cost())


def test_the_shipped_claims_are_decided_on_a_model_that_is_timed_often_enough():
    entries = {entry["architecture"]["name"]: entry for entry in read_plan()["costs"].values()}
    claims = load_claims(CLAIMS_FILE).claims
    found = [c for claim in claims for c in claim.comparisons if isinstance(c, CostComparison)]
    assert [c.id for c in found] == ["C4a", "C4b"]
    for comparison in found:
        entry = entries[comparison.architecture]
        assert entry["rounds"] >= 30
        assert comparison.num_dummies in entry["num_dummies"]
