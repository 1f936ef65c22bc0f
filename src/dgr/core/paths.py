"""Every folder the project reads or writes, relative to the repository root (the working directory)."""

from pathlib import Path

CONFIGS = Path("paper_configs")
PLAN = Path("plan.json")
"""The default suite's; another's lies in its folder."""
HASHES = Path("hashes.json")
"""Of a plan's entries, beside it."""
STAGES = Path("dvc.yaml")
"""The stages of a suite, written by hand for the default one; another's is a copy in its folder."""
SUITES = Path("suites")
SHARED = SUITES / "shared"
"""What suites have in common: how data sets are made, and the index page."""
DEFAULT_SUITE = "mini"
"""Its plan stands at the top, so that plain ``snakemake`` and ``dvc repro`` make this suite and no other."""
SOURCES = Path("sources")
DATA = Path("data")
RUNS = Path("runs")
CODE = RUNS / SHARED.name / "code"
"""Hashes of the code that many stages have in common."""
MADE = RUNS / SHARED.name / "origins"
"""Who made each seed's result here, ``SUITE/KEY/seed-N.json``: no stage's output, since it differs each time."""
TRAINED = Path("trained")
"""What is large of trained runs: nobody needs it once all measurements are made, and it may be missing then."""
UNFINISHED = Path("unfinished")
RESULTS = Path("results")
SUMMARIES = RESULTS / "summaries"
INDEX = RESULTS / "index.html"
"""The page over all suites."""
FIGURES = Path("figures")


def suite_folder(suite: str) -> Path:
    """Where a suite's ``plan.json``, ``dvc.yaml`` and ``dvc.lock`` are: ``suites/SUITE``; the default's at the top."""
    return Path() if suite == DEFAULT_SUITE else SUITES / suite


def summary_file(suite: str) -> Path:
    """The few numbers of a suite that ``dvc metrics`` shows and the index of all suites reads."""
    return SUMMARIES / f"{suite}.json"


def records_folder(suite: str) -> Path:
    """A suite's numbers, of runs or of studies: ``results/SUITE/records``, small and committed."""
    return RESULTS / suite / "records"


def origins_folder(suite: str) -> Path:
    """Who made a suite's numbers first, on which machine, in what time: ``results/SUITE/origins``."""
    return RESULTS / suite / "origins"


def tuning_folder(suite: str) -> Path:
    """What tuning found and chose for a suite's runs: ``results/SUITE/tuning``, small and committed."""
    return RESULTS / suite / "tuning"


def tuning_file(suite: str, key: str) -> Path:
    """The same for one run: ``results/SUITE/tuning/KEY.json``."""
    return tuning_folder(suite) / f"{key}.json"


def tables_folder(suite: str) -> Path:
    """A suite's tables and claims: ``results/SUITE/tables``."""
    return RESULTS / suite / "tables"


def output_path(suite: str, stage: str, key: str) -> Path:
    """Where a stage leaves what it makes: ``runs/SUITE/STAGE/KEY``; a file has its suffix in the key.

    All of a suite lies in one folder, so that another suite's runs do not make this one's tables stale.
    """
    return RUNS / suite / stage / key


def trained_folder(suite: str, key: str) -> Path:
    """Where a run's weights ``seed-N.pt`` and representations ``seed-N.npz`` are: ``trained/SUITE/KEY``.

    Not below ``runs``, so that the records of a suite are the same with and without them.
    """
    return TRAINED / suite / key
