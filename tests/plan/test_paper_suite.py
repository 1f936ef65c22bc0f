"""The paper's suite from a clean clone: its plan, what it costs, and what happens without data sets and GPU."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from forked import forked, warm

from dgr.config.plan_file import merged
from dgr.core.errors import DGRError
from dgr.measurements import limits
from dgr.measurements.estimate import describe, training_samples, work
from dgr.plan.expand import make_plans
from dgr.training.configuration import RunConfig, TuningConfig

ROOT = Path(__file__).parents[2]
COPIED = (
    "CITATION.cff",
    "pyproject.toml",
    "requirements.lock",
    "requirements.hashes",
    "hashes.json",
    "Snakefile",
    "dvc.yaml",
    "plan.json",
    ".gitignore",
    ".dvcignore",
)
FOLDERS = ("docs", "profiles", "suites", "paper_configs", "report")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    root = tmp_path_factory.mktemp("clone")
    for name in COPIED:
        shutil.copy(ROOT / name, root)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=shutil.ignore_patterns("dvc.lock"))
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for command in (("git", "init", "--quiet"), ("dvc", "init", "--quiet")):
        run(root, *command)
    shutil.copy(ROOT / ".dvc/config", root / ".dvc/config")
    return root


def run(root, *command, fails=False, folder=None):
    """Run a command in the clone, without a network and with a folder of programs before all others."""
    before = [str(folder)] if folder else []
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:1")
    environment = {name: value for name, value in os.environ.items() if name != "DGR_DATA_MIRROR"} | {
        "PATH": os.pathsep.join([*before, str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(root / "src"),
        "DGR_WARM": warm().address,
        "DVC_SITE_CACHE_DIR": str(root / ".site"),
        **nowhere,
    }
    if command[0] == "git":
        return subprocess.check_output(command, cwd=root, env=environment, text=True)
    done = forked(command[0], list(command[1:]), root, environment, seconds=300)
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


@pytest.mark.parametrize("profile", ["default", "gpus", "slurm"])
def test_a_dry_run_plans_the_whole_paper_and_says_what_it_costs(clone, profile):
    output = run(clone, "snakemake", "-n", "--workflow-profile", f"profiles/{profile}", "--config", "suite=paper")
    plan = json.loads((ROOT / "suites/paper/plan.json").read_text())
    counts = dict(re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE))
    assert {stage: int(counts[stage]) for stage in ("train", "train_tuned", "tune", "prepare_fetched", "table")} == {
        "train": len(plan["runs"]),
        "train_tuned": len(plan["tuned_runs"]),
        "tune": len(plan["tuning"]),
        "prepare_fetched": 3,
        "table": len(plan["tables"]),
    }
    runs = [*plan["runs"].values(), *plan["tuned_runs"].values()]
    trainings = sum(len(entry["seeds"]) for entry in runs)
    trainings += sum(TuningConfig(**entry).trainings for entry in plan["tuning"].values())
    assert f"suite 'paper' in all: {trainings:,} trainings, " in output
    assert ("gpu=1" in output) == (profile == "slurm")


@pytest.mark.parametrize("profile", ["default", "gpus"])
def test_trainings_take_slots_of_a_gpu_that_is_there(clone, profile, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    command = ("snakemake", "-n", "--workflow-profile", f"profiles/{profile}", "--config", "suite=paper")
    output = run(clone, *command, folder=tmp_path)
    claimed = re.findall(
        r"^(?:rule|localrule) (\w+):(?:\n    .*)*?\n    resources: .*\bgpu_slots=1\b", output, re.MULTILINE
    )
    assert set(claimed) == {"train", "train_tuned", "tune"}
    assert re.findall(r"gpu_slots: (\d)", (clone / f"profiles/{profile}/config.yaml").read_text()) != ["1"]


def test_a_dry_run_plans_every_study(clone):
    output = run(clone, "snakemake", "-n", "--config", "suite=studies")
    counts = dict(re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE))
    studies = str(len(list(Path(clone, "paper_configs/studies").glob("*.yaml"))))
    assert [counts[name] for name in ("study", "study_report", "study_claims", "audit")] == [studies, studies, "1", "1"]


def test_without_its_data_it_stops_and_says_what_to_get(clone):
    # Neither engine removes what somebody brought by hand, though it is not what is wanted here.
    brought = clone / "sources/nyuv2/manifest.json"
    brought.parent.mkdir(parents=True)
    brought.write_text("{}")
    command = ("snakemake", "--cores", "2", "--config", "suite=paper", "--until", "prepare_fetched")
    output = run(clone, *command, fails=True)
    for name, file in (("utkface", "UTKFace.tar.gz"), ("nyuv2", "nyuv2.zip"), ("cityscapes", "cityscapes.zip")):
        assert re.search(
            rf"dgr: There is nowhere to get '{name}' from.*--from PATH` with the path of {file}", output
        ), output
    assert "Traceback" not in output
    assert brought.read_text() == "{}"
    assert list(clone.glob("sources/*/manifest.json")) == [brought]
    assert not list(clone.glob("data/*"))


def test_an_unknown_suite_costs_no_estimate_but_a_sentence(plan, monkeypatch):
    monkeypatch.setattr("dgr.measurements.estimate.read_plan", lambda: plan)
    with pytest.raises(DGRError, match="Suite 'papr' has no plan; did you mean 'paper'"):
        describe("papr")


@pytest.fixture(scope="module")
def plan():
    return merged(list(make_plans(ROOT / "paper_configs").values()))


def test_steps_are_epochs_times_batches(plan):
    assert training_samples("nyuv2", plan) == 795 - 80
    assert training_samples("cityscapes", plan) == 2975 - 298
    assert training_samples("utkface", plan) == 16596
    assert training_samples("multimnist", plan) == 2000
    assert training_samples("rooms", plan) == 120
    item = next(item for item in work("paper", plan) if item.kind == "nyuv2/split/equal_weighting/none")
    assert (item.trainings, item.steps) == (3, 3 * 200 * 179)


def test_every_kind_of_work_is_measured_once(plan):
    kinds = {item.kind for item in work("paper", plan)}
    per_model = {"single_task/none", "equal_weighting/none", "equal_weighting/dgr", "auto_lambda/none"}
    per_model |= {"auto_lambda/dgr", *(f"{m}/{r}" for m in ("pcgrad", "cagrad", "nash_mtl") for r in ("none", "dgr"))}
    assert {kind.split("/", 2)[2] for kind in kinds} == per_model
    assert len(kinds) == 5 * len(per_model)
    assert all(isinstance(item.run, RunConfig) for item in work("paper", plan))


def test_sources_that_do_not_say_what_they_hold_leave_steps_and_minutes_open(plan, tmp_path, monkeypatch):
    def known(planned):
        items = {item.kind: item for item in work("paper", planned)}
        monkeypatch.setattr("dgr.measurements.estimate.read_plan", lambda: planned)
        monkeypatch.setattr(limits, "_plan", lambda: planned)
        monkeypatch.setattr(limits, "step_times", lambda _: {"seconds_per_step": dict.fromkeys(items, 0.01)})
        runs = plan["runs"] | plan["tuned_runs"]
        key = next(key for key, entry in runs.items() if entry["suite"] == "paper")
        return describe("paper", tmp_path), limits.minutes("paper", "train", key, runs[key])

    text, minutes = known(plan)
    trainings = re.search(r"suite 'paper' in all: ([\d,]+) trainings, [\d,]+ steps", text)[1]
    assert minutes < limits.UNKNOWN_MINUTES
    silent = {name: {key: it[key] for key in it if key != "contents"} for name, it in plan["sources"].items()}
    text, minutes = known({**plan, "sources": silent})
    assert minutes == limits.UNKNOWN_MINUTES
    *groups, whole, _ = (line.partition(": ")[2] for line in text.splitlines())
    assert whole == f"{trainings} trainings; their steps are not known before the data set is there"
    assert len(groups) > 3
    assert {group.partition("; ")[2] for group in groups} == {"their steps are not known before the data set is there"}


def test_hours_follow_from_the_times_of_steps(plan, tmp_path, monkeypatch):
    monkeypatch.setattr("dgr.measurements.estimate.read_plan", lambda: plan)
    assert "No times of a step are known" in describe("mini", tmp_path)
    items = list(work("mini", plan))
    times = {item.kind: 2.0 for item in items}
    folder = tmp_path / "results/mini"
    folder.mkdir(parents=True)
    (folder / "step_times.json").write_text(json.dumps({"device": "a GPU", "note": "", "seconds_per_step": times}))
    hours = 2 * sum(item.steps for item in items) / 3600
    text = describe("mini", tmp_path)
    assert f"about {hours:,.0f} hours of steps" in text
    assert "measured on: a GPU" in text
