"""DVC's commands that compare committed revisions, in a repository with two suites and two commits."""

import json
import re
from pathlib import Path

import pytest
from project_support import TABLE, Project, make_project

ROOT = Path(__file__).parents[2]
PARAMS = {f"{place}{name}.json" for place in ("", "suites/other/", "suites/shared/") for name in ("plan", "hashes")}
RUN = "runs.mini-multimnist-conv-single_task-none.training.learning_rate"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Between the commits a learning rate and a metric of each suite change; nothing was run."""
    project = make_project(tmp_path_factory.mktemp("revisions"))
    project.write("paper_configs/other/T1.yaml", project.read(TABLE).replace("suite: mini", "suite: other"))
    for delta, rate in ((1.0, 0.001), (2.5, 0.002)):
        project.configure(lambda table, rate=rate: table["training"].update(learning_rate=rate))
        for suite in ("mini", "other"):
            project.write(f"results/summaries/{suite}.json", json.dumps({"delta_m": {"digits": delta}}))
        project.commit(f"learning rate {rate}")
    return project


def test_metrics_of_every_suite_are_compared(project: Project) -> None:
    output = project.run("dvc", "metrics", "diff", "HEAD~1", "--json")
    changes = {"delta_m.digits": {"old": 1.0, "new": 2.5, "diff": 1.5}}
    assert json.loads(output) == {f"results/summaries/{suite}.json": changes for suite in ("mini", "other")}


def test_settings_are_compared(project: Project) -> None:
    changed = json.loads(project.run("dvc", "params", "diff", "HEAD~1", "--json"))
    assert changed["plan.json"][RUN] == {"old": 0.001, "new": 0.002, "diff": 0.001}
    assert set(changed) == {"plan.json", "hashes.json"}
    assert project.run("dvc", "params", "diff") == ""


def test_experiments_are_shown(project: Project) -> None:
    workspace, head = json.loads(project.run("dvc", "exp", "show", "--json", "--rev", "HEAD"))
    for shown in (workspace, head):
        assert shown["data"]["metrics"]["results/summaries/mini.json"]["data"] == {"delta_m": {"digits": 2.5}}
        assert set(shown["data"]["params"]) == PARAMS
    assert "learning rate" not in project.run("dvc", "exp", "show", "--only-changed", "--no-pager")


def test_an_experiment_that_edits_the_plan_stops_and_says_how_to_get_it_back(project: Project) -> None:
    """What DVC's manual suggests; settings stand in paper_configs, and the plan follows from them."""
    output = project.run("dvc", "exp", "run", "-S", f"plan.json:{RUN}=0.003", fails=True)
    assert (
        "plan.json is not current; run `python -m dgr plan`, which makes it anew of what paper_configs says." in output
    )
    assert re.findall(r"Running stage '([^']+)'", output) == ["plan"]
    assert {name: project.bytes_below(name) for name in ("data", "runs", "trained")} == {
        "data": {},
        "runs": {},
        "trained": {},
    }
    project.run("git", "checkout", "--quiet", "plan.json")  # or as it says, which test_suites tries
    assert project.run("git", "status", "--porcelain") == ""


def test_every_stage_of_the_last_commit_can_be_read(tmp_path: Path) -> None:
    """A symbolic link in a commit cannot: DVC does not follow it there, and leaves a warning and no value."""
    if not (ROOT / ".git").exists():
        pytest.skip("no git repository")
    Project(tmp_path).run("git", "clone", "--quiet", str(ROOT), "clone")
    assert Project(tmp_path / "clone").run("dvc", "metrics", "diff", "HEAD", "--json") == "{}\n"
