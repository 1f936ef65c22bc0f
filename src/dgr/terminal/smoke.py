"""The whole pipeline on a suite of seconds, in a folder of its own: whether this machine can reproduce anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS, DEFAULT_SUITE, FIGURES, records_folder, tables_folder
from dgr.terminal.words import duration

_TINY = Path("tests/tiny_configs")
"""Every kind of stage once, as small as can be."""
_TINY_REPORT = Path("tests/tiny_report")
"""A text that names only what the tiny suite has."""
_FILES = (
    *("Snakefile", "dvc.yaml", ".dvcignore", ".gitignore", ".dvc/config", ".dvc/.gitignore", "suites/shared/dvc.yaml"),
    *(
        "results/dvc.yaml",
        "CITATION.cff",
        "pyproject.toml",
        "requirements.hashes",
        "requirements.lock",
        "docs/replication.md",
    ),
)
_FOLDERS = ("profiles", "report", "src", ".dvc/plots")
_MAKE = "import sys; from dgr.terminal.reproducing import make_suite; sys.exit(make_suite({!r}, None, [], {!r}))"


def run_smoke(verbose: bool) -> int:
    """Make the tiny suite in a temporary folder, and tell what that showed; nothing of the checkout is written.

    Args:
        verbose: show all that Snakemake says, in place of one line a step.

    Returns:
        0 where all of it went well; else the exit status of what failed, which has said why.

    Raises:
        DGRError: this is no whole checkout.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dgr-smoke-") as folder:
        root = Path(folder)
        copy_small_project(Path(), root)
        (root / ".dvc/config.local").write_text("[core]\n    no_scm = true\n", encoding="utf-8")
        own = {"PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1", "DVC_SITE_CACHE_DIR": str(root / ".site")}
        for command in (["-m", "dgr", "plan"], ["-c", _MAKE.format(DEFAULT_SUITE, verbose)]):
            done = subprocess.run([sys.executable, *command], cwd=root, env=os.environ | own, check=False)
            if done.returncode:
                print("The smoke test FAILED, and what failed is told above.", file=sys.stderr)
                return done.returncode
        print("\n".join(_shown(root, time.monotonic() - start)))
    return 0


def copy_small_project(checkout: Path, root: Path) -> None:
    """A project with the tiny configuration in place of its own, not planned and not run.

    Args:
        checkout: what it is a copy of.
        root: its folder.

    Raises:
        DGRError: a file of the checkout is missing.
    """
    try:
        for name in _FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(checkout / name, root / name)
        for name in _FOLDERS:
            shutil.copytree(checkout / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        shutil.copytree(checkout / _TINY, root / CONFIGS)
        shutil.copy(checkout / CONFIGS / "claims.yaml", root / CONFIGS)
        shutil.copytree(checkout / _TINY_REPORT, root / "report", dirs_exist_ok=True)
    except FileNotFoundError as error:
        raise DGRError(f"{error.filename} is missing; take a whole clone of the repository.") from error


def _shown(root: Path, seconds: float) -> Iterator[str]:
    runs = pd.read_csv(root / records_folder(DEFAULT_SUITE) / "provenance.csv")
    tables = sorted(path.stem for path in (root / tables_folder(DEFAULT_SUITE)).glob("*.csv"))
    figures = sorted(path.stem for path in (root / FIGURES / DEFAULT_SUITE).glob("*.png"))
    yield ""
    yield f"The smoke test passed in {duration(seconds)}: the whole pipeline runs on this machine."
    yield (
        f"It made a data set, chose strengths, trained {runs['key'].nunique()} runs ({len(runs)} seeds in all), "
        f"measured them, and made table {', '.join(tables)}, figure {', '.join(figures)} and a page. "
        "All files are as dvc.lock says."
    )
    yield "Its numbers mean nothing, since a run sees 64 pictures once; `make reproduce` makes those that count."
    yield "It ran in a temporary folder, which is gone; nothing of this checkout was changed."
