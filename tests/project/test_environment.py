"""One environment, stated once: pyproject.toml asks, requirements.lock answers, everything else refers to the lock."""

import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
HASHES = (ROOT / "requirements.hashes").read_text()
PINS = {
    canonicalize_name(name): pin
    for name, pin in (line.split("==") for line in LOCK.splitlines() if line and not line.startswith("#"))
}
REQUIREMENTS = PROJECT["dependencies"] + [text for extra in PROJECT["optional-dependencies"].values() for text in extra]


@pytest.mark.parametrize("text", [text for text in REQUIREMENTS if not text.startswith("dgr[")])
def test_the_lock_meets_every_requirement(text: str) -> None:
    requirement = Requirement(text)
    assert PINS[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_light_part_is_torch_in_a_range_and_nothing_heavy() -> None:
    core = {requirement.name: requirement.specifier for requirement in map(Requirement, PROJECT["dependencies"])}
    assert set(core) == {"torch", "typing-extensions"}
    assert {specifier.operator for specifier in core["torch"]} == {">="}
    assert "2.4.0" in core["torch"]
    assert PINS["torch"] == "2.13.0"


def test_every_file_but_torchs_has_its_hash() -> None:
    entries = re.split(r"\n(?=[a-z])", re.sub("(?m)^#.*\n", "", HASHES).strip())
    pins = {}
    for entry in entries:
        pin, *hashes = entry.split(" \\\n    --hash=sha256:")
        name, pins[canonicalize_name(pin.split("==")[0])] = pin.split("==")
        assert hashes, name
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in hashes), name
    assert pins == {name: pin for name, pin in PINS.items() if name not in ("torch", "torchvision")}


def test_the_locks_fit_other_machines() -> None:
    pins = LOCK + re.sub(r" \\\n +--hash=sha256:[0-9a-f]+", "", HASHES)
    for foreign in ("+", "://", "--", " @ ", "nvidia", "cuda"):
        assert foreign not in pins, foreign


def test_what_is_installed_is_what_is_locked() -> None:
    # A local suffix such as torch's "+cpu" names a build of the same version.
    installed = {name: Version(version(name)).public for name in PINS}
    assert installed == PINS


def test_conda_users_get_the_same() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, from_pip = environment["dependencies"]
    assert python.removeprefix("python=") in SpecifierSet(PROJECT["requires-python"])
    assert (pip, from_pip) == ("pip", {"pip": ["-r requirements.lock", "-e ."]})


@pytest.mark.parametrize(
    ("script", "message"),
    [(None, "No './my-python' found"), ("#!/bin/sh\nexit 1\n", "'./my-python' is older than Python 3.11")],
)
def test_an_unfit_python_is_one_sentence(tmp_path: Path, script: str | None, message: str) -> None:
    for name in ("Makefile", "requirements.lock", "requirements.hashes", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    if script:
        (tmp_path / "my-python").write_text(script)
        (tmp_path / "my-python").chmod(0o755)
    done = subprocess.run(
        ("make", "install", "PYTHON=./my-python"), cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert message in done.stderr.splitlines()[0]
    assert not (tmp_path / ".venv").exists()


PIP = """#!/bin/sh
# A python whose environments are folders, and whose pip is killed where the file `kill` says so.
case "$*" in
-c*) exit 0 ;;
"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo made >> .venv/made ;;
"-m pip install"*)
    echo half > .venv/package
    [ ! -e kill ] || { rm kill; kill -9 $PPID; exit 1; }
    echo whole > .venv/package
    ;;
esac
"""


def test_an_interrupted_installation_begins_anew(tmp_path: Path) -> None:
    """What pip left half-written would count as installed."""
    for name in ("Makefile", "requirements.lock", "requirements.hashes", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "python").write_text(PIP)
    (tmp_path / "python").chmod(0o755)
    (tmp_path / "kill").touch()
    command = ("make", "install", "PYTHON=./python")
    killed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode != 0
    assert (tmp_path / ".venv/package").read_text() == "half\n"
    (tmp_path / ".venv/left over").touch()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / ".venv/left over").exists()
    assert (tmp_path / ".venv/package").read_text() == "whole\n"
    os.utime(tmp_path / ".venv/installed", (0, 0))  # another lock: what is whole is brought up to date, not made anew
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False).returncode == 0
    assert (tmp_path / ".venv/made").read_text() == "made\nmade\n"
