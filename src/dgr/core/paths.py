"""Every folder the project reads or writes, relative to the repository root (the working directory)."""

import os
from pathlib import Path

CONFIGS = Path("paper_configs")
PLAN = CONFIGS / "runs.json"
DATA = Path("data")
SOURCES = Path(os.environ.get("DGR_SOURCES", "sources"))
"""What cannot be made or shipped and has to be put in place: archives of data sets."""
RUNS = Path("runs")
UNFINISHED = Path("unfinished")
RESULTS = Path("results")
FIGURES = Path("figures")


def output_path(suite: str, stage: str, key: str) -> Path:
    """Where a stage leaves what it makes: ``runs/SUITE/STAGE/KEY``; a file has its suffix in the key.

    All of a suite lies in one folder, so that another suite's runs do not make this one's tables stale.
    """
    return RUNS / suite / stage / key
