"""How tuning chooses, with made outcomes: what is tried, in what order, what is taken, and what lies beyond a grid."""

import math

import pytest

from dgr.core.errors import DGRError
from dgr.training.choice import Setting, Tried, choose_best, choose_matched, ranked
from dgr.training.configuration import TuningConfig

METRICS, DIRECTIONS = {"a": "accuracy", "b": "error"}, {"a": True, "b": False}
DIVERGED = {"val": None, "mean_norm": None}


def config(regularizer=None, training=None, **rule):
    tuned = rule.get("strengths") is not None
    run = {
        "suite": "toy",
        "dataset": "digits",
        "architecture": {"name": "conv", "channels": [2], "width": 4, "hidden": 3},
        "method": {"name": "equal_weighting"},
        "regularizer": {"name": regularizer or "dgr", "strength": "tuned"} if tuned else {"name": "none"},
        "seeds": [7, 8],
        "training": {"epochs": 1, "batch_size": 4, "learning_rate": "tuned"} | (training or {}),
    }
    return TuningConfig(**({"seeds": [7, 8]} | rule), run=run)


def both(accuracy, norm=1.0):
    """An outcome whose second task never differs."""
    return {"val": {"a": {"accuracy": accuracy}, "b": {"error": 1.0}}, "mean_norm": norm}


def choose(config, accuracy):
    """The choice, and every setting and seed in the order of training; ``accuracy(setting, seed)``, None: diverged."""
    tried = Tried(lambda setting, seed: DIVERGED if (a := accuracy(setting, seed)) is None else both(a))
    return choose_best(config, tried, METRICS, DIRECTIONS), [(*setting, seed) for setting, seed in tried.rows]


def test_all_are_tried_with_the_first_seed_and_the_best_with_all():
    rule = config(learning_rates=[0.1, 0.2], strengths=[1.0, 2.0], finalists=2)
    value = {(0.1, 1.0): 0.1, (0.1, 2.0): 0.4, (0.2, 1.0): 0.3, (0.2, 2.0): 0.2}
    # The second seed turns the two finalists round.
    best, trained = choose(rule, lambda setting, seed: value[setting] + (0.3 if seed == 8 and setting[0] == 0.2 else 0))
    assert best == (0.2, 1.0)
    first, second = [(*pair, 7) for pair in value], [(0.1, 2.0, 8), (0.2, 1.0, 8)]
    assert trained == first + second
    assert (rule.settings, rule.trainings) == (4, len(trained))


def test_without_finalists_all_are_tried_with_all_seeds():
    rule = config(learning_rates=[0.1, 0.2, 0.4])
    best, trained = choose(rule, lambda setting, seed: setting[0] if seed == 7 else 0.9 - setting[0])
    assert best == (0.1, None), "means over both seeds are equal, and the earlier is taken"
    assert len(trained) == rule.trainings == 6


def test_a_setting_that_is_best_with_one_seed_and_diverges_with_another_is_not_taken():
    rule = config(learning_rates=[0.1, 0.2], finalists=2)
    assert choose(rule, lambda setting, seed: None if (setting[0], seed) == (0.2, 8) else setting[0])[0] == (0.1, None)
    with pytest.raises(DGRError, match=r"^Training diverged with every setting that was tried; lower the learning rat"):
        choose(rule, lambda setting, seed: None)


def test_scores_are_relative_improvements_averaged_over_tasks():
    settings = [Setting(rate, None) for rate in (0.1, 0.2, 0.3)]
    values = [(0.5, 1.0), (0.6, 1.1), (0.5, 0.85)]  # of a, more is better; of b, less is
    tried = {
        setting: [{"val": {"a": {"accuracy": a}, "b": {"error": b}}, "mean_norm": 1.0}]
        for setting, (a, b) in zip(settings, values, strict=True)
    }
    # Against the first: 0, (20 − 10)/2 = 5 and (0 + 15)/2 = 7.5 percent.
    assert ranked(tried, METRICS, DIRECTIONS) == [settings[2], settings[1], settings[0]]


def test_what_is_relative_to_zero_takes_the_next_reference():
    tried = {Setting(rate, None): [both(accuracy)] for rate, accuracy in ((0.1, 0.0), (0.2, 0.5), (0.3, 0.75))}
    assert [setting.learning_rate for setting in ranked(tried, METRICS, DIRECTIONS)] == [0.3, 0.2, 0.1]
    zeros = {setting: [both(0.0)] for setting in tried}
    with pytest.raises(DGRError, match="the metric 'accuracy' of task 'a' is exactly 0 there; train for more epochs"):
        ranked(zeros, METRICS, DIRECTIONS)


@pytest.mark.parametrize(
    ("peak", "extensions", "expected", "more"),
    [
        ((0.2, 2.0), 3, (0.2, 2.0), []),  # in the middle
        ((0.05, 2.0), 3, (0.05, 2.0), [0.05, 0.025]),  # the last is tried to know that it is no better
        ((0.001, 2.0), 2, (0.025, 2.0), [0.05, 0.025]),  # as far as it is allowed
        ((0.8, 2.0), 3, (0.8, 2.0), [0.8, 1.6]),
        ((0.05, 2.0), 0, (0.1, 2.0), []),
    ],
)
def test_a_choice_at_an_end_of_the_rates_tries_the_next_there(peak, extensions, expected, more):
    rule = config(learning_rates=[0.1, 0.2, 0.4], strengths=[1.0, 2.0, 4.0], finalists=3, extensions=extensions)

    def accuracy(setting, _seed):
        return 10 - sum(abs(math.log(value / best)) for value, best in zip(setting, peak, strict=True))

    best, trained = choose(rule, accuracy)
    assert best == pytest.approx(expected)
    beyond = dict.fromkeys(row[0] for row in trained if row[0] not in rule.learning_rates)
    assert list(beyond) == pytest.approx(more)
    assert all(row[1] == 2.0 for row in trained if row[0] in beyond), "along the line of the best"
    assert all({(rate, 2.0, seed) for seed in rule.seeds} <= set(trained) for rate in beyond), "with all seeds"


