"""A small part of `make places`: one run is trained in an odd place, and its bytes are those of any other."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from odd_places import PLACES
from project_support import ROOT, warm

KEY = "mini-multimnist-conv-equal_weighting-none"
PATH = "blanks, umlauts, quotes and `$` in the path"
ODDLY = """
import os, resource, sys, time
from importlib.machinery import PathFinder, SourceFileLoader

class Optimised(SourceFileLoader):
    def get_code(self, name):
        return compile(self.get_data(self.path), self.path, "exec", dont_inherit=True, optimize=2)

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        found = super().find_spec(name, path, target) if name.partition(".")[0] == "dgr" else None
        if found and found.origin:
            found.loader = Optimised(found.name, found.origin)
        return found

sys.meta_path.insert(0, Finder)
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
time.tzset()  # a fork has its parent's zone
os.environ.pop("DGR_WARM")  # whose other forks have none of this
from dgr.__main__ import main
assert main.__doc__ is None
main()
"""
"""This project's modules as ``python -OO`` has them; Python's own switch would compile torch anew, for a quarter of a
minute. And as few open files as may be."""


def made(root: Path) -> dict[str, bytes]:
    """Files of a run by name, but those that name the modules of the process."""
    below = [root / "runs/mini/train" / KEY, root / "trained/mini" / KEY]
    files = [path for folder in below for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files if path.name != "manifest.json"}


def test_a_run_is_the_same_in_an_odd_place(project: Path, tmp_path: Path, command: Callable[..., object]) -> None:
    """Without assertions, in another time zone, with few open files, below a name that shells dislike."""
    odd = tmp_path / PLACES[PATH].folder
    shutil.copytree(project, odd)
    (odd / "oddly.py").write_text(ODDLY, encoding="utf-8")
    while not Path(warm().address).exists():  # in a fork of it nothing is loaded twice
        time.sleep(0.05)
    place = {"DGR_WARM": warm().address, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{odd}", "TZ": "Pacific/Kiritimati"}
    done = subprocess.run(
        [sys.executable, "-m", "dgr.plan.warm", "oddly", "train", KEY, "--device", "cpu"],
        cwd=odd,
        env=os.environ | place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert command("train", KEY, "--device", "cpu") is None
    assert made(odd) == made(project)
    assert {Path(name).name for name in made(project)} >= {"metrics.json", "history.csv"}


def test_every_place_that_a_review_named_is_gone_to() -> None:
    named = {"another time zone", "`python -O`", "`python -OO`", "40 open files", "1 GB of address space"}
    assert PLACES.keys() >= named | {"behind a symbolic link", PATH}
