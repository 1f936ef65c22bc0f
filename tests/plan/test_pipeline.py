"""Two engines, one truth: each agreement between Snakemake and DVC, on a suite small enough to train in seconds.

The finished suite is made once; every test works on a copy of it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from engines_support import modules_of_command

ROOT = Path(__file__).parents[2]
PREFIX = "mini-multimnist-conv"
PLAIN, TUNED, SINGLE = f"{PREFIX}-equal_weighting-none", f"{PREFIX}-equal_weighting-dgr", f"{PREFIX}-single_task-none"
REPORTS = {"collect@mini", "table@mini-T1", "figure@mini-F5"}
STUDIES = {"baselines@mini-multimnist", "sweep@mini-multimnist-conv-strength", "cost@mini-multimnist-conv"}
AFTER_PLAIN = {f"probe@{PLAIN}", "embed@mini"}
EVERYTHING = (
    REPORTS
    | STUDIES
    | AFTER_PLAIN
    | {
        "prepare@multimnist",
        f"probe@{TUNED}",
        f"probe@{SINGLE}",
        f"tune@{TUNED}",
        f"train_tuned@{TUNED}",
        f"train@{PLAIN}",
        f"train@{SINGLE}",
    }
)


@dataclass
class Project:
    """A working copy of the project in which commands run as a user would run them."""

    root: Path

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command, check its exit status, and give all that it printed."""
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {
            "PATH": tools,
            "OMP_NUM_THREADS": "1",
            "DVC_SITE_CACHE_DIR": str(self.root / ".site"),
        }
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def snakemake(self, *options: str, fails: bool = False) -> set[str]:
        """Stages that Snakemake ran, or with ``--dry-run`` would run."""
        output = self.run("snakemake", "--cores", "2", "--printshellcmds", *options, fails=fails)
        return set(re.findall(r"repro --single-item (\S+)", output))

    def dvc_repro(self) -> set[str]:
        """Stages whose command DVC ran."""
        return set(re.findall(r"Running stage '([^']+)'", self.run("dvc", "repro")))

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def manifests(self) -> dict[str, str]:
        """By run; its histories hold times, so that no run can be repeated without changing it."""
        return {path.parent.name: path.read_text() for path in self.root.glob("runs/mini/train/*/manifest.json")}

    def edit_plan(self, edit: Callable[[Any], None]) -> None:
        plan = yaml.safe_load(self.read("plan.json"))
        edit(plan)
        (self.root / "plan.json").write_text(json.dumps(plan))

    def assert_settled(self) -> None:
        """Both engines say that nothing is to be done."""
        assert self.run("dvc", "status") == "Data and pipelines are up to date.\n"
        assert self.snakemake("--dry-run") == set()