def test_each_end_of_each_grid_has_its_own_limit():
    rule = config(learning_rates=[0.1, 0.2], strengths=[1.0, 2.0], extensions=2)
    best, trained = choose(rule, lambda setting, seed: setting.strength / setting.learning_rate)
    assert best == pytest.approx((0.025, 8.0))
    assert len(trained) == 2 * (4 + 4)


def test_a_strength_that_there_cannot_be_is_not_tried():
    rule = config("dropout", learning_rates=[0.1], strengths=[0.3, 0.6], extensions=3)
    best, trained = choose(rule, lambda setting, seed: setting.strength)
    assert best == (0.1, 0.6), "the next would be a probability of 1.2"
    assert {strength for _, strength, _ in trained} == {0.3, 0.6}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_grid_that_starts_at_zero_has_no_ratio_to_go_on_with(sign):
    rule = config("norm", learning_rates=[0.1], strengths=[0.0, 0.5], extensions=3)
    best, trained = choose(rule, lambda setting, seed: 1 + sign * setting.strength)
    assert best == (0.1, 0.5 if sign > 0 else 0.0)
    assert len(trained) == 4


def test_an_extension_that_diverges_ends_there():
    rule = config(learning_rates=[0.1, 0.2], extensions=3)
    best, trained = choose(rule, lambda setting, seed: setting.learning_rate if setting.learning_rate < 0.3 else None)
    assert best == (0.2, None)
    assert {rate for rate, *_ in trained} == {0.1, 0.2, 0.4}


def test_a_rate_that_is_not_tuned_stays():
    rule = config(strengths=[1.0, 2.0], training={"learning_rate": 0.3}, extensions=1)
    best, trained = choose(rule, lambda setting, seed: setting.strength)
    assert best == (0.3, 4.0)
    assert {rate for rate, *_ in trained} == {0.3}


def matched(norm, wanted, strengths=(0.01, 0.1, 1.0), extensions=3):
    """What the rule finds where ``norm(strength)`` is the mean ‖z‖ with both seeds, and the strengths that it tried."""
    rule = config("norm_matched", rule="matched_norm", matches="dgr", strengths=list(strengths), extensions=extensions)
    tried = Tried(lambda setting, seed: DIVERGED if (n := norm(setting.strength)) is None else both(0.5, n))
    setting, expected = choose_matched(rule, tried, 0.25, wanted)
    assert setting.learning_rate == 0.25
    return setting.strength, expected, [s.strength for s, seed in tried.rows if seed == rule.seeds[0]]


def power_law(strength):
    """A straight line in logarithms, on which interpolation is exact."""
    return 3.0 * strength**-0.5


@pytest.mark.parametrize("wanted", [3.5, 9.0, 20.0, 30.0])
def test_a_matched_strength_is_exact_on_a_power_law(wanted):
    strength, expected, tried = matched(power_law, wanted)
    assert strength == pytest.approx((wanted / 3.0) ** -2, rel=1e-3)  # four digits are kept
    assert expected == pytest.approx(wanted)
    assert tried == [0.01, 0.1, 1.0]


@pytest.mark.parametrize(("wanted", "more"), [(80.0, [0.001]), (0.5, [10.0, 100.0])])
def test_a_norm_outside_the_grid_extends_it(wanted, more):
    strength, expected, tried = matched(power_law, wanted)
    assert tried == pytest.approx([0.01, 0.1, 1.0, *more])
    assert strength == pytest.approx((wanted / 3.0) ** -2, rel=1e-3)
    assert expected == pytest.approx(wanted)


@pytest.mark.parametrize(("wanted", "end"), [(1e9, 0.001), (1e-9, 10.0)])
def test_what_no_strength_reaches_is_matched_as_far_as_they_go_and_says_so(wanted, end):
    strength, expected, _ = matched(power_law, wanted, extensions=1)
    assert strength == pytest.approx(end)
    assert expected == pytest.approx(power_law(end))


def test_the_mean_over_seeds_is_matched():
    rule = config("norm_matched", rule="matched_norm", matches="dgr", strengths=[1.0, 4.0])
    tried = Tried(lambda setting, seed: both(0.5, (3.0 if seed == 7 else 1.0) / setting.strength))
    setting, _ = choose_matched(rule, tried, 0.1, 1.0)
    assert setting.strength == pytest.approx(2.0)


def test_strengths_without_a_representation_are_left_out_of_matching():
    strength, _, _ = matched(lambda s: {0.01: 8.0, 0.1: 2.0}.get(s, 0.0), 4.0)
    assert strength == pytest.approx(math.sqrt(0.01 * 0.1), rel=1e-3)
    strength, _, _ = matched(lambda s: None if s == 1.0 else power_law(s), 9.0)
    assert strength == pytest.approx(1 / 9, rel=1e-3), "between 0.1 and the next, which is 10"
    for nothing in (lambda s: 0.0, lambda s: None, lambda s: 2.0 if s == 0.1 else 0.0):
        with pytest.raises(DGRError, match=r"^toy-digits-conv-equal_weighting-norm_matched: fewer than two strengths"):
            matched(nothing, 1.0)


def test_a_grid_from_zero_is_matched_without_it():
    strength, expected, tried = matched(lambda s: 10.0 if s == 0 else 3.0 / s, 100.0, strengths=(0.0, 1.0, 2.0))
    assert (strength, tried) == (1.0, [0.0, 1.0, 2.0])
    assert expected == pytest.approx(3.0)
