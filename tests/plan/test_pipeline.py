"""Two engines, one truth: each agreement between Snakemake and DVC, on a suite small enough to train in seconds.

The finished suite is made once; every test works on a copy of it.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from project_support import TABLE, Project, reproduced

from dgr.plan.checkout.at_work import ENGINE, release, take

PREFIX = "mini-multimnist-conv"
PLAIN, TUNED, SINGLE = f"{PREFIX}-equal_weighting-none", f"{PREFIX}-equal_weighting-dgr", f"{PREFIX}-single_task-none"
MATCHED = f"{PREFIX}-equal_weighting-norm_matched"
SHARED = "suites/shared/dvc.yaml"
SHOWN = {"table@mini-T1", "figure@mini-F5", "differences@mini", "audit@mini"}
REPORTS = {"collect@mini", *SHOWN}
OVER_ALL = {f"{SHARED}:{name}" for name in ("overview", "index", "report")}
MEASUREMENTS = {"baselines@mini-multimnist", "sweep@mini-multimnist-conv-strength", "cost@mini-multimnist-conv"}
TRAININGS = {f"train@{PLAIN}", f"train@{SINGLE}", f"train_tuned@{TUNED}"}
AFTER_TUNED = {f"tune@{TUNED}", f"train_tuned@{TUNED}", f"probe@{TUNED}", "embed@mini"}
AFTER_TUNED |= {f"match@{MATCHED}", f"train_tuned@{MATCHED}"}  # a control that is matched to the tuned arm
CODE = {f"{SHARED}:{name}_code" for name in ("training", "probing", "reporting")}
EVERYTHING = REPORTS | OVER_ALL | {f"{SHARED}:prepare@multimnist"} | CODE | MEASUREMENTS | TRAININGS | AFTER_TUNED
EVERYTHING |= {f"probe@{PLAIN}", f"probe@{SINGLE}"}
RUNS = "runs/mini/train"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny suite, made by Snakemake from nothing."""
    return reproduced(tmp_path_factory)


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    return Project(shutil.copytree(finished.root, tmp_path / "project", symlinks=True))


def assert_settled(project: Project) -> None:
    """Both engines say that nothing is to be done."""
    assert project.run("dvc", "status") == "Data and pipelines are up to date.\n"
    assert project.snakemake("--dry-run") == set()


def use_two_dummies(table: Any) -> None:
    """A change of DGR's runs, and of no other."""
    table["regularizers"][1]["use"]["num_dummies"] = 2


def ran(output: str) -> set[str]:
    """The stages whose command DVC ran."""
    return set(re.findall(r"Running stage '([^']+)'", output))


def test_from_nothing_every_stage_runs(project: Project) -> None:
    locks = (yaml.safe_load(project.read(path))["stages"] for path in ("dvc.lock", "suites/shared/dvc.lock"))
    own, shared = ({name for name in lock if name != "plan"} for lock in locks)
    assert own | {f"{SHARED}:{name}" for name in shared} == EVERYTHING


def test_after_snakemake_nothing_is_left_to_do(project: Project) -> None:
    assert_settled(project)
    assert project.dvc_repro() == set()
    assert project.snakemake() == set()


def test_after_checkout_nothing_is_trained_again(project: Project) -> None:
    before = project.bytes_below(RUNS)
    for folder in ("data", "runs"):
        shutil.rmtree(project.root / folder)
    project.run("dvc", "checkout", "--quiet")
    assert project.snakemake() == set()
    assert project.bytes_below(RUNS) == before
    assert_settled(project)


def test_an_edited_setting_repeats_what_depends_on_it(project: Project) -> None:
    project.configure(use_two_dummies)
    assert project.snakemake("--dry-run") == AFTER_TUNED | REPORTS | OVER_ALL
    changed = json.loads(project.run("dvc", "status", "--json"))
    assert {"plan", f"tune@{TUNED}", f"train_tuned@{TUNED}"} <= set(changed)
    assert set(changed) <= {"plan"} | AFTER_TUNED | REPORTS | OVER_ALL


def test_dvc_runs_an_edited_setting_as_an_experiment(project: Project) -> None:
    before = project.bytes_below(RUNS)
    project.commit("before")
    project.configure(lambda cost: cost.update(rounds=3), "paper_configs/mini/T5.yaml")
    after_cost = {"cost@mini-multimnist-conv"} | REPORTS
    assert project.snakemake("--dry-run") - OVER_ALL == after_cost
    output = project.run("dvc", "exp", "run")
    assert "Experiment results have been applied to your workspace." in output
    assert ran(output) == {"plan"} | after_cost
    assert project.bytes_below(RUNS) == before
    # Index and report are about all suites, and no suite's run makes them in DVC.
    for stage in sorted(OVER_ALL):
        project.run("dvc", "repro", "--single-item", stage)
    # Snakemake has not seen this run of DVC's: told that the files are good, it has nothing to do either.
    project.run("snakemake", "--cores", "2", "--touch")
    assert_settled(project)


