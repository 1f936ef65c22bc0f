"""What the Snakefile asks before anything runs: which suite is meant, and whether its plan is current."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dgr.core.errors import DGRError, nearest
from dgr.core.paths import CONFIGS, DEFAULT_SUITE
from dgr.plan.files import check_plans, write_plans
from dgr.plan.suites import find_suite, quick_look
from dgr.plan.system import check_address_space, check_disk, check_folder

KEYS = ("suite", "seeds")


def open_suite(config: Mapping[str, Any], check: bool = True) -> str:
    """The suite that ``snakemake --config suite=NAME seeds=0,1`` asks for; both may be left out.

    Args:
        config: what was given; seeds make a quick look at the suite, whose plan is written.
        check: whether to look at the plan at all; the jobs that Snakemake starts need not.

    Raises:
        DGRError: an unknown key or suite, seeds that cannot be used, a plan that is not what ``paper_configs`` says, a
            folder that is no checkout, one in which DVC would refuse to work, or too little memory or disk.
    """
    if check:
        check_folder()
        check_address_space()
        check_disk()
        check_repository(Path())
    for key in config:
        if key not in KEYS:
            raise DGRError(f"Unknown --config key '{key}'{nearest(key, KEYS)}")
    name = str(config.get("suite", DEFAULT_SUITE))
    if "seeds" in config:
        given = config["seeds"]
        chosen = quick_look(name, ",".join(map(str, given)) if isinstance(given, list | tuple) else str(given), CONFIGS)
        if check:
            write_plans(chosen)
    else:
        chosen = find_suite(name, CONFIGS)
        if check:
            check_plans(chosen)
    return chosen.name


def check_repository(root: Path) -> None:
    """DVC wants a git repository around it, unless it is told that there is none.

    Raises:
        DGRError: there is none, as in an unpacked archive, and DVC does not know.
    """
    settings = (path.read_text(encoding="utf-8") for path in root.glob(".dvc/config*"))
    if not (root / ".git").exists() and not any("no_scm = true" in text for text in settings):
        raise DGRError("This folder is no git repository; run `dvc config --local core.no_scm true` once, for DVC.")
