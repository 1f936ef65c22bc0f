"""What was found, for the terminal and as ``verification.md``."""

from __future__ import annotations

import datetime
import inspect
import platform
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from dgr.core.device import choose_device
from dgr.core.origin import device_name
from dgr.core.provenance import versions
from dgr.verification import tolerance
from dgr.verification.drawing import Unit
from dgr.verification.findings import Finding
from dgr.verification.history import git


@dataclass(frozen=True)
class Verification:
    """All that one call found.

    Attributes:
        suite: whose.
        command: as it was typed.
        findings: in the order in which they are shown.
        units: what was run again.
        differing: why bits may differ here; empty where identical ones are demanded.
        made_on: where the committed numbers were made.
    """

    suite: str
    command: str
    findings: list[Finding]
    units: list[Unit]
    differing: list[str]
    made_on: list[str]

    @property
    def passed(self) -> bool:
        """Whether nothing failed; what could not be looked at does not count."""
        return not any(finding.problems for finding in self.findings)


def table_lines(verification: Verification) -> Iterator[str]:
    """The short table, with the first problem of each check below it."""
    width = max(len(finding.check) for finding in verification.findings)
    for finding in verification.findings:
        said = finding.open or "; ".join(finding.notes)
        line = f"{finding.check:{width}}  {finding.compared:>7,}  {finding.result}"
        yield f"{line}: {said}" if said else line
    for finding in verification.findings:
        for problem in finding.problems[:MOST_PROBLEMS]:
            yield f"  {finding.check}: {problem}"
        if (more := len(finding.problems) - MOST_PROBLEMS) > 0:
            yield f"  {finding.check}: {more} more"


MOST_PROBLEMS = 5


def report_text(verification: Verification) -> str:
    """The whole of ``verification.md``."""
    return "\n".join(_lines(verification)) + "\n"


def _lines(verification: Verification) -> Iterator[str]:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    yield f"# Verification of suite {verification.suite}: {'passed' if verification.passed else 'failed'}"
    yield ""
    yield f"- Date: {now}"
    yield f"- Command: `{verification.command}`"
    changes = git("status", "--porcelain", "--untracked-files=no")
    commit = git("rev-parse", "HEAD")
    yield f"- Commit: {commit or 'unknown'}{', with changes' if changes else ''}"
    yield f"- Here: {device_name(choose_device('cpu'))}, {platform.system()} {platform.machine()}, " + ", ".join(
        f"{name} {version}" for name, version in versions().items()
    )
    yield f"- The committed numbers were made on: {', '.join(verification.made_on) or 'unknown'}"
    demand = "; ".join(verification.differing)
    yield "- Numbers made again: " + (f"within the tolerance, since {demand}" if demand else "identical bits demanded")
    yield ""
    yield "| Check | Compared | Result | Notes |"
    yield "|:--|--:|:--|:--|"
    for finding in verification.findings:
        notes = finding.open or "; ".join(finding.notes)
        yield f"| {finding.check} | {finding.compared:,} | {finding.result} | {notes} |"
    for finding in verification.findings:
        if finding.problems:
            yield f"\n## {finding.check}\n"
            yield from (f"- {problem}" for problem in finding.problems)
    yield "\n## What was run again\n"
    yield from (f"- {unit}" for unit in verification.units)
    if not verification.units:
        yield "Nothing."
    yield f"\n## Tolerance\n\n```text\n{inspect.cleandoc(tolerance.__doc__ or '')}\n```"
    yield f"\nTorch here: {torch.__version__}, one thread a process."
