"""A suite from its beginning to what came out of it, as ``dgr reproduce`` shows it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from snakemake.cli import main as snakemake
from snakemake.logging import LoggerPluginRegistry

from dgr.core.paths import CONFIGS, DEFAULT_SUITE
from dgr.plan.suites import choose_suite
from dgr.terminal import progress
from dgr.terminal.outcome import outcome_lines

PLUGIN = "steps"
DRY = {"-n", "--dry-run", "--dryrun"}
DETAILS = {"--quiet", "-q", "--printshellcmds", "-p", "--summary", "-S", "--detailed-summary", "-D", "--debug-dag"}
"""Options that say how much a dry run prints."""
OWN_OUTPUT = DRY | {"--unlock", "--touch", "-t", "--lint", "--quiet", "-q", "--logger"}
"""Options with which Snakemake speaks for itself."""
HOW_MUCH = {"--cores", "-c", "--jobs", "-j", "--workflow-profile", "--profile"}
"""Options that say how many steps may run at a time."""


def reproduce_suite(suite: str, seeds: str | None, options: Sequence[str], verbose: bool) -> int:
    """Make a suite and say what came out, what differs from the last commit, and where to look.

    Args:
        suite: its name.
        seeds: of a quick look, such as ``0,1``.
        options: of Snakemake; without any that says how much may run at a time, all cores.
        verbose: show all that Snakemake says, in place of one line a step.

    Returns:
        Snakemake's exit status.

    Raises:
        DGRError: there is no such suite, or seeds that cannot be used.
    """
    if suite.startswith("-"):  # an option of Snakemake, and no suite before it
        suite, options = DEFAULT_SUITE, [suite, *options]
    status = make_suite(suite, seeds, options, verbose)
    if not status and not _names(options) & OWN_OUTPUT:
        chosen = choose_suite(suite, seeds, CONFIGS)
        assert chosen is not None
        print("\n".join(outcome_lines(chosen)))
    return status


def make_suite(suite: str, seeds: str | None, options: Sequence[str], verbose: bool) -> int:
    """Let Snakemake make a suite, and print one line a step; as :func:`reproduce_suite`, and nothing at the end."""
    chosen = choose_suite(suite, seeds, CONFIGS)
    assert chosen is not None
    arguments = [*options, "--config", f"suite={suite}", *([f"seeds={seeds}"] if seeds else [])]
    if not _names(options) & HOW_MUCH:
        arguments += ["--cores", "all"]
    if not verbose and _names(options) & DRY and not _names(options) & DETAILS:
        arguments += ["--quiet", "rules"]  # a suite has thousands of steps: how many of each kind says enough
    _give_a_cache()
    by_step = not verbose and not _names(options) & OWN_OUTPUT
    if by_step:
        LoggerPluginRegistry().register_plugin(f"snakemake_logger_plugin_{PLUGIN}", progress)
        arguments += ["--logger", PLUGIN, f"--logger-{PLUGIN}-suite", chosen.name]
    try:
        snakemake(arguments)
    except SystemExit as ended:
        if not ended.code:
            return 0
    if by_step:
        print(
            "Not all steps are done. What is done stays, and the same command goes on from there. All that Snakemake "
            "said is in .snakemake/log.",
            file=sys.stderr,
        )
    return 1


def _give_a_cache() -> None:
    """Snakemake ends with a traceback where it cannot keep its cache in the user's home."""
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
        (home / "snakemake").mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home / "snakemake").close()
    except (OSError, RuntimeError):  # nobody's home is known
        os.environ["XDG_CACHE_HOME"] = str(Path(".snakemake/cache").absolute())


def _names(options: Sequence[str]) -> set[str]:
    """Of options, without values: ``--cores=4`` and ``-c4`` are ``--cores`` and ``-c``."""
    return {option.partition("=")[0] if option.startswith("--") else option[:2] for option in options}