def set_learning_rate(key: str, value: float) -> Callable[[Any], None]:
    return lambda plan: plan["runs"][key]["training"].update(learning_rate=value)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny suite in place of the project's own, made by Snakemake from nothing."""
    project = Project(tmp_path_factory.mktemp("finished"))
    for name in ("Snakefile", "dvc.yaml", ".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, project.root)
    shutil.copytree(ROOT / "profiles", project.root / "profiles")
    shutil.copytree(ROOT / "src", project.root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copytree(ROOT / "tests/tiny_configs", project.root / "paper_configs")
    shutil.copy(ROOT / "paper_configs/claims.yaml", project.root / "paper_configs")
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    shutil.copy(ROOT / ".dvc/config", project.root / ".dvc/config")
    project.run("python", "-m", "dgr", "plan")
    assert project.snakemake() == EVERYTHING
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    return Project(shutil.copytree(finished.root, tmp_path / "project", symlinks=True))


def test_after_snakemake_nothing_is_left_to_do(project: Project) -> None:
    project.assert_settled()
    assert project.dvc_repro() == set()
    assert project.snakemake() == set()


def test_after_checkout_nothing_is_trained_again(project: Project) -> None:
    before = project.manifests()
    for folder in ("data", "runs", "results", "figures"):
        shutil.rmtree(project.root / folder)
    project.run("dvc", "checkout", "--quiet")
    # Tables and figures are in git, not in the cache: here they are made again.
    assert project.snakemake() == REPORTS
    assert project.manifests() == before
    project.assert_settled()


def test_editing_a_run_repeats_it_and_what_depends_on_it(project: Project) -> None:
    before = project.manifests()
    project.edit_plan(set_learning_rate(PLAIN, 0.002))
    assert project.snakemake("--dry-run") == {f"train@{PLAIN}"} | AFTER_PLAIN | REPORTS
    assert project.dvc_repro() == {f"train@{PLAIN}"} | AFTER_PLAIN | REPORTS
    after = project.manifests()
    assert {key for key in after if after[key] != before[key]} == {PLAIN}
    # Snakemake has not seen this run of DVC's: told that the files are good, it has nothing to do either.
    project.run("snakemake", "--cores", "2", "--touch")
    project.assert_settled()


def test_editing_a_module_repeats_only_what_imports_it(project: Project) -> None:
    module = project.root / "src/dgr/figures/registry.py"
    module.write_text(module.read_text() + "\n")
    shown = REPORTS - {"collect@mini"}
    assert project.snakemake("--dry-run") == shown
    assert set(json.loads(project.run("dvc", "status", "--json"))) == shown


def test_a_new_method_makes_no_run_stale_and_an_edited_one_its_own(project: Project) -> None:
    """The cost stage lists methods, which DVC cannot make `deps` of; reports read the label of every method."""
    lists_methods = REPORTS | {"cost@mini-multimnist-conv"}
    methods = project.root / "src/dgr/methods"
    shutil.copy(methods / "equal_weighting.py", methods / "new.py")
    assert project.snakemake("--dry-run") == lists_methods
    assert set(json.loads(project.run("dvc", "status", "--json"))) == lists_methods
    (methods / "new.py").unlink()
    own = methods / "single_task.py"
    own.write_text(own.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    changed = {stage for stage in EVERYTHING if "single_task" in stage}
    assert f"train@{SINGLE}" in changed
    assert set(json.loads(project.run("dvc", "status", "--json"))) == lists_methods | {f"train@{SINGLE}"}
    assert changed <= project.snakemake("--dry-run") <= changed | lists_methods


def test_a_failing_stage_fails_with_its_own_message(project: Project) -> None:
    before = project.manifests()
    project.edit_plan(lambda plan: plan["runs"][PLAIN]["method"].update(options={"temperature": 2.0}))
    output = project.run("snakemake", "--cores", "2", fails=True)
    assert "'equal_weighting' has no option 'temperature'" in output
    assert "Traceback" not in output
    # What Snakemake removed for the attempt comes back from the cache.
    project.edit_plan(lambda plan: plan["runs"][PLAIN]["method"].update(options={}))
    project.snakemake()
    assert project.manifests() == before
    project.assert_settled()


def test_a_run_out_of_the_configuration_leaves_no_trace(project: Project) -> None:
    def drop(plan: Any) -> None:
        del plan["tuned_runs"][TUNED], plan["tuning"][TUNED], plan["probes"][TUNED]
        # Both show DGR of their own.
        plan["sweeps"].clear(), plan["costs"].clear(), plan["embeddings"].clear()

    project.edit_plan(drop)
    assert project.snakemake() == REPORTS
    for path in project.root.glob("results/mini/*"):
        assert "dgr" not in path.read_text().replace("-m dgr", ""), path.name
    project.assert_settled()
    # Its folder is left over; when that goes too, both engines notice.
    shutil.rmtree(project.root / "runs/mini/train" / TUNED)
    assert "collect@mini" in project.snakemake("--dry-run")
    assert set(json.loads(project.run("dvc", "status", "--json"))) == {"collect@mini"}


def test_a_damaged_output_fails_the_audit(project: Project) -> None:
    (project.root / "runs/mini/train" / PLAIN / "seed-0/metrics.json").write_text("{}")
    assert f"runs/mini/train/{PLAIN}" in project.run("snakemake", "--cores", "2", fails=True)
    project.run("dvc", "checkout", "--quiet", "--force")
    project.assert_settled()


def test_both_engines_describe_the_same_graph(finished: Project) -> None:
    text = finished.run("snakemake", "--cores", "2", "--dry-run", "--forceall", "--printshellcmds")
    blocks = re.findall(r"rule \w+:\n    input: (.*)\n    output: (.*)\n(?:.*\n)*?.*--single-item (\S+)", text)
    drawn = {stage: (set(inputs.split(", ")), set(outputs.split(", "))) for inputs, outputs, stage in blocks}
    assert drawn == described_by_dvc(finished)
    assert set(drawn) == EVERYTHING


def described_by_dvc(project: Project) -> dict[str, tuple[set[str], set[str]]]:
    """By stage: files read and made, where a folder's manifest stands for the folder."""
    script = (
        "import json; from dvc.repo import Repo; print(json.dumps({stage.addressing:"
        " [[dep.def_path for dep in stage.deps if 'params' not in dep.dumpd()], [out.def_path for out in stage.outs]]"
        " for stage in Repo().index.stages}))"
    )
    stages = json.loads(project.run("python", "-c", script))
    made = {out for _, outs in stages.values() for out in outs}

    def files(path: str) -> set[str]:
        if (project.root / path).is_dir() and path.startswith("src/"):
            found = (project.root / path).rglob("*.*")
            return {str(file.relative_to(project.root)) for file in found if "__pycache__" not in file.parts}
        below = {out for out in made if (out + "/").startswith(path + "/")} or {path}
        return {out if Path(out).suffix else f"{out}/manifest.json" for out in below}

    def union(found: list[str]) -> set[str]:
        return {file for path in found for file in files(path)}

    return {stage: (union(deps), union(outs)) for stage, (deps, outs) in stages.items()}


def test_an_unknown_suite_is_one_sentence(finished: Project) -> None:
    output = finished.run("snakemake", "--cores", "2", "--config", "suite=papr", fails=True)
    assert "Unknown suite 'papr'; there are: mini." in output
    assert "Traceback" not in output


def test_lint_finds_nothing_but_that_rules_share_one_environment(finished: Project) -> None:
    titles = set(re.findall(r"^    \* (.*):$", finished.run("snakemake", "--lint", fails=True), re.MULTILINE))
    assert titles == {"Specify a conda environment or container for each rule."}


@pytest.mark.parametrize("stage", yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])
def test_deps_name_the_modules_a_stage_imports(stage: str) -> None:
    entry = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"][stage]["do"]
    command = entry["cmd"].split()[3].replace("-", "_")
    declared = {file for dep in entry["deps"] if dep.startswith("src/") for file in source_files(dep)}
    imported = modules_of_command(command)
    # Whole folders are one entry: each entry of a stage costs a moment whenever DVC writes its lock.
    folders = tuple(dep for dep in entry["deps"] if (ROOT / dep).is_dir())
    assert all(any(file.startswith(folder) for file in imported) for folder in folders if folder.startswith("src/"))
    unused = {file for file in declared - imported if not file.startswith(folders)}
    assert (imported - declared, unused) == (set(), set()), f"dvc.yaml, {stage}: add the first, remove the second"


def source_files(dep: str) -> set[str]:
    """Of a folder all that it holds; of `src/dgr/methods/${item.method.name}.py` what it can be for any item."""
    found = (ROOT / dep).rglob("*.py") if (ROOT / dep).is_dir() else ROOT.glob(re.sub(r"\$\{[^}]*\}", "[!_]*", dep))
    return {str(file.relative_to(ROOT)) for file in found}
