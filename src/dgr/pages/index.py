"""The index page: what each suite is, what it found, and where its page, tables and figures are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import Any

from dgr.config.plan_file import Plan, read_plan
from dgr.core import paths
from dgr.core.files import write_text
from dgr.pages.exhibits import FIGURE_FILES, TABLE_FILES, about_text
from dgr.pages.html import page
from dgr.pages.overview import OVERVIEW_STEM
from dgr.pages.pictures import read_svg
from dgr.pages.suite_claims import claim_rows
from dgr.pages.suite_facts import entries_of, suite_facts, suite_summary


@dataclass(frozen=True)
class Item:
    """A table, figure or study: what it shows, and links by their text."""

    name: str
    about: str
    links: dict[str, str]


@dataclass(frozen=True)
class Card:
    """A suite on the index page.

    Attributes:
        suite: its name.
        page: where its own page is; None where that has not been made.
        facts: what it is, by name.
        verdicts: how many comparisons have which.
        items: tables, figures and studies, by kind.
    """

    suite: str
    page: str | None
    facts: dict[str, str]
    verdicts: Counter[str]
    items: dict[str, list[Item]]


def write_index() -> Path:
    """Write ``results/index.html``, the same bytes for the same files.

    Read are the plans, the claims, each suite's summary, and the figure over all claims; tables and figures are linked
    where they have been made.

    Raises:
        DGRError: a plan is missing, or a file is damaged.
    """
    plan = read_plan()
    cards = [_card(plan, suite) for suite in plan["audits"]]
    cards.sort(key=lambda card: card.page is None)  # what has results comes first
    found = {suite: verdicts for suite in plan["audits"] if (verdicts := suite_summary(suite).get("claims"))}
    overview = OVERVIEW_STEM.with_name("overview-all.svg")
    html = page(
        "index.html",
        script="audit.js",
        cards=cards,
        verdicts=sum((card.verdicts for card in cards), Counter()),
        suites=list(found),
        claims=claim_rows(found),
        picture=read_svg(overview, "python -m dgr overview") if overview.exists() else None,
    )
    write_text(paths.INDEX, html)
    return paths.INDEX


def _card(plan: Plan, suite: str) -> Card:
    summary = suite_summary(suite)
    return Card(
        suite=suite,
        page=f"{suite}/audit.html" if paths.summary_file(suite).exists() else None,
        facts=suite_facts(plan, suite, summary),
        verdicts=Counter(summary.get("claims", {}).values()),
        items={name: items for name, items in _items(plan, suite).items() if items},
    )


def _items(plan: Plan, suite: str) -> dict[str, list[Item]]:
    """Each table and figure says what kind it is by the name of the file that makes it."""
    studies = [(entry["name"], entry["title"]) for entry in entries_of(plan, "study_reports", suite)]
    shown = [(entry["name"], about_text(entry, TABLE_FILES)) for entry in _sorted(plan, "tables", suite)]
    drawn = [(entry["name"], about_text(entry, FIGURE_FILES)) for entry in _sorted(plan, "figures", suite)]
    return {
        "Tables": [Item(name, about, _table(suite, name)) for name, about in shown]
        + [Item("claims", "claims", _table(suite, "claims"))] * bool(studies),
        "Figures": [Item(name, about, _figure(suite, name)) for name, about in drawn],
        "Studies": [Item(name, title, _table(suite, name) | _figure(suite, name)) for name, title in studies],
    }


def _table(suite: str, name: str) -> dict[str, str]:
    """Links to the page and to the files that are there, relative to the index."""
    stem = paths.tables_folder(suite) / name
    return _links(suite, f"table-{name}", {"CSV": stem.with_suffix(".csv"), "Markdown": stem.with_suffix(".md")})


def _figure(suite: str, name: str) -> dict[str, str]:
    stem = paths.FIGURES / suite / name
    return _links(suite, f"figure-{name}", {"PDF": stem.with_suffix(".pdf"), "PNG": stem.with_suffix(".png")})


def _links(suite: str, anchor: str, files: dict[str, Path]) -> dict[str, str]:
    there = {text: Path(relpath(path, paths.INDEX.parent)).as_posix() for text, path in files.items() if path.exists()}
    on_page = {"on the page": f"{suite}/audit.html#{anchor}"} if there and paths.summary_file(suite).exists() else {}
    return on_page | there


def _sorted(plan: Plan, section: str, suite: str) -> list[dict[str, Any]]:
    return sorted(entries_of(plan, section, suite), key=lambda entry: str(entry["name"]))