def test_a_stale_plan_stops_both_engines_before_anything_runs(project: Project) -> None:
    before, text = project.bytes_below("runs"), project.read(TABLE)
    project.edit_yaml(use_two_dummies)
    output = project.run("snakemake", "--cores", "2", fails=True)
    assert "plan.json is not current; run `python -m dgr plan`, which makes it anew" in output
    assert "Traceback" not in output
    assert project.dvc_repro(fails=True) == {"plan"}
    # The data sets' plan stops them as well.
    project.write(TABLE, text)
    assert project.dvc_repro() == set()
    project.edit_yaml(lambda known: known["multimnist"].update(seed=1), "paper_configs/datasets.yaml")
    assert "suites/shared/plan.json is not current" in project.run("snakemake", "--cores", "2", fails=True)
    assert project.dvc_repro(fails=True) <= {"plan", f"{SHARED}:plan"}
    assert project.bytes_below("runs") == before


def test_another_list_of_seeds_trains_the_new_ones_only(project: Project) -> None:
    before = project.bytes_below(RUNS)
    project.configure(lambda table: table.update(seeds=[0, 2]))
    assert project.snakemake("--until", "train_tuned") == {f"train_tuned@{TUNED}", f"train_tuned@{MATCHED}"}
    project.dvc_repro(f"train@{SINGLE}")
    after = project.bytes_below(RUNS)
    for key in (TUNED, MATCHED, SINGLE):
        assert {path.split("/")[1] for path in after if path.startswith(f"{key}/")} == {
            "seed-0",
            "seed-2",
            "manifest.json",
        }
        kept = {path: content for path, content in before.items() if path.startswith(f"{key}/seed-0/")}
        assert {path: after[path] for path in kept} == kept
    # Another module trains them all; each seed's manifest has the hashes of the code that trained it.
    project.write("src/dgr/training/run.py", project.read("src/dgr/training/run.py") + "\n")
    project.dvc_repro(f"train@{SINGLE}")
    again = project.bytes_below(RUNS)
    assert all(again[f"{SINGLE}/seed-{n}/manifest.json"] != after[f"{SINGLE}/seed-{n}/manifest.json"] for n in (0, 2))


def test_editing_a_module_repeats_only_what_imports_it(project: Project) -> None:
    module = "src/dgr/figures/registry.py"
    project.write(module, project.read(module) + "\n")
    assert project.snakemake("--dry-run") == {"figure@mini-F5", "audit@mini"} | OVER_ALL
    # A page names the module of each figure.
    assert set(json.loads(project.run("dvc", "status", "--json"))) == {"figure@mini-F5", "audit@mini"} | OVER_ALL


