"""What README has to say whatever its words are: how to start, what was not done, a figure, and claims that exist."""

import csv
import re
from pathlib import Path

import pytest

from dgr.pages.readme import BLOCK
from dgr.verification.prose import SECTION

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLAIM = r"[A-Z]\d+[a-z]*"
CLAIMS = re.compile(rf"\(({CLAIM}(?:(?:,| and|, and) {CLAIM})*)\)")


@pytest.mark.parametrize(
    "promise",
    ["source .venv/bin/activate", "only the abstract and the authors' code could be read", "**not run**"],
)
def test_it_says_so(promise: str) -> None:
    assert promise in " ".join(README.replace("’", "'").split())


def test_a_figure_and_a_diagram_are_there() -> None:
    figures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert "figures/overview.png" in figures
    assert all((ROOT / figure).is_file() for figure in figures)
    assert re.search(r"^```mermaid\nflowchart .*-->.*?^```$", README, re.MULTILINE | re.DOTALL)


def test_each_claim_that_the_verdict_names_was_decided() -> None:
    section = SECTION.search(README)
    assert section is not None
    named = {name for group in CLAIMS.findall(BLOCK.sub("", section[1])) for name in re.findall(CLAIM, group)}
    decided = set()
    for path in ROOT.glob("results/*/tables/claims.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):  # C5a is one test a method: C5a-imtl
                decided |= {row["claim"], row["comparison"].partition("-")[0]}
    assert named, "no claim is named"
    assert named <= decided
