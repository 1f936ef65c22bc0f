"""Which suites there are, what `dgr plan` writes for them, and what it says of plans that are not current."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.testing
import yaml

from dgr.comparison import smallest_p
from dgr.config.plan_file import read_plan
from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS, HASHES, PLAN, SHARED, STAGES, SUITES
from dgr.plan.expand import make_plans
from dgr.plan.files import check_plans, write_plans
from dgr.plan.graph import OVER_ALL, suite_stages
from dgr.plan.listing import stages_of, suites
from dgr.plan.opening import open_suite
from dgr.plan.options import too_few_seeds
from dgr.plan.suites import FEWEST_FOR_A_VERDICT, find_suite, quick_look

ROOT = Path(__file__).parents[2]
TABLE = CONFIGS / "mini/T1.yaml"
OTHER = SUITES / "other"


@pytest.fixture
def planned(project):
    """The tiny suite with the project's own stages."""
    (project / ".git").mkdir()
    for name in (STAGES, SHARED / STAGES):
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    return project


@pytest.fixture
def other(planned):
    """A second suite on the same data set."""
    (CONFIGS / "other").mkdir()
    (CONFIGS / "other/T1.yaml").write_text(TABLE.read_text().replace("suite: mini", "suite: other"))


def contents():
    return {path: path.read_text() for path in (PLAN, *SUITES.rglob("*.*"))}


def test_the_committed_plans_and_stages_are_current(monkeypatch):
    monkeypatch.chdir(ROOT)
    check_plans()
    assert not [path for path in ROOT.rglob("dvc.yaml") if path.is_symlink()]


def test_a_plan_makes_and_removes_all_that_a_suite_needs(other):
    write_plans()
    check_plans()
    assert {path.name for path in OTHER.iterdir()} == {"plan.json", "hashes.json", "dvc.yaml"}
    head, stages = (OTHER / STAGES).read_text().split("\n", 1)
    assert head.startswith("# A copy of the top folder's dvc.yaml")
    assert stages == STAGES.read_text()
    (OTHER / "dvc.lock").write_text("what was run")
    write_plans()
    assert (OTHER / "dvc.lock").exists()
    (CONFIGS / "other/T1.yaml").unlink()
    (CONFIGS / "other").rmdir()
    with pytest.raises(DGRError, match=r"suites/other belongs to no suite of paper_configs; run `python -m dgr plan`"):
        check_plans()
    assert write_plans() == [OTHER]
    assert not OTHER.exists()
    check_plans()


def test_two_suites_share_a_data_set(other):
    write_plans()
    plans = [json.loads(path.read_text()) for path in (PLAN, OTHER / PLAN, SHARED / PLAN)]
    assert [plan.get("datasets", {}).keys() for plan in plans] == [set(), set(), {"multimnist"}]
    assert {run["dataset"] for plan in plans[:2] for run in plan["runs"].values()} == {"multimnist"}
    for suite in ("mini", "other"):
        stages = suite_stages(suite)
        assert set(stages["prepare"].entries) == {"multimnist"}
        assert stages["prepare"].address("multimnist") == "suites/shared/dvc.yaml:prepare@multimnist"
        for name in OVER_ALL:
            assert stages[name].address("") == f"suites/shared/dvc.yaml:{name}"


def test_a_suite_takes_the_shared_stages_that_it_needs(monkeypatch):
    monkeypatch.chdir(ROOT)
    wanted = {
        "mini": (set(), {"multimnist", "rooms"}, set()),
        "studies": (set(), set(), set()),
        "real_studies": ({"sentiment", "cifar10_small"}, set(), set()),
        "faces": ({"utkface64"}, set(), {"utkface32_seventh"}),
        "nyu": ({"nyuv2_small"}, set(), {"nyuv2_36x48"}),
        "paper": ({"utkface", "nyuv2", "cityscapes", "resnet50_imagenet"}, set(), {"utkface", "nyuv2", "cityscapes"}),
    }
    for suite, entries in wanted.items():
        stages = suite_stages(suite)
        assert tuple(set(stages[name].entries) for name in ("fetch", "prepare", "prepare_fetched")) == entries, suite
        assert [set(stages[name].entries) for name in OVER_ALL] == [{""}] * len(OVER_ALL)


