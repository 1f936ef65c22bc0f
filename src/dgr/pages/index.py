"""The page over all suites: what came out of each, and where its own page is."""

from __future__ import annotations

from collections import Counter
from html import escape

from dgr.core.files import read_json, write_text
from dgr.core.paths import INDEX, SUMMARIES


def write_index() -> None:
    """Write ``results/index.html`` from the summary of each suite that has one.

    Raises:
        DGRError: a summary cannot be read.
    """
    rows = []
    for path in sorted(SUMMARIES.glob("*.json")):
        summary = read_json(path, f"run `snakemake --cores all --config suite={path.stem}`")
        counts = Counter(summary.get("claims", {}).values())
        text = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no claims"
        rows.append(f'<li><a href="{escape(path.stem)}/audit.html">{escape(path.stem)}</a>: {escape(text)}</li>')
    body = "\n".join(rows)
    head = '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>All suites</title>'
    write_text(INDEX, f"{head}\n<h1>All suites</h1>\n<ul>\n{body}\n</ul>\n</html>\n")
