"""Places in which somebody may unpack and run this: how each is made, and in which way a command runs there."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from project_support import ROOT, Project
from trial_project import make_small

from dgr.terminal.smoke import copy_small_project

SOURCES = ("src", "paper_configs", "profiles", "report", "Snakefile", "dvc.yaml", "results/dvc.yaml")
NOBODY = 65534
DAY = 86400.0


@dataclass(frozen=True)
class Place:
    """One odd place.

    Attributes:
        folder: the checkout's name there.
        change: is done to the planned checkout.
        environment: variables of the command; None takes one away.
        prefix: the program that starts the command, with its options.
        command: what is typed there.
        cores: for it.
        says: what the command must say where it cannot work; without it, it makes the same bytes.
        root: whether only root can make the place.
    """

    folder: str = "checkout"
    change: Callable[[Path], object] = lambda root: None
    environment: dict[str, str | None] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    command: Sequence[str] = ("snakemake",)
    cores: int = 2
    says: str = ""
    root: bool = False


def read_only(root: Path) -> None:
    """No source can be written, also not by its owner."""
    for name in SOURCES:
        for path in (root / name, *(root / name).rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)


def without_git(root: Path) -> None:
    """As an unpacked archive."""
    shutil.rmtree(root / ".git")


def told(root: Path) -> None:
    """An unpacked archive after `make install`."""
    without_git(root)
    (root / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")


def from_zip(root: Path) -> None:
    """The last commit as a ZIP file, which keeps neither git nor modes nor odd seconds, unpacked and planned."""
    archive, unpacked = root.parent / "repository.zip", root.parent / "unpacked"
    subprocess.run(("git", "archive", "--format=zip", "--output", str(archive), "HEAD"), cwd=ROOT, check=True)
    with zipfile.ZipFile(archive) as file:
        file.extractall(unpacked)
    shutil.rmtree(root)
    copy_small_project(unpacked, root)
    (root / "paper_configs/mini/T5.yaml").unlink()
    (root / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    Project(root).plan()


def from_the_future(root: Path) -> None:
    """Every file was written by a machine whose clock is a day ahead."""
    _date_all(root, time.time() + DAY)


def of_long_ago(root: Path) -> None:
    """Every file was written decades before its checkout."""
    _date_all(root, DAY)


def _date_all(root: Path, moment: float) -> None:
    for path in root.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path, (moment, moment))


def of_somebody_else(root: Path) -> None:
    """Somebody else's clone, which this user may write."""
    for path in (root, *root.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def behind_a_link(root: Path) -> None:
    """The folder of this name is a symbolic link to the checkout."""
    root.rename(root.with_name("elsewhere"))
    root.symlink_to("elsewhere")


def limited(limit: str) -> tuple[str, ...]:
    """What starts a command under a limit of the shell's ``ulimit``."""
    return ("sh", "-c", f'ulimit {limit}; exec "$@"', "sh")


ASCII = {"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
ROOTLESS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner")
"""What lets root pass over modes is taken away; for others nothing has to be."""
REPRODUCE = ("python", "-m", "dgr", "reproduce", "mini")
THROUGH_LINK = ("sh", "-c", 'cd ../checkout; exec "$@"', "sh")
"""A shell remembers the name by which it came to a folder, and tells it to its commands."""
PLACES = {
    "blanks, umlauts, quotes and `$` in the path": Place("my Größe 'a' \"b\" $HOME"),
    "no HOME": Place(environment={"HOME": None}),
    "a HOME that cannot be written": Place(environment={"HOME": "/proc"}, command=REPRODUCE),
    "locale C, text as ASCII": Place(environment=ASCII),
    "another time zone": Place(environment={"TZ": "Pacific/Kiritimati"}),
    "`python -O`": Place(environment={"PYTHONOPTIMIZE": "1"}),
    "`python -OO`": Place(environment={"PYTHONOPTIMIZE": "2"}),
    "umask 077": Place(prefix=("sh", "-c", 'umask 077; exec "$@"', "sh")),
    "behind a symbolic link": Place(change=behind_a_link, prefix=THROUGH_LINK),
    "sources that are read-only": Place(change=read_only, prefix=ROOTLESS if os.getuid() == 0 else ()),
    "no .git, and DVC was told": Place(change=told),
    "a ZIP of the repository": Place(change=from_zip),
    "one core": Place(prefix=("taskset", "--cpu-list", "0"), cores=1),
    "eight jobs and eight threads": Place(cores=8, environment={"OMP_NUM_THREADS": "8"}),
    "no network": Place(prefix=("unshare", "--net"), root=True),
    "time stamps in the future": Place(change=from_the_future),
    "time stamps of long ago": Place(change=of_long_ago),
    "another user's clone": Place(change=of_somebody_else, root=True),
    "no .git": Place(change=without_git, says="This folder is no git repository; run `dvc config --local core.no_scm"),
    "40 open files": Place(prefix=limited("-n 40")),
    "1.5 GB of address space": Place(prefix=limited("-v 1500000")),
    "1 GB of address space": Place(prefix=limited("-v 1000000"), says="may have 1024 MB of address space, and needs"),
    "400 MB of address space": Place(
        prefix=limited("-v 400000"), says="may have 410 MB of address space, and needs 1,500 MB"
    ),
}


def make_place(place: Place, around: Path) -> Path:
    """A planned checkout in a place; gives its folder."""
    root = around / place.folder
    make_small(root)
    place.change(root)
    return root


def possible(place: Place) -> bool:
    """Whether this user and this machine can make it."""
    has = not place.prefix or shutil.which(place.prefix[0]) is not None
    return has and (os.getuid() == 0 or not place.root)