@pytest.mark.parametrize("file", [PLAN, SHARED / PLAN, OTHER / PLAN, OTHER / STAGES])
def test_a_file_that_is_not_current_is_named(other, file, command):
    write_plans()
    file.write_text(file.read_text() + "\n")
    suite = "other" if file.parent == OTHER else "mini"
    sentence = f"dgr: {file} is not current; run `python -m dgr plan`, which makes it anew of what paper_configs says."
    assert command("plan", "--check") == command("plan", "--check", "--suite", suite) == sentence
    with pytest.raises(DGRError, match=re.escape(sentence.removeprefix("dgr: "))):
        open_suite({"suite": suite})
    if suite == "other":
        check_plans(find_suite("mini", CONFIGS))
    assert command("plan", "--check", "--suite", "shared") == (sentence if file == SHARED / PLAN else None)
    assert command("plan") is None
    assert command("plan", "--check") is None


def test_nothing_is_written_where_a_file_is_wrong(other, command):
    write_plans()
    before = contents()
    TABLE.write_text(TABLE.read_text().replace("epochs: 1", "epochs: 2"))
    (CONFIGS / "other/T1.yaml").write_text("kind: run")
    assert command("plan") == "dgr: paper_configs/other/T1.yaml: unknown kind 'run'; did you mean 'runs'?"
    assert contents() == before
    # A suite does not stumble over another one's mistake.
    assert command("plan", "--suite", "mini") is None
    assert command("plan", "--check", "--suite", "mini") is None


def test_a_plan_that_is_right_keeps_its_time(planned):
    write_plans()
    before = {path: path.stat().st_mtime_ns for path in contents()}
    write_plans()
    assert {path: path.stat().st_mtime_ns for path in contents()} == before


@pytest.mark.parametrize("name", ["shared", "summaries", "mini-seeds-0-1"])
def test_a_suite_may_not_have_the_name_of_something_else(planned, name, command):
    (CONFIGS / name).mkdir()
    assert command("plan") == f"dgr: paper_configs/{name}: a suite cannot be called '{name}'; rename the folder."


def test_a_suite_without_table_or_figure_is_refused(planned, command):
    for text in ("tables: [T1]\n", "figures: [F5]\n"):
        before = TABLE.read_text()
        TABLE.write_text(before.replace(text, ""))
        assert "its page needs a table and a figure" in command("plan")
        TABLE.write_text(before)


def test_a_quick_look_has_its_own_names_and_seeds(planned, command):
    before = contents()
    assert command("plan", "--suite", "mini", "--seeds", "4,3") is None
    added = {path: text for path, text in contents().items() if path not in before}
    place = SUITES / "mini-seeds-3-4"
    assert set(added) == {place / PLAN, place / HASHES, place / STAGES}
    assert contents() | added == before | added
    plan, usual = json.loads(added[place / PLAN]), json.loads(before[PLAN])
    assert {run["suite"] for run in plan["runs"].values()} == {"mini-seeds-3-4"}
    assert {tuple(run["seeds"]) for run in (plan["runs"] | plan["tuned_runs"]).values()} == {(3, 4)}
    assert {sweep["run"]["seeds"][0] for sweep in plan["sweeps"].values()} == {3}
    assert plan["embeddings"]["mini-seeds-3-4"]["seed"] == 3
    assert {tuple(tuning["seeds"]) for tuning in plan["tuning"].values()} == {(100,)}
    counts = {stage: len(entries) for stage, entries in usual.items()} | {"audits": 0}
    assert {stage: len(entries) for stage, entries in plan.items()} == counts
    # No stage of it makes or reads what is another suite's, data sets apart.
    for stage in suite_stages("mini-seeds-3-4").values():
        for key in stage.entries:
            made = stage.fill(key, "outs") if stage.file.parent == place else []
            assert all("mini-seeds-3-4" in path for path in made)
            assert not [path for path in stage.fill(key, "deps") if re.search(r"(runs|results|figures)/mini/", path)]
    assert open_suite({"suite": "mini", "seeds": "3,4"}) == open_suite({"suite": "mini-seeds-3-4"}) == "mini-seeds-3-4"
    assert command("plan", "--check") is None
    assert "mini-seeds-3-4" in read_plan()["suites"]


