"""Counts of the campaigns: ``docs/reliability.csv``, and the tables that ``docs/reliability.md`` shows of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from dgr.core.files import write_text

ROOT = Path(__file__).parents[2]
CSV, PAGE = ROOT / "docs/reliability.csv", ROOT / "docs/reliability.md"
COLUMNS = ["campaign", "what", "how", "tried", "right", "longest_seconds", "seed", "commit"]
BEGIN, END = "<!-- begin: make {}, {} -->\n", "<!-- end -->"
HEADINGS = {
    "kills": {"what": "Killed", "how": "By", "tried": "Kills", "right": "All right after it", "longest": "Longest"},
    "together": {
        "what": "Beside each other",
        "tried": "Tried",
        "right": "One waited or was refused, all right after it",
    },
    "damage": {"what": "Damaged", "tried": "Ways", "right": "Noticed, named, and mended as told"},
    "places": {"what": "Place", "how": "Outcome", "tried": "Tried", "right": "As it has to be"},
    "hostile": {"what": "Read", "how": "Came out", "tried": "Cases", "longest": "Longest"},
}
"""Of each campaign's table, the columns that it has."""
FORMATS = {"file": "picture, array, checkpoint", "records": "all of these as they should be"}
"""What the page calls a group of inputs."""
COMMANDS = {"places": "places", "hostile": "hostile"}
"""Of make, where it is not ``chaos``."""


def positive(text: str) -> int:
    """An argument that says how many."""
    number = int(text)
    if number < 1:
        raise ValueError(f"{number} is less than 1")
    return number


def write_rows(campaign: str, rows: Iterable[dict[str, object]]) -> None:
    """Replace a campaign's rows of the same seed in the CSV file, and bring the page up to date."""
    known = read_rows()
    ask = ["git", "rev-parse", "--short=7", "HEAD"]
    commit = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    # Rows that were counted before come with their commit.
    told = [{"campaign": campaign, "commit": commit, **row} for row in rows]
    new = pd.DataFrame(told, columns=COLUMNS).astype({"seed": str})
    kept = known[(known["campaign"] != campaign) | ~known["seed"].isin(new["seed"])]
    frame = pd.concat([each for each in (kept, new) if len(each)]).sort_values("campaign", kind="stable")
    write_text(CSV, frame.to_csv(index=False, lineterminator="\n"))
    page = PAGE.read_text(encoding="utf-8")
    for name in HEADINGS:
        page = shown(page, name, table(frame[frame["campaign"] == name], name))
    write_text(PAGE, page)


def read_rows() -> pd.DataFrame:
    """All rows; none where no campaign has run. Counts of every seed stay, with the commit that they are of."""
    return (
        pd.read_csv(CSV, keep_default_na=False, dtype={"seed": str}) if CSV.exists() else pd.DataFrame(columns=COLUMNS)
    )


def shown(page: str, campaign: str, text: str) -> str:
    """The page with a campaign's table in its place."""
    before, begin, rest = page.partition(heading(campaign))
    return before + begin + text + "\n" + END + rest.partition(END)[2]


def heading(campaign: str) -> str:
    """The line above a campaign's table, which says who makes it."""
    return BEGIN.format(COMMANDS.get(campaign, "chaos"), campaign)


def table(rows: pd.DataFrame, campaign: str) -> str:
    """Markdown of a campaign's rows, with a line for all of them."""
    if not len(rows):
        return "Not run yet."
    if campaign == "hostile":  # the file tells kinds of one format apart
        rows = rows.assign(what=rows["what"].str.partition(":")[0].replace(FORMATS))
    # One line for all seeds; a place or a meeting has none.
    counted = {"tried": "sum", "right": "sum", "longest_seconds": "max"}
    rows = rows.groupby(["what", "how"], sort=False, as_index=False).agg(counted)
    all_of_them = {"what": "**all**", "how": "", "tried": rows["tried"].sum(), "right": rows["right"].sum()}
    frame = pd.concat([rows, pd.DataFrame([all_of_them | {"longest_seconds": ""}])])
    frame["longest"] = [f"{seconds:.0f} s" if seconds != "" else "" for seconds in frame["longest_seconds"]]
    names = HEADINGS[campaign]
    return str(frame[list(names)].rename(columns=names).to_markdown(index=False, disable_numparse=True))