def test_a_new_method_makes_no_run_stale_and_an_edited_one_its_own(project: Project) -> None:
    runs = {stage for stage in EVERYTHING if stage.startswith(("tune@", "train", "sweep@", "probe@", "embed@"))}
    methods = project.root / "src/dgr/methods"
    shutil.copy(methods / "equal_weighting.py", methods / "new.py")
    assert runs & project.snakemake("--dry-run") == set()
    assert runs & set(json.loads(project.run("dvc", "status", "--json"))) == set()
    own = methods / "single_task.py"
    own.write_text(own.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert runs & project.snakemake("--dry-run") == {f"train@{SINGLE}", f"probe@{SINGLE}"}
    assert runs & set(json.loads(project.run("dvc", "status", "--json"))) == {f"train@{SINGLE}"}


def test_a_failing_stage_fails_with_its_own_message(project: Project) -> None:
    before = project.bytes_below(RUNS)
    module = "src/dgr/methods/single_task.py"
    text = project.read(module)
    project.write(module, f"{text}\nfrom dgr.core.errors import DGRError\n\nraise DGRError('This method is broken.')\n")
    output = project.run("snakemake", "--cores", "2", "--until", "train", fails=True)
    assert "dgr: This method is broken." in output
    assert "Traceback" not in output
    # A method's own file: no other method's run was touched. What Snakemake removed for the attempt comes back.
    project.write(module, text)
    assert project.snakemake("--until", "train") == {f"train@{SINGLE}"}
    assert project.bytes_below(RUNS) == before
    project.run("snakemake", "--cores", "2", "--touch")
    assert_settled(project)


def test_what_somebody_typed_is_recorded_by_the_next_run(project: Project) -> None:
    """As after a kill: outputs are there that DVC has no record of, and Snakemake would take them for made."""
    before = project.bytes_below(RUNS)
    lock = yaml.safe_load(project.read("dvc.lock"))
    del lock["stages"][f"train@{SINGLE}"]
    project.write("dvc.lock", yaml.safe_dump(lock, sort_keys=False))
    project.run("python", "-m", "dgr", "train", SINGLE)
    assert f"train@{SINGLE}" in project.snakemake()
    assert project.bytes_below(RUNS) == before
    assert_settled(project)


def test_a_second_snakemake_is_refused_in_one_sentence(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    held = take(ENGINE, ["snakemake"])
    output = project.run("snakemake", "--cores", "2", fails=True)
    assert f"Snakemake is at work in this folder already: process {os.getpid()} (`snakemake`), since " in output
    assert "Traceback" not in output
    assert project.snakemake("--dry-run") == set()
    release(held)


def test_a_run_out_of_the_configuration_leaves_no_trace(project: Project) -> None:
    # Both show DGR of their own.
    for name in ("T5", "T6"):
        (project.root / f"paper_configs/mini/{name}.yaml").unlink()
    project.configure(lambda table: (table["regularizers"].__delitem__(slice(1, 3)), table.pop("embedding")))
    assert project.snakemake() - OVER_ALL == REPORTS
    # Nothing reads what was chosen for it; it stays, as committed files do, until somebody removes it.
    shown = [path for path in project.root.glob("results/mini/**/*") if path.is_file()]
    for path in (path for path in shown if path.parent.name != "tuning"):
        assert not re.search(r"(?<![a-z])(?<!-m )(?<!src/)dgr", path.read_text()), path.name
    assert_settled(project)
    # Its folder is left over; when that goes too, both engines notice.
    shutil.rmtree(project.root / RUNS / TUNED)
    assert "collect@mini" in project.snakemake("--dry-run")
    assert set(json.loads(project.run("dvc", "status", "--json"))) == {"collect@mini"}


def test_a_damaged_output_fails_the_audit(project: Project) -> None:
    project.write(f"{RUNS}/{PLAIN}/seed-0/metrics.json", "{}")
    assert f"{RUNS}/{PLAIN}" in project.run("snakemake", "--cores", "2", fails=True)
    project.run("dvc", "checkout", "--quiet", "--force")
    assert_settled(project)


def test_a_clean_clone_takes_over_an_archive_and_trains_nothing(project: Project, tmp_path: Path) -> None:
    project.commit("made")
    archive = str(tmp_path / "runs.tar.gz")
    project.run("python", "-m", "dgr", "archive", "mini", "--output", archive)
    project.run("git", "clone", "--quiet", str(project.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.write(".git/info/exclude", "/.site/\n")
    assert "weights and representations are missing" in clone.run("python", "-m", "dgr", "restore", archive)
    assert clone.bytes_below("runs") == {
        path: content for path, content in project.bytes_below("runs").items() if "origins" not in path
    }
    # What is in git is older than the runs now: it is made anew, and is the same.
    assert clone.snakemake() == REPORTS | OVER_ALL
    clone.run("snakemake", "--cores", "2", "--touch", "--forceall")
    assert clone.snakemake("--dry-run") == set()
    assert ran(clone.run("dvc", "repro", "--allow-missing")) == set()
    assert not (clone.root / "trained").exists()
    assert clone.run("git", "status", "--porcelain") == ""
    # The audit still finds a lock that disagrees with itself: probes of other representations than the run's.
    lock = clone.read("dvc.lock")
    start = lock.index(f"path: trained/mini/{PLAIN}", lock.index(f"  train@{PLAIN}:"))
    place = lock.index("md5: ", lock.index("\n", lock.index("hash: ", start))) + 5
    clone.write("dvc.lock", lock[:place] + "0" * 32 + lock[place + 32 :])
    assert f"probe@{PLAIN}" in clone.run("snakemake", "--cores", "2", fails=True)


def test_suites_share_a_data_set_and_its_preparation(project: Project) -> None:
    project.write("paper_configs/other/T1.yaml", project.read(TABLE).replace("suite: mini", "suite: other"))
    project.plan()
    assert project.run("python", "-m", "dgr", "list").split() == ["mini", "25", "stages", "other", "23", "stages"]
    planned = project.snakemake("--dry-run", "--config", "suite=other")
    assert f"{SHARED}:prepare@multimnist" not in planned
    assert OVER_ALL | {"suites/other/dvc.yaml:table@other-T1"} <= planned
    run = f"suites/other/dvc.yaml:train@other-{SINGLE.removeprefix('mini-')}"
    assert project.dvc_repro(run) == {"suites/other/dvc.yaml:plan", run}
    assert project.snakemake("--dry-run") == OVER_ALL
    # What the suite needs is made for it, from nothing.
    shutil.rmtree(project.root / "data")
    assert f"{SHARED}:prepare@multimnist" in project.snakemake("--dry-run", "--config", "suite=other")
    assert f"'{SHARED}:prepare@multimnist' is cached" in project.run("dvc", "repro", run)
    assert (project.root / "data/multimnist/manifest.json").exists()


def test_a_quick_look_has_a_place_of_its_own(project: Project) -> None:
    planned = project.snakemake("--dry-run", "--config", "suite=mini", "seeds=3,4")
    place = "suites/mini-seeds-3-4/dvc.yaml"
    assert {f"{place}:table@mini-seeds-3-4-T1", f"{place}:figure@mini-seeds-3-4-F5"} <= planned
    assert all(stage.startswith(f"{place}:") for stage in planned)
    run = f"{place}:train@mini-seeds-3-4-{SINGLE.removeprefix('mini-')}"
    assert ran(project.run("dvc", "repro", "--dry", run)) == {f"{place}:plan", run}
    project.plan()
    assert not (project.root / place).exists()
    assert_settled(project)


def test_both_engines_describe_the_same_graph(finished: Project) -> None:
    text = finished.run("snakemake", "--cores", "2", "--dry-run", "--forceall", "--printshellcmds")
    text = text.replace(" (update)", "")  # an output that is there while its stage runs
    blocks = re.findall(
        r"rule \w+:\n    input: (.*)\n    output: (.*)\n(?:.*\n)*?.*--wait-for-lock repro --single-item (\S+)", text
    )
    drawn = {stage: (set(inputs.split(", ")), set(outputs.split(", "))) for inputs, outputs, stage in blocks}
    described = described_by_dvc(finished)
    assert set(drawn) == EVERYTHING
    # The plans are checked by Snakemake itself, and by DVC in stages that come before all others.
    assert set(described) - set(drawn) == {"plan", f"{SHARED}:plan"}
    assert drawn == {stage: described[stage] for stage in drawn}


def described_by_dvc(project: Project) -> dict[str, tuple[set[str], set[str]]]:
    """By stage: files read and made, where a folder's manifest stands for the folder."""
    script = (
        "import json; from dvc.repo import Repo; print(json.dumps({stage.addressing:"
        " [[dep.def_path for dep in stage.deps if 'params' not in dep.dumpd()], [out.def_path for out in stage.outs]]"
        " for stage in Repo().index.stages}))"
    )
    stages = {
        stage: [[path.removeprefix("../../") for path in paths] for paths in blocks]
        for stage, blocks in json.loads(project.run("python", "-c", script)).items()
    }
    made = {out for _, outs in stages.values() for out in outs}

    def files(path: str) -> set[str]:
        below = {out for out in made if (out + "/").startswith(path + "/")}
        if (project.root / path).is_dir() and not below:
            found = (project.root / path).rglob("*.*")
            return {str(file.relative_to(project.root)) for file in found if "__pycache__" not in file.parts}
        return {out if Path(out).suffix else f"{out}/manifest.json" for out in below or {path}}

    def union(found: list[str]) -> set[str]:
        return {file for path in found for file in files(path)}

    return {stage: (union(deps), union(outs)) for stage, (deps, outs) in stages.items()}


def test_what_is_asked_for_wrongly_is_one_sentence(finished: Project) -> None:
    wrong = {
        ("suite=mini1",): "Unknown suite 'mini1'; did you mean 'mini'?",
        ("suit=mini",): "Unknown --config key 'suit'; did you mean 'suite'?",
        ("seeds=0",): "One seed (0) has no spread",
        ("seeds=0,x",): "Seeds are whole numbers",
    }
    for config, sentence in wrong.items():
        output = finished.run("snakemake", "--cores", "2", "--config", *config, fails=True)
        assert sentence in output
        assert "Traceback" not in output
    assert "say `--cores 1` or more" in finished.run("snakemake", "--cores", "0", fails=True)


def test_lint_finds_nothing_but_that_rules_share_one_environment(finished: Project) -> None:
    titles = set(re.findall(r"^    \* (.*):$", finished.run("snakemake", "--lint", fails=True), re.MULTILINE))
    assert titles == {"Specify a conda environment or container for each rule."}