def test_a_quick_look_goes_with_the_next_plan_and_grows_stale_like_any(planned, command):
    write_plans(quick_look("mini", "0,1", CONFIGS))
    TABLE.write_text(TABLE.read_text().replace("epochs: 1", "epochs: 2"))
    sentence = "suites/mini-seeds-0-1/plan.json is not current; run `python -m dgr plan --suite mini-seeds-0-1`, which"
    assert command("plan", "--check", "--suite", "mini-seeds-0-1").startswith(f"dgr: {sentence} makes it anew")
    assert command("plan", "--suite", "mini-seeds-0-1") is None
    assert command("plan", "--check", "--suite", "mini-seeds-0-1") is None
    write_plans()
    assert [path.name for path in SUITES.iterdir()] == ["shared"]


def test_seeds_that_cannot_be_used_are_named(planned, command):
    assert "One seed (0) has no spread" in command("plan", "--seeds", "0")
    assert "One seed (1) has no spread" in command("plan", "--seeds", "1,1")
    assert "Seeds are whole numbers" in command("plan", "--seeds", "0,one")
    assert "Seeds are whole numbers" in command("plan", "--seeds=-1,0")
    assert "Unknown suite 'minni'; did you mean 'mini'" in command("plan", "--suite", "minni", "--seeds", "0,1")
    assert "seeds [100] are used for tuning and for reporting" in command("plan", "--seeds", "0,100")
    assert [path.name for path in SUITES.iterdir()] == ["shared"]


@pytest.mark.parametrize("given", ["3,4", [3, 4], (3, 4), "3 4", "4,3"])
def test_seeds_may_come_as_snakemake_parses_them(planned, given):
    assert open_suite({"seeds": given}) == "mini-seeds-3-4"


def test_what_snakemake_is_asked_for_is_checked(planned):
    assert open_suite({}) == "mini"
    with pytest.raises(DGRError, match="Unknown --config key 'suit'; did you mean 'suite'"):
        open_suite({"suit": "mini"})
    with pytest.raises(DGRError, match="Unknown suite 'papr'; known: mini"):
        open_suite({"suite": "papr"})
    PLAN.unlink()
    assert open_suite({}, check=False) == "mini"
    with pytest.raises(DGRError, match=r"plan\.json is not current"):
        open_suite({})


def test_what_can_be_run_is_listed(other):
    write_plans()
    write_plans(quick_look("other", "0,1", CONFIGS))
    assert dict(suites()).keys() == {"mini", "other", "other-seeds-0-1"}
    commands = {address: command for address, command, _ in stages_of("mini")}
    lines = {address: what for address, _, what in stages_of("mini")}
    assert lines["train@mini-multimnist-conv-single_task-none"] == "seeds 0 1"
    assert lines["tune@mini-multimnist-conv-equal_weighting-dgr"] == "2 strengths, seeds 100"
    assert lines["match@mini-multimnist-conv-equal_weighting-norm_matched"] == "2 strengths, seeds 100"
    assert lines["sweep@mini-multimnist-conv-strength"] == "2 settings, seeds 0"
    assert lines["suites/shared/dvc.yaml:prepare@multimnist"] == "seeds 0 1 2 100"
    assert dict(suites())["mini"] == f"{len(lines)} stages"
    assert commands["train@mini-multimnist-conv-single_task-none"] == "dgr train mini-multimnist-conv-single_task-none"
    key = "mini-multimnist-conv-equal_weighting-norm_matched"  # whose stage and command have two names
    assert commands[f"match@{key}"] == f"dgr tune {key}"
    assert commands["suites/shared/dvc.yaml:prepare@multimnist"] == "dgr prepare multimnist"
    with pytest.raises(DGRError, match="Unknown suite 'minni'; did you mean 'mini'"):
        list(stages_of("minni"))


