"""Which strength counts, and what a specification says of a question; by hand, in float64."""

import math

import numpy as np
import pytest
from scipy import stats
from specification_records import CHOICES, noisy, scope_of, specification_file

from dgr.core.errors import DGRError
from dgr.records.specification_arms import arms, trainings
from dgr.records.specification_effects import EFFECT_QUESTIONS, specification_effects

TEST = {"none": [0.800, 0.810, 0.820], 0.1: [0.830, 0.810, 0.850], 0.5: [0.900, 0.900, 0.900], 0.01: [0.81, 0.82, 0.82]}
"""By strength; 0.5 is the better one on test, and the worse one on validation."""
VALIDATION = {"none": 0.8, 0.1: 0.85, 0.5: 0.84, 0.01: 0.8}


def accuracy(choices, arm, seed, split):
    place = arm.get("strength", "none")
    return TEST[place][seed] if split == "test" else VALIDATION[place]


def diverging(strengths, seed=1, width="wide"):
    def of(choices, arm, number, split):
        if choices["width"] == width and arm.get("strength") in strengths and number == seed:
            return None
        return accuracy(choices, arm, number, split)

    return of


def effects_of(accuracy, **changes):
    return specification_effects(scope_of(specification_file(**changes), accuracy))


def test_differences_by_seed_of_the_strength_that_is_best_on_validation():
    effects = effects_of(accuracy)
    assert list(effects) == ["dgr_alone", "dgr_norm", "norm_alone"], "others are not configured"
    effect = effects["dgr_alone"][0]
    assert [arm.strength for arm in effect.sides] == [0.1, None]
    assert effect.differences == pytest.approx([3.0, 0.0, 3.0])
    assert effect.mean == pytest.approx(2.0)
    half = stats.t.ppf(0.975, 2) * math.sqrt(3.0) / math.sqrt(3)
    assert effect.interval == pytest.approx((2 - half, 2 + half))
    assert effect.standard_error == pytest.approx(1.0)
    assert effect.result == "undecided"
    assert effects["dgr_norm"][0].differences == pytest.approx([2.0, -1.0, 3.0])
    assert len(effects["dgr_alone"]) == 4


@pytest.mark.parametrize(
    ("shift", "noise", "result"),
    [
        (0.03, 0.001, "above region"),
        (0.006, 0.001, "above zero"),
        (0.001, 0.0005, "equivalent"),
        (-0.006, 0.001, "below zero"),
        (-0.03, 0.001, "below region"),
        (0.0, 0.02, "undecided"),
    ],
)
def test_the_result_follows_from_the_interval_and_the_region(shift, noise, result):
    """Of equally spaced differences, whose standard error is known."""

    def spaced(choices, arm, seed, split):
        return 0.8 + (shift + noise * (seed - 1) if arm["name"] == "dgr" else 0.0)

    (effect, *_) = effects_of(spaced)["dgr_alone"]
    assert effect.result == result
    low, high = effect.interval
    reach = stats.t.ppf(0.95, 2) * 100 * noise / math.sqrt(3)
    expected = {
        "equivalent": abs(100 * shift) + reach < 0.5,
        "above region": low > 0.5,
        "above zero": 0 < low < 0.5,
        "below zero": -0.5 < high < 0,
        "below region": high < -0.5,
        "undecided": low < 0 < high,
    }
    assert expected[result]


def test_a_strength_with_which_a_training_diverged_never_counts():
    effects = {effect.choices["width"]: effect for effect in effects_of(diverging([0.1]))["dgr_alone"]}
    assert effects["narrow"].sides[0].strength == 0.1
    assert effects["wide"].sides[0].strength == 0.5
    assert effects["wide"].differences == pytest.approx([10.0, 9.0, 8.0]), "all seeds, and not those that are left"


def test_an_arm_without_a_strength_left_is_named_and_has_no_effect():
    every = effects_of(diverging([0.1, 0.5]))
    for name in ("dgr_alone", "dgr_norm"):
        wide = [effect for effect in every[name] if effect.choices["width"] == "wide"]
        assert len(wide) == 2
        for effect in wide:
            assert effect.result == "diverged"
            assert effect.diverged == ("dgr",)
            assert math.isnan(effect.mean)
            assert np.isnan(effect.interval).all()
    assert not any(effect.diverged for effect in every["norm_alone"])


def test_ties_go_to_the_strength_that_stands_first():
    def tied(choices, arm, seed, split):
        return 0.8

    assert effects_of(tied)["dgr_alone"][0].sides[0].strength == 0.1


def test_a_missing_training_is_not_averaged_over():
    scope = scope_of(specification_file(), accuracy)
    sweeps = scope.records.sweeps
    first = next(iter(scope.sweeps.values()))
    one_task = sweeps[(sweeps["seed"] != 2) | (sweeps["task"] != "left") | (sweeps["sweep"] != first["name"])]
    with pytest.raises(DGRError, match=r"The records lack values of 'narrow-short-usual' at .*seed 2; run `.* collect"):
        trainings(one_task, first)
    assert len(trainings(sweeps, first)) == 4 * 3


def test_a_task_without_accuracy_is_refused():
    scope = scope_of(specification_file(), accuracy)
    sweeps = scope.records.sweeps.copy()
    sweeps.loc[sweeps["task"] == "left", "metric"] = "squared_error"
    with pytest.raises(DGRError, match=r"compare accuracy, which task 'left' of 'narrow-short-usual' does not have"):
        trainings(sweeps, next(iter(scope.sweeps.values())))


def test_arms_that_answer_no_question_are_refused():
    file = specification_file(arms=[{"name": "dropout", "strength": 0.1}, {"name": "weight_decay", "strength": 0.1}])
    with pytest.raises(DGRError, match=r"^M1 compares arms such as 'dgr' and 'none'; configure both"):
        specification_effects(scope_of(file, noisy(lambda choices, name: 0.0)))


def test_every_question_is_about_arms_of_the_shipped_curve():
    names = {"none", "dgr", "dgr_released", "norm", "normalized"}
    assert {arm for question in EFFECT_QUESTIONS for arm in (question.treatment, question.reference)} == names


def test_a_training_of_an_arm_is_a_row():
    scope = scope_of(specification_file(choices=CHOICES), accuracy)
    trained = trainings(scope.records.sweeps, next(iter(scope.sweeps.values())))
    assert set(arms(trained)) == {"none", "dgr", "norm"}
    assert trained.loc[trained["strength"] == 0.5, "test"].tolist() == pytest.approx([0.9, 0.9, 0.9])
