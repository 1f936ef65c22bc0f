"""Every folder the project reads or writes, relative to the repository root (the working directory)."""

from pathlib import Path

CONFIGS = Path("paper_configs")
PLAN = Path("plan.json")
SUITES = Path("suites")
SOURCES = Path("sources")
DATA = Path("data")
RUNS = Path("runs")
UNFINISHED = Path("unfinished")
RESULTS = Path("results")
FIGURES = Path("figures")


def suite_folder(suite: str) -> Path:
    """Where a suite's ``plan.json``, ``dvc.yaml`` and ``dvc.lock`` are: ``suites/SUITE``; the default's at the top."""
    folder = SUITES / suite
    return folder if folder.is_dir() else Path()


def records_folder(suite: str) -> Path:
    """A suite's numbers, of runs or of studies: ``results/SUITE/records``, small and committed."""
    return RESULTS / suite / "records"


def tables_folder(suite: str) -> Path:
    """A suite's tables and claims: ``results/SUITE/tables``."""
    return RESULTS / suite / "tables"


def output_path(suite: str, stage: str, key: str) -> Path:
    """Where a stage leaves what it makes: ``runs/SUITE/STAGE/KEY``; a file has its suffix in the key.

    All of a suite lies in one folder, so that another suite's runs do not make this one's tables stale.
    """
    return RUNS / suite / stage / key
