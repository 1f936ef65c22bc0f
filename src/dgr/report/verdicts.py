"""The claims of a suite as the report names them: texts of the table ``claims``, and what is not run yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from dgr.claims import CLAIMS_FILE, Claim, load_claims, own_tests
from dgr.core import paths
from dgr.pages.comparisons import decided_claims
from dgr.pages.exhibits import CLAIMS_TABLE
from dgr.pages.html import DECISIONS
from dgr.pages.table_files import read_table
from dgr.report.names import Namespace
from dgr.tables.shared.rendering import escape_markdown

NOT_RUN = "not run"
CLAIM_COLUMNS = {
    "No.": "id",
    "Comparison": "question",
    "Claimed": "claimed",
    "Ours": "difference",
    "Interval": "interval",
    "Region": "region",
    "Detectable": "detectable",
    "n": "n",
    "Verdict": "verdict",
}
"""Columns of the table, and what the report calls them."""


def declared_claims() -> list[Claim]:
    """All claims, each with one comparison a test.

    Raises:
        DGRError: ``claims.yaml`` is wrong or missing.
    """
    return list(map(own_tests, load_claims(CLAIMS_FILE).claims))


def comparisons_of(suite: str, declared: Iterable[Claim]) -> Namespace:
    """Every declared comparison by its number, as this suite's table has it.

    Raises:
        DGRError: the table is damaged.
    """
    rows = {
        comparison.id: {"id": comparison.id, "question": escape_markdown(comparison.question)}
        | dict.fromkeys(("claimed", "difference", "interval", "region", "detectable", "n"), "–")
        | {"verdict": NOT_RUN}
        for claim in declared
        for comparison in claim.comparisons
    }
    file = paths.tables_folder(suite) / f"{CLAIMS_TABLE}.json"
    if file.exists():
        table = read_table(file, f"python -m dgr reproduce {suite}")
        for cells in table.rows:
            texts = dict(zip(table.columns, map(escape_markdown, cells), strict=True))
            row = {name: texts[column] for column, name in CLAIM_COLUMNS.items()}
            rows[cells[table.columns.index("No.")]] = row | {"verdict": texts["Verdict"]}
    return Namespace(f"claims.{suite}", {id_: Namespace(f"claims.{suite}.{id_}", row) for id_, row in rows.items()})


def families_of(suite: str, comparisons: Mapping[str, Namespace], declared: Iterable[Claim]) -> Iterator[Namespace]:
    """Each claim that this suite has decided, with its comparisons and how many of them have which verdict."""
    members: dict[str, list[str]] = {}
    for id_, row in decided_claims(suite).items():
        members.setdefault(row["claim"], []).append(id_)
    for claim in declared:
        if ids := members.get(claim.id):
            found = [comparisons[id_] for id_ in ids]
            texts = {name: escape_markdown(getattr(claim, name)) for name in ("id", "title", "text", "paper")}
            told = texts | {"about": claim.about, "rows": found, "found": counted(row["verdict"] for row in found)}
            yield Namespace(f"families.{suite}.{claim.id}", told)


def claims_of_papers(families: Mapping[str, Iterable[Namespace]]) -> list[Namespace]:
    """Each claim of a paper that some suite has decided, with what was found in every such suite."""
    told: dict[str, dict[str, str]] = {}
    for suite, own in families.items():
        for family in own:
            if family["about"] == "paper":
                claim = told.setdefault(family["id"], {name: family[name] for name in ("id", "title", "text")})
                found = f"{suite}: {family['found']}"
                claim["found"] = f"{claim['found']}; {found}" if "found" in claim else found
    return [Namespace(f"paper_claims.{id_}", told[id_]) for id_ in sorted(told)]


def counted(verdicts: Iterable[str]) -> str:
    """``3 supported, 1 undecided``, in the order in which pages have them."""
    counts = Counter(verdicts)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in DECISIONS if counts[verdict]) or NOT_RUN
