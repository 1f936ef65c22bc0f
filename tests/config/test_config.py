import json
from pathlib import Path
from typing import Literal

import pytest
import yaml
from pydantic import PositiveFloat, RootModel

from dgr.config.parsing import Strict, parse
from dgr.config.plan_file import merged, read_plan, tunings
from dgr.config.runs import TrainingConfig
from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS, PLAN, SHARED, STAGES, SUITES
from dgr.plan.expand import dump, make_plans
from dgr.plan.files import write_plans
from dgr.training.configuration import RunConfig

TABLE = CONFIGS / "mini" / "T1.yaml"
PROJECT = Path(__file__).parents[2]


def edit_table(edit):
    table = yaml.safe_load(TABLE.read_text())
    edit(table)
    TABLE.write_text(yaml.safe_dump(table))


def make_plan(configs):
    return merged(list(make_plans(configs).values()))


def test_the_committed_plans_are_current():
    plans = make_plans(PROJECT / CONFIGS)
    assert set(plans) == {PLAN} | {path.relative_to(PROJECT) for path in PROJECT.glob(f"{SUITES}/*/{PLAN}")}
    for path, plan in plans.items():
        assert (PROJECT / path).read_text() == dump(plan), "run `python -m dgr plan`"


def test_every_other_suite_has_the_same_stages():
    own = (PROJECT / STAGES).read_text(encoding="utf-8")
    for folder in {path.parent for path in (PROJECT / SUITES).glob(f"*/{PLAN}")} - {PROJECT / SHARED}:
        head, stages = (folder / STAGES.name).read_text(encoding="utf-8").split("\n", 1)
        assert "change that one" in head
        assert stages == own


def test_two_suites_may_share_a_data_set(project):
    other = CONFIGS / "other"
    other.mkdir()
    (other / "T1.yaml").write_text(TABLE.read_text().replace("suite: mini", "suite: other"))
    plan = make_plan(CONFIGS)
    assert set(plan["datasets"]) == {"multimnist"}
    assert {entry["suite"] for entry in plan["runs"].values()} == {"mini", "other"}


def test_a_file_in_the_wrong_folder_is_named(project):
    edit_table(lambda table: table.update(suite="paper"))
    with pytest.raises(DGRError, match=r"T1\.yaml: it says suite 'paper', but lies in the folder of 'mini'"):
        make_plan(CONFIGS)


def test_a_plan_is_read_back_as_it_was_made(project):
    assert read_plan() == make_plan(CONFIGS)


def test_keys_are_the_runs_own_keys():
    plan = json.loads((PROJECT / PLAN).read_text())
    for stage in ("runs", "tuned_runs"):
        assert all(RunConfig(**entry).key == key for key, entry in plan[stage].items())
    assert not set(plan["runs"]) & set(plan["tuned_runs"])
    assert set(tunings(plan)) == set(plan["tuned_runs"])
    assert not set(plan["tuning"]) & set(plan["matching"])
    for key, entry in plan["matching"].items():
        assert entry["matched"] in plan["tuning"], key


