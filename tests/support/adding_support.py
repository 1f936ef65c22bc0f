"""For tests of how many files it takes to add something: a copy of the project to which it is added, and tried.

    copy = ProjectCopy(tmp_path, tiny_data)                   # code, tests, docs, and the tiny configuration
    copy.write("src/dgr/methods/mine.py", "…")                # what is added
    copy.edit("docs/methods.md", "old text", "new text")
    copy.edit_yaml("paper_configs/mini/suite.yaml", lambda suite: suite["methods"].append({"name": "mine"}))
    copy.make_tables()                                        # plans, trains, measures and collects before that
    copy.dgr("train KEY", "table mini T1")                    # or single commands of `python -m dgr`, in one process
    copy.pytest("tests/project/test_methods_documentation.py", fails=True)
    assert copy.changed() == {"src/dgr/methods/mine.py", "docs/methods.md"}

A configuration uses what was added, and so does not count as changed.
"""

import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from forked import code_of, forked, several

ROOT = Path(__file__).parents[2]
PARTS = ("src", "tests", "docs", "report", "dvc.yaml", "Snakefile", "pyproject.toml", "requirements.lock")
LEFT_OUT = shutil.ignore_patterns("*.egg-info", ".pytest_cache", ".hypothesis")
STAGES = {
    "datasets": "prepare",
    "tuning": "tune",
    "matching": "tune",
    "runs": "train",
    "tuned_runs": "train",
    "probes": "probe",
    "baselines": "baselines",
    "embeddings": "embed",
    "sweeps": "sweep",
    "costs": "cost",
    "records": "collect",
}
"""The plan's lists in the order in which their commands can run."""


def without_measurements(suite: dict[str, Any]) -> None:
    """Trainings alone: no classifier is fitted and nothing is embedded, which takes longer than the trainings."""
    for block in ("snapshots", "probes", "embedding"):
        del suite[block]


class ProjectCopy:
    """The project in another folder, with ``tests/tiny_configs`` in place of its configurations.

    Args:
        folder: an empty folder.
        data: what the tiny configuration's data sets are, prepared.
    """

    def __init__(self, folder: Path, data: Path) -> None:
        self.root = folder / "project"
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, self.root / part, ignore=LEFT_OUT)
            else:
                shutil.copy2(ROOT / part, self.root / part)
        shutil.copytree(ROOT / "tests/tiny_configs", self.root / "paper_configs")
        shutil.copy2(ROOT / "paper_configs/claims.yaml", self.root / "paper_configs")
        shutil.copytree(data, self.root / "data")

    def read(self, path: str) -> str:
        """A file's text."""
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Add a file, or put another text in its place."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands in the file once."""
        text = self.read(path)
        assert text.count(old) == 1, f"{path} holds {old!r} {text.count(old)} times"
        self.write(path, text.replace(old, new))

    def edit_yaml(self, path: str, edit: Callable[[Any], object]) -> None:
        """Change what a configuration says, in place."""
        data = yaml.safe_load(self.read(path))
        edit(data)
        self.write(path, yaml.safe_dump(data, allow_unicode=True, sort_keys=False))

    def make_tables(self) -> None:
        """Make everything that is configured, up to the tables, without an engine."""
        self.dgr("plan")
        plan = json.loads(self.read("plan.json")) | json.loads(self.read("suites/shared/plan.json"))
        wanted = [(command, key) for stage, command in STAGES.items() for key in plan[stage]]
        before = [f"{command} {key}" for command, key in wanted if not (self.root / "data" / key).exists()]
        self.dgr(*before, *(f"table {table['suite']} {table['name']}" for table in plan["tables"].values()))

    def dgr(self, *commands: str, fails: bool = False) -> str:
        """What these commands of ``python -m dgr`` print, run one after the other in one process."""
        return self._said(several([(self.root, line) for line in commands], self.root), fails)

    def pytest(self, *arguments: str, fails: bool = False) -> str:
        """What pytest prints in the copy."""
        place = f"--basetemp={self.root.parent / 'pytest'}"  # not where other runs keep theirs, and clear them away
        words = ["-q", "-p", "no:cacheprovider", place, *arguments]
        return self._said(forked("pytest", words, self.root, code_of(self.root)), fails)

    def python(self, code: str) -> str:
        """What code prints in a process of its own."""
        own = {"PYTHONPATH": str(self.root / "src")}
        return subprocess.check_output([sys.executable, "-c", code], cwd=self.root, env=os.environ | own, text=True)

    @staticmethod
    def _said(done: subprocess.CompletedProcess[str], fails: bool) -> str:
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def changed(self) -> set[str]:
        """Files of code, tests, documentation and pipeline that are not as in the project: new, edited or gone."""
        paths = {path for root in (ROOT, self.root) for path in _files(root)}
        return {path for path in paths if not _same(ROOT / path, self.root / path)}


def _files(root: Path) -> set[str]:
    whole = (root / part for part in PARTS)
    files = {file for part in whole for file in (part.rglob("*") if part.is_dir() else [part]) if file.is_file()}
    found = {file.relative_to(root) for file in files}
    unwanted = {"__pycache__", ".pytest_cache", ".hypothesis"}
    return {str(path) for path in found if not unwanted & {*path.parts} and ".egg-info/" not in str(path)}


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and filecmp.cmp(one, other, shallow=False)
