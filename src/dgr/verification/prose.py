"""Whether the numbers in the README's sentences are numbers of the plan or of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dgr.claims.schema import CLAIMS_FILE, load_claims
from dgr.config.plan_file import Plan, read_plan, tunings
from dgr.core.paths import RESULTS
from dgr.pages.readme import BLOCK
from dgr.verification.findings import Finding
from dgr.verification.remaking import README

WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
VALUES = {word: float(number) for number, word in enumerate(WORDS, start=2)}
"""``one`` is left out: it is more often a pronoun."""
SECTION = re.compile(r"^## What came out\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
PROSE_NUMBER = re.compile(rf"(?<![\w.-])([+−-]?\d+(?:[.,]\d+)*|{'|'.join(WORDS)})(?![\w-])", re.IGNORECASE)
LINKS = re.compile(r"\]\([^)]*\)|`[^`]*`")
NOUN = re.compile(r"(?:\s+[\w‖]+){0,2}?\s+(epochs?|tuning seeds?|seeds?)\b")
"""What a number counts, up to two words later."""


def check_prose() -> Finding:
    """Every number in the section "What came out" stands in the plan or in a table.

    A number before "epochs", "seeds" or "tuning seeds" must be one that a suite has. Another whole number up to twelve
    must count something of the plan or the verdicts; every other number must stand in a table of ``results``, as it is
    written there.
    """
    found = Finding("numbers in README's sentences")
    section = SECTION.search(README.read_text(encoding="utf-8")) if README.exists() else None
    if section is None:
        found.open = f"{README} has no section 'What came out'"
        return found
    prose = LINKS.sub("]", BLOCK.sub("", section[1]))
    counted = dict(_counted(read_plan()))
    tables = set(_in_tables())
    for match in PROSE_NUMBER.finditer(prose):
        word = match[1]
        noun = NOUN.match(prose, match.end())
        number = VALUES[word.lower()] if word.lower() in VALUES else _value(word)
        if noun:
            known = number in counted[noun[1].removesuffix("s")]
        elif number.is_integer() and 0 <= number <= len(WORDS) + 1:
            known = number in set().union(*counted.values()) or word in tables
        else:
            known = word.lstrip("+") in tables or word in tables
        around = " ".join(prose[max(0, match.start() - 25) : match.end() + 25].split())
        found.expect(known, f"README.md says '{word}' in '… {around} …', which no plan and no table has.")
    return found


def _value(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _counted(plan: Plan) -> Iterator[tuple[str, set[float]]]:
    """What the plans of all suites, and the claims, have so many of."""
    runs: list[dict[str, Any]] = [*plan["runs"].values(), *plan["tuned_runs"].values()]
    runs += [entry["run"] for entry in plan["sweeps"].values()]
    yield "epoch", {float(run["training"]["epochs"]) for run in runs}
    seeded = [*runs, *plan["studies"].values(), *plan["real_studies"].values()]
    yield "seed", {float(len(entry["seeds"])) for entry in seeded}
    yield "tuning seed", {float(len(entry["seeds"])) for entry in tunings(plan).values()}
    yield "method", {float(len({run["method"]["name"] for run in runs if run["suite"] == s})) for s in plan["suites"]}
    compared = [comparison for claim in load_claims(CLAIMS_FILE).claims for comparison in claim.comparisons]
    yield "method compared", {float(len(getattr(comparison, "methods", ()))) for comparison in compared}
    yield "suite", {float(len(plan["suites"]))}


def _in_tables() -> Iterator[str]:
    """Every number of every table, as readers see it."""
    for path in sorted(Path(RESULTS).glob("*/tables/*.md")):
        yield from re.findall(r"[+−]?\d+(?:[.,]\d+)*", path.read_text(encoding="utf-8"))