def test_tuning_seeds_are_not_reported_seeds():
    plan = json.loads((PROJECT / PLAN).read_text())
    for key, tuning in tunings(plan).items():
        assert not set(tuning["seeds"]) & set(plan["tuned_runs"][key]["seeds"])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t["training"].update(learnig_rate=1), r"T1\.yaml: training: unknown key 'learnig_rate'; di"),
        (lambda t: t.update(metods=[]), "unknown key 'metods'; did you mean 'methods'"),
        (lambda t: t["methods"].append({"name": "pcgard"}), "[Uu]nknown method 'pcgard'.*pcgrad"),
        (lambda t: t["methods"].append({"name": "cagrad", "options": {"cc": 1}}), "'cagrad' has no option 'cc'"),
        (lambda t: t["training"].update(epochs=0), r"training\.epochs: .*greater than 0 \(given: 0\)"),
        (lambda t: t.update(dataset="multimnits"), "no data set 'multimnits'; did you mean 'multimnist'"),
        (lambda t: t["regularizers"][1]["use"].update(strength=-0.1), "strength.*-0.1"),
        (lambda t: t["regularizers"][1]["use"].update(epsilon=0), "epsilon.*greater than 0"),
        (lambda t: t["regularizers"][1]["use"].update(num_dummies=0), "num_dummies.*greater than 0"),
        (lambda t: t["regularizers"][1]["use"].update(name="dgrr"), "dgrr"),
        (lambda t: t["regularizers"][1].update(methods=["ew"]), "regularizer 'dgr' names method 'ew'"),
        (
            lambda t: (t["methods"][1].update(name="pcgradd"), t["regularizers"][1].update(methods=["pcgrad"])),
            "unknown method 'pcgradd'; did you mean 'pcgrad'",  # and not that 'pcgrad' is meant to be 'pcgradd'
        ),
        (lambda t: t["methods"].append({"name": "mgdaa"}), r"T1\.yaml: methods.*unknown method 'mgdaa'; known:"),
        (lambda t: t.update(tables=["T9"]), "no table 'T9'"),
        (lambda t: t.update(figures=["F2", "F99"]), "no figure 'F99'"),
        (lambda t: t["regularizers"][1].pop("tuning"), "tuning block exactly when"),
        (lambda t: t["regularizers"][1]["tuning"].update(seeds=[0]), r"seeds \[0\] are used for tuning and"),
        (lambda t: t["regularizers"][1]["tuning"].update(rule="best"), "rule"),
        (lambda t: t.pop("seeds"), "seeds: Field required"),
    ],
)  # fmt: skip
def test_mistakes_are_named_in_one_sentence(project, edit, message):
    edit_table(edit)
    with pytest.raises(DGRError, match=message) as caught:
        write_plans()
    assert "\n" not in str(caught.value)


def test_two_tables_may_share_a_run_but_not_describe_it_differently(project):
    copy = TABLE.with_name("T9.yaml")
    copy.write_text(TABLE.read_text())
    assert make_plan(CONFIGS)["runs"] == read_plan()["runs"]
    copy.write_text(TABLE.read_text().replace("epochs: 1", "epochs: 2"))
    with pytest.raises(DGRError, match=r"mini-.* is described differently"):
        make_plan(CONFIGS)


def test_a_missing_file_is_named(project):
    (CONFIGS / "datasets.yaml").unlink()
    with pytest.raises(DGRError, match=r"datasets\.yaml is missing"):
        make_plan(CONFIGS)


def test_a_broken_file_is_named(project):
    TABLE.write_text("a: [")
    with pytest.raises(DGRError, match=r"T1\.yaml is not readable YAML"):
        make_plan(CONFIGS)


def test_settings_are_immutable():
    config = parse(TrainingConfig, {"epochs": 1, "batch_size": 1, "learning_rate": "1e-3"}, "here")
    assert config.learning_rate == 1e-3
    with pytest.raises(ValueError, match="frozen"):
        config.epochs = 2


def test_a_rule_of_being_trained_out_is_optional_and_whole():
    least = {"epochs": 1, "batch_size": 1, "learning_rate": 0.1}
    assert parse(TrainingConfig, least, "here").trained_out is None
    rule = parse(TrainingConfig, least | {"trained_out": {"epochs": 3, "points": 1}}, "here").trained_out
    assert (rule.epochs, rule.points) == (3, 1.0)
    for wrong, message in (
        ({"epochs": 3}, r"here: trained_out\.points: Field required"),
        ({"epochs": 0, "points": 1}, r"here: trained_out\.epochs: .*greater than 0"),
        ({"epochs": 3, "points": 0}, r"here: trained_out\.points: .*greater than 0"),
        ({"epochs": 3, "points": 1, "task": "left"}, "here: trained_out: unknown key 'task'"),
    ):
        with pytest.raises(DGRError, match=message):
            parse(TrainingConfig, least | {"trained_out": wrong}, "here")


class Rate(Strict):
    rate: PositiveFloat | Literal["tuned"]


class Rates(RootModel[dict[str, Rate]]):
    pass


def test_an_error_names_each_key_and_no_type_that_was_tried():
    with pytest.raises(DGRError, match=r"^a\.yaml: wide-net\.rate: Input should be greater than 0 \(given: -1\)\.$"):
        parse(Rates, {"wide-net": {"rate": -1}}, "a.yaml")
