"""A small project in which both engines run as a user runs them: the tiny configuration in place of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from forked import forked, warm
from made_once import made_once

from dgr.terminal.smoke import copy_small_project

ROOT = Path(__file__).parents[2]
ENGINES = ("dvc", "snakemake")
TABLE = "paper_configs/mini/T1.yaml"


@dataclass
class Project:
    """A working copy of the project in which commands run on its own code."""

    root: Path

    def run(self, *command: str, fails: bool = False, seconds: int = 600) -> str:
        """Run a command, check its exit status, and give all that it printed."""
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            "OMP_NUM_THREADS": "1",
            "DGR_WARM": warm().address,
            "DVC_SITE_CACHE_DIR": str(self.root / ".site"),
        }
        if command[0] in ENGINES:
            done = forked(command[0], list(command[1:]), self.root, environment, seconds)
        else:
            done = subprocess.run(
                command,
                cwd=self.root,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                timeout=seconds,
            )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def plan(self) -> None:
        self.run("python", "-m", "dgr", "plan")

    def snakemake(self, *options: str, fails: bool = False) -> set[str]:
        """Stages that Snakemake ran, or with ``--dry-run`` would run."""
        output = self.run("snakemake", "--cores", "2", "--printshellcmds", *options, fails=fails)
        return set(re.findall(r"--wait-for-lock repro --single-item (\S+)", output))

    def dvc_repro(self, *targets: str, fails: bool = False) -> set[str]:
        """Stages whose command DVC ran."""
        return set(re.findall(r"Running stage '([^']+)'", self.run("dvc", "repro", *targets, fails=fails)))

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)  # which may be a link to what DVC's cache keeps
        place.write_text(text, encoding="utf-8")

    def edit_yaml(self, edit: Callable[[Any], object], path: str = TABLE) -> None:
        """Change what a configuration says."""
        data = yaml.safe_load(self.read(path))
        edit(data)
        self.write(path, yaml.safe_dump(data))

    def configure(self, edit: Callable[[Any], object], path: str = TABLE) -> None:
        """Change what a configuration says, and the plan with it."""
        self.edit_yaml(edit, path)
        self.plan()

    def bytes_below(self, folder: str) -> dict[str, bytes]:
        """Every file's content, by its path in the folder."""
        place = self.root / folder
        return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", message)


def make_project(root: Path) -> Project:
    """A repository of git and DVC with the tiny suite, planned and not run."""
    project = Project(root)
    copy_small_project(ROOT, root)
    project.run("git", "init", "--quiet")
    project.write(".git/info/exclude", "/.site/\n")
    project.plan()
    return project


def reproduced(factory: pytest.TempPathFactory) -> Project:
    """The tiny suite, made by ``dgr reproduce`` from nothing, to be copied; ``../said.txt`` is what that printed."""

    def make(folder: Path) -> None:
        project = make_project(folder / "project")
        said = project.run("python", "-m", "dgr", "reproduce", "--cores", "2")
        (folder / "said.txt").write_text(said, encoding="utf-8")

    return Project(made_once(factory, "reproduced", make) / "project")
