"""What a suite's file leaves to tuning: each mistake is one sentence, and what is planned is what the file says."""

from pathlib import Path

import pytest
import yaml

from dgr.config.parsing import parse
from dgr.core.errors import DGRError
from dgr.plan.expand import make_plans
from dgr.plan.suite_files import TableFile
from dgr.plan.tuning import check_tuning, tuning_of
from dgr.training.configuration import RunConfig

HERE = Path("T1.yaml")
JOINT = {"learning_rates": [0.1, 0.2], "strengths": [1.0, 2.0], "seeds": [7, 8]}
ALONE = {"learning_rates": [0.1, 0.2, 0.3, 0.4], "seeds": [7, 8]}
MATCHED = {"rule": "matched_norm", "matches": "dgr", "strengths": [1.0, 2.0], "seeds": [7, 8]}


def table(rate="tuned", **arms):
    """A file with these arms, each with its tuning and, where it has one, a strength that is left to it."""
    arms = {"none": ALONE, "dgr": JOINT, "norm_matched": MATCHED} | arms

    def block(name, tuning):
        strength = {} if name in ("none", "normalized") else {"strength": "tuned"}
        extra = {"methods": tuning.pop("methods")} if tuning and "methods" in tuning else {}
        return {"use": {"name": name} | strength, "tuning": tuning, **extra}

    data = {
        "kind": "runs",
        "suite": "toy",
        "dataset": "digits",
        "architecture": {"name": "conv", "channels": [2], "width": 4, "hidden": 3},
        "training": {"epochs": 1, "batch_size": 4, "learning_rate": rate},
        "seeds": [0, 1],
        "methods": [{"name": "equal_weighting"}, {"name": "pcgrad"}],
        "regularizers": [block(name, tuning and dict(tuning)) for name, tuning in arms.items()],
    }
    return parse(TableFile, data, str(HERE))


def test_a_file_in_which_every_arm_tries_as_much_is_accepted():
    check_tuning(table(), HERE)
    check_tuning(table(normalized=ALONE), HERE)
    strengths_alone = {"strengths": [1.0, 2.0], "seeds": [7]}
    check_tuning(table(rate=0.1, none=None, dgr=strengths_alone), HERE)


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ({"dgr": None}, "regularizer 'dgr' must have a tuning block exactly when its strength or learning rate is 'tu"),
        ({"rate": 0.1}, "regularizer 'none' must have a tuning block exactly when"),
        ({"rate": 0.1, "none": None}, "'dgr' must have 'learning_rates' in its tuning exactly when the learning rate"),
        ({"dgr": ALONE}, "regularizer 'dgr' must have 'strengths' in its tuning exactly when its strength is 'tuned'"),
        ({"none": JOINT}, "regularizer 'none' must have 'strengths' in its tuning exactly when its strength is 'tuned"),
        ({"dgr": JOINT | {"learning_rates": None}}, "'dgr' must have 'learning_rates' in its tuning exactly when"),
        ({"dgr": JOINT | {"seeds": [8, 1]}}, r"'dgr': seeds \[1\] are used for tuning and for reporting; keep them ap"),
        ({"none": JOINT | {"strengths": None}}, "must try equally many settings, but 'none' has 2, 'dgr' has 4"),
        ({"norm_matched": MATCHED | {"matches": "drg"}}, "'drg', which is no arm with a choice.*; did you mean 'dgr'"),
        ({"norm_matched": MATCHED | {"matches": "norm_matched"}}, "matches 'norm_matched', which is no arm with a cho"),
        ({"dgr": JOINT | {"methods": ["pcgrad"]}}, "matches 'dgr', but has methods that 'dgr' lacks; give both the sa"),
    ],
)
def test_a_tuning_that_could_not_be_done_or_would_favour_an_arm_is_refused(arms, message):
    with pytest.raises(DGRError, match=message) as caught:
        check_tuning(table(**arms), HERE)
    assert str(caught.value).startswith("T1.yaml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ({"dgr": JOINT | {"strengths": [2.0, 1.0]}}, r"the strengths of tuning must rise, but are \[2.0, 1.0\]"),
        ({"dgr": JOINT | {"learning_rates": [0.1, 0.1]}}, "the learning_rates of tuning must rise, but are"),
        ({"dgr": {"seeds": [7]}}, "tuning needs learning_rates, strengths or both"),
        ({"dgr": JOINT | {"seeds": []}}, "seeds: .*at least 1"),
        ({"dgr": JOINT | {"finalists": 0}}, "finalists: .*greater than 0"),
        ({"dgr": JOINT | {"extensions": -1}}, "extensions: .*greater than or equal to 0"),
        ({"dgr": JOINT | {"learning_rates": [0.0, 0.1]}}, "learning_rates.*greater than 0"),
        ({"norm_matched": MATCHED | {"matches": None}}, "'matches' names a regularizer exactly with the rule matched_"),
        ({"dgr": JOINT | {"matches": "norm"}}, "'matches' names a regularizer exactly with the rule matched_norm"),
        ({"norm_matched": MATCHED | {"learning_rates": [0.1]}}, "matched_norm takes strengths, and the learning rate "),
        ({"dgr": JOINT | {"finalist": 2}}, "unknown key 'finalist'; did you mean 'finalists'"),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused(arms, message):
    with pytest.raises(DGRError, match=message) as caught:
        table(**arms)
    assert "\n" not in str(caught.value)


def test_reported_seeds_are_no_part_of_a_tuning():
    """Another reported seed must not repeat the tuning."""
    block = next(block for block in table().regularizers if block.use.name == "norm_matched")
    run = {
        "suite": "toy",
        "dataset": "digits",
        "architecture": {"name": "conv", "channels": [2], "width": 4, "hidden": 3},
        "method": {"name": "pcgrad"},
        "regularizer": block.use.model_dump(),
        "training": {"epochs": 1, "batch_size": 4, "learning_rate": "tuned"},
    }
    tunings = [tuning_of(block.tuning, RunConfig(**run, seeds=seeds)) for seeds in ([0], [0, 1])]
    assert tunings[0] == tunings[1]
    assert tunings[0].run.seeds == [7, 8]
    assert tunings[0].matched == "toy-digits-conv-pcgrad-dgr"


def test_what_is_matched_stands_in_a_list_of_its_own(project):
    plan = make_plans(Path("paper_configs"))[Path("plan.json")]
    assert list(plan["tuning"]) == ["mini-multimnist-conv-equal_weighting-dgr"]
    assert list(plan["matching"]) == ["mini-multimnist-conv-equal_weighting-norm_matched"]
    assert plan["matching"]["mini-multimnist-conv-equal_weighting-norm_matched"]["matched"] in plan["tuning"]


def test_what_the_project_configures_passes():
    for path in sorted((Path(__file__).parents[2] / "paper_configs").glob("*/*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        if data["kind"] == "runs":
            check_tuning(parse(TableFile, data, str(path)), path)
