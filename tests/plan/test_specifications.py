"""Which specifications a file describes, and how each changes the base configuration."""

import itertools
from collections import Counter

import pytest
import yaml
from specification_records import CHOICES, specification_file

from dgr.config.parsing import parse
from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS
from dgr.plan.expand import make_plans
from dgr.plan.specifications import specifications
from dgr.plan.suite_files import SpecificationFile
from dgr.plan.suites import find_suite

CURVE = CONFIGS / "multiverse" / "M1.yaml"


@pytest.fixture(scope="module")
def shipped(request):
    data = yaml.safe_load((request.config.rootpath / CURVE).read_text())
    return list(specifications(parse(SpecificationFile, data, "M1.yaml")))


def test_the_others_are_crossed_and_the_balanced_choice_is_spread_evenly_over_them(shipped):
    chosen = [choices for choices, _ in shipped]
    assert len(chosen) == 4 * 2 * 2 * 2 * 2
    others = [name for name in chosen[0] if name != "learning_rate"]
    assert len({tuple(each[name] for name in others) for each in chosen}) == len(chosen)
    for name in others:
        counts = Counter((each[name], each["learning_rate"]) for each in chosen)
        options = {each[name] for each in chosen}
        # In a Latin square each pair would occur n / (3 · options) times; no pair is off by more than one.
        fair = len(chosen) / (3 * len(options))
        pairs = itertools.product(options, ("half", "usual", "double"))
        assert all(abs(counts[pair] - fair) <= 1 for pair in pairs), (name, counts)


def test_options_set_values_before_factors_multiply_them(shipped):
    runs = {tuple(choices.values()): sweep.run for choices, sweep in shipped}
    run = runs["faces", "wide", "batchnorm", "sgd", "usual", "short"]
    assert (run.dataset, run.architecture.channels, run.architecture.pooling) == ("utkface32_third", [16, 32], 1)
    assert run.architecture.batch_norm
    assert (run.training.optimizer, run.training.momentum, run.training.learning_rate) == ("sgd", 0.9, 0.05)
    assert run.training.epochs == 3, "a quarter of the 12 that this data set needs"
    rates = {
        (choices["optimizer"], choices["learning_rate"]): sweep.run.training.learning_rate for choices, sweep in shipped
    }
    assert rates == {
        **{("adam", name): rate for name, rate in {"half": 0.002, "usual": 0.004, "double": 0.008}.items()},
        **{("sgd", name): rate for name, rate in {"half": 0.025, "usual": 0.05, "double": 0.1}.items()},
    }


def test_whole_numbers_stay_whole():
    choices = {"epochs": {"most": {"times": {"training.epochs": 2.6}}}, "rate": {"usual": {}}}
    ((_, sweep),) = specifications(specification_file(choices=choices))
    assert sweep.run.training.epochs == 3


def test_every_specification_trains_all_arms(shipped):
    assert {len(sweep.points()) for _, sweep in shipped} == {11}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"balanced": "ratio"}, r"^Suite 'curve' has no choice 'ratio'; did you mean 'rate'\?$"),
        (
            {"choices": CHOICES | {"width": {"wide": {"set": {"architecture.chanels": [4]}}}}},
            r"^Specification wide-short-usual changes 'architecture\.chanels', which is no setting of a run; .*$",
        ),
        (
            {"choices": CHOICES | {"width": {"wide": {"set": {"architecture.channels": "many"}}}}},
            r"^specification wide-short-usual: .*architecture\.channels",
        ),
        ({"region": 0.0}, r"^M1\.yaml: region: .*greater than 0"),
        ({"arms": [{"name": "none"}]}, r"^M1\.yaml: arms: .*at least 2"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(DGRError, match=sentence):
        list(specifications(specification_file(**changes)))


def test_a_suite_of_specifications_has_nothing_else(project):
    """Its tables are about all data sets, and those of runs about one."""
    folder = project / CONFIGS / "mini"
    data = specification_file(suite="mini").model_dump(mode="json")
    (folder / "M1.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(DGRError, match=r"mini: it has specifications and also .*runs.*; move these into another suite"):
        make_plans(project / CONFIGS)


def test_the_plan_names_the_options_under_the_keys_of_the_sweeps(request):
    configs = request.config.rootpath / CONFIGS
    suite = find_suite("multiverse", configs)
    plan = next(plan for plan in make_plans(configs, [suite]).values() if plan.get("specifications"))
    assert list(plan["specifications"]) == list(plan["sweeps"])
    for key, entry in plan["specifications"].items():
        assert "-".join(entry["choices"].values()) == plan["sweeps"][key]["name"]
        assert entry["region"] == 0.005
    tables = [entry for entry in plan["tables"].values() if entry["suite"] == "multiverse"]
    assert all("dataset" not in entry for entry in tables), "they are about all of them"