def test_lines_of_the_list_are_columns(planned, monkeypatch, capsys):
    from dgr.__main__ import main

    monkeypatch.setattr("sys.argv", ["dgr", "list"])
    with pytest.raises(SystemExit):
        main()
    assert re.fullmatch(r"mini\t\d+ stages\n", capsys.readouterr().out)


def test_every_stage_of_the_real_plans_can_be_filled_in(monkeypatch):
    monkeypatch.chdir(ROOT)
    for plan in make_plans(CONFIGS):
        if plan != SHARED / PLAN:
            for stage in suite_stages(plan.parent.name or "mini").values():
                for key in stage.entries:
                    assert not [path for block in ("deps", "outs") for path in stage.fill(key, block) if "$" in path]


def test_seeds_of_every_kind_of_file_are_narrowed(monkeypatch):
    monkeypatch.chdir(ROOT)
    plan = next(iter(make_plans(CONFIGS, [find_suite("studies-seeds-0-1", CONFIGS)]).values()))
    assert {tuple(study["seeds"]) for study in plan["studies"].values()} == {(0, 1)}
    assert (plan["audits"], plan["study_claims"]) == ({}, {})
    assert yaml.safe_load((CONFIGS / "studies/S1.yaml").read_text(encoding="utf-8"))["seeds"] != [0, 1]


def test_a_stage_that_somebody_types_wants_a_current_plan(planned, command, monkeypatch):
    write_plans()
    key = "mini-multimnist-conv-equal_weighting-none"
    TABLE.write_text(TABLE.read_text().replace("epochs: 1", "epochs: 2"))
    told = command("train", key)
    assert told.startswith("dgr: plan.json is not current; run `python -m dgr plan`")
    assert told == command("table", "mini", "T1")
    write_plans()
    (CONFIGS / "datasets.yaml").write_text((CONFIGS / "datasets.yaml").read_text().replace("train: 64", "train: 32"))
    assert command("prepare", "multimnist").startswith(f"dgr: {SHARED / PLAN} is not current")


def test_a_place_without_configuration_has_a_plan_that_is_given(planned, command):
    """Such as those in which `dgr verify` makes runs again."""
    shutil.rmtree(CONFIGS)
    CONFIGS.mkdir()
    assert "'nothing'" in command("train", "nothing")
    assert "paper_configs" not in command("train", "nothing")


def test_claims_of_few_seeds_are_told_and_planned(project, capsys):
    from dgr.cli import app

    TABLE.write_text(TABLE.read_text().replace("tables: [", "tables: [claims, "))
    assert typer.testing.CliRunner().invoke(app, ["plan"]).stderr == (
        "paper_configs/mini/T1.yaml: with so few seeds (2) no claim can be decided; name at least 6, or leave out the "
        "table 'claims'.\n"
    )
    assert smallest_p(FEWEST_FOR_A_VERDICT) <= 0.05 < smallest_p(FEWEST_FOR_A_VERDICT - 1)


def test_no_committed_file_asks_for_what_its_seeds_cannot_decide(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert not list(too_few_seeds(CONFIGS))


def test_asking_for_the_plan_adds_no_code_to_what_a_manifest_names(planned):
    write_plans()
    code = """if True:
    import sys
    from dgr.cli import STAGES, app
    from dgr.plan.checkout.stage_lock import check_typed
    before = set(sys.modules)
    check_typed(app, STAGES, ["train", "mini-multimnist-conv-equal_weighting-none"])
    print([name for name in set(sys.modules) - before if name.startswith("dgr")])
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
