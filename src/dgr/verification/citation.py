"""Whether ``CITATION.cff`` cites what the claims and studies are about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dgr.config.parsing import read_yaml
from dgr.core.paths import CONFIGS
from dgr.verification.findings import Finding

CITATION = Path("CITATION.cff")
PAPERS: dict[str, dict[str, int | str]] = {
    "2409.16651": {"volume": 15138, "start": 241, "end": 258, "year": 2024, "doi": "10.1007/978-3-031-72989-8_14"},
    "2306.04519": {"volume": 54, "start": 3482, "end": 3501, "year": 2024, "doi": "10.1007/s10489-024-05300-9"},
    "2005.09910": {"volume": 467, "start": 442, "end": 453, "year": 2022},
    "2005.00944": {"year": 2020},
}
"""Volume, pages, year and DOI as the publishers give them, by the number at arXiv; DGR's are those of LNCS 15138."""
ARXIV = re.compile(r"arXiv[: ](\d{4}\.\d{5})")


def check_citation() -> Finding:
    """Each paper that ``paper_configs`` names is cited, as :data:`PAPERS` knows it, and no other."""
    found = Finding("CITATION.cff")
    texts = [path.read_text(encoding="utf-8") for path in sorted(CONFIGS.rglob("*.yaml"))]
    named = {number for text in texts for number in ARXIV.findall(text)}
    if not CITATION.exists():
        found.expect(not named, f"{CITATION} is missing, though {len(named)} papers are named.")
        return found
    with found.told():
        cited = {_number(paper): paper for paper in read_yaml(CITATION).get("references", [])}
        for number in sorted(named - set(cited)):
            found.expect(False, f"{CITATION} lacks arXiv {number}, whose claims are decided here.")
        for number, paper in cited.items():
            known = PAPERS.get(str(number))
            if known is None:
                found.expect(False, f"{CITATION} cites {paper.get('title')}, which no claim and no study is about.")
                continue
            for field in ("volume", "start", "end", "year", "doi"):
                same = paper.get(field) == known.get(field)
                found.expect(same, f"{CITATION}: {field} of arXiv {number} is {known.get(field)}.")
    return found


def _number(paper: dict[str, Any]) -> str | None:
    numbers = [ARXIV.search(str(one.get("value"))) for one in paper.get("identifiers", [])]
    return next((number[1] for number in numbers if number), None)
