"""What run.py has seen, kept in results.csv, and the sentence that docs/penalty.md makes of it."""

import csv
from datetime import UTC, datetime
from pathlib import Path

RECORD = Path(__file__).parent / "results.csv"
COLUMNS = ["date", "torch", "lightning", "python", "check", "outcome"]
PASSED, FAILED = "passed", "failed"
Row = dict[str, str]


def rows() -> list[Row]:
    """Of results.csv."""
    with RECORD.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(version: str) -> tuple[int, ...]:
    """By which versions are ordered."""
    return tuple(map(int, version.split("+")[0].split(".")))


def new_rows(versions: dict[str, str], outcomes: dict[str, bool]) -> list[Row]:
    """Today's, of one environment."""
    date = datetime.now(UTC).date().isoformat()
    said = {name: PASSED if ok else FAILED for name, ok in outcomes.items()}
    return [{"date": date, **versions, "check": name, "outcome": outcome} for name, outcome in said.items()]


def merged(old: list[Row], new: list[Row]) -> list[Row]:
    """What was seen of a version of torch before goes."""
    seen = {row["torch"] for row in new}
    return sorted([*(row for row in old if row["torch"] not in seen), *new], key=lambda row: number(row["torch"]))


def write(found: list[Row]) -> None:
    """Write results.csv."""
    with RECORD.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


def sentence(found: list[Row]) -> str:
    """One line of docs/penalty.md: which versions of torch were tried, with what, and what failed."""
    dates = {row["torch"]: row["date"] for row in found}
    tried = ", ".join(f"{version} ({date})" for version, date in dates.items())
    checks = ", ".join(dict.fromkeys(row["check"] for row in found))
    failed = ", ".join(f"{row['check']} with {row['torch']}" for row in found if row["outcome"] != PASSED)
    return (
        f"The wheel alone, on a CPU, with torch {tried}: {checks}. {'Failed: ' + failed if failed else 'All passed'}."
    )
