"""``codecheck.yml``: what an independent checker has to make anew, after https://codecheck.org.uk/spec/config/1.0/.

The checker adds ``codechecker`` and ``report``, which the specification wants of a finished check.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from dgr.archive.citation import read_citation
from dgr.archive.exhibits import shown_files
from dgr.core.files import write_text
from dgr.core.paths import CONFIGS
from dgr.plan.graph import suite_stages
from dgr.plan.suites import find_suites

HEAD = """%YAML 1.1
# Made by `python -m dgr codecheck`. `make reproduce` makes the files of the suite mini anew, another suite's
# `snakemake --cores all --config suite=NAME`. Suites on data that have to be asked for are left out.
---
"""
SPECIFICATION = "https://codecheck.org.uk/spec/config/1.0/"


def codecheck_text() -> str:
    """The file's text, from the tables and figures that are there.

    Raises:
        DGRError: a plan is missing, or a table is damaged.
    """
    citation = read_citation()
    paper = citation.references[0]
    content = {
        "version": SPECIFICATION,
        "manifest": [
            {"file": shown.path.as_posix(), "comment": f"{suite}, {shown.name}: {shown.text}".rstrip(": ")}
            for suite in _free_suites()
            for shown in shown_files(suite)
        ],
        "paper": {
            "title": citation.title,
            "authors": [{"name": author.shown} for author in citation.authors],
            "reference": f"A replication, by others, of {paper.address}: {paper.title}",
        },
        "source": "Code, configuration, records, tables and figures lie in this repository; data are made by it.",
    }
    return HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def write_codecheck(path: Path) -> None:
    """Write :func:`codecheck_text`."""
    write_text(path, codecheck_text())


def _free_suites() -> list[str]:
    """Those whose data anybody can make."""
    suites = [suite.name for suite in find_suites(CONFIGS)]
    return [suite for suite in suites if not suite_stages(suite)["fetch"].entries]
