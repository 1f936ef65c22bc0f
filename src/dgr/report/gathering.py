"""Everything that the report's text may name: suites, claims, settings, times, papers, what is known of their code."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dgr.archive.citation import read_citation
from dgr.config.parsing import read_yaml
from dgr.config.plan_file import Plan, read_plan
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.core.files import read_json
from dgr.pages.suite_facts import entries_of, suite_facts, suite_summary
from dgr.plan.locks import LOCK_NAME, lock_stages
from dgr.records.records import STUDY_SECTIONS
from dgr.report.exhibits import figure_in_text, table_in_text
from dgr.report.names import Namespace, named
from dgr.report.verdicts import claims_of_papers, comparisons_of, counted, declared_claims, families_of

KNOWN = Path("report/known.yaml")
"""What is known of the papers' code and data, each block with its source."""
GIGABYTE = 1e9


def report_names() -> dict[str, Any]:
    """All that the text may name, at the top level of its template.

    Raises:
        DGRError: a plan, the claims or a table is missing or damaged.
    """
    plan, declared = read_plan(), declared_claims()
    claims = {suite: comparisons_of(suite, declared) for suite in plan["audits"]}
    families = {suite: list(families_of(suite, claims[suite], declared)) for suite in claims}
    suites = {suite: _suite(plan, suite, families[suite]) for suite in claims}
    first = dict(sorted(suites.items(), key=lambda item: not item[1]["made"]))  # what has results comes first
    shared = read_json(paths.SHARED / paths.PLAN, "run `python -m dgr plan`")
    datasets = {**shared["datasets"], **shared["fetched_datasets"]}
    return {
        "suites": named("suites", first),
        "claims": Namespace("claims", claims),
        "families": Namespace("families", families),
        "paper_claims": claims_of_papers(families),
        "settings": named("settings", _settings(plan)),
        "data": named("data", datasets),
        "sources": named("sources", shared["sources"]),
        "known": read_known(),
        "papers": [_paper(work) for work in read_citation().references],
        "environment": named("environment", _environment()),
        "table": lambda suite, name, columns: table_in_text(plan, suite, name, columns),
        "figure": lambda suite, name: figure_in_text(plan, suite, name),
    }


def read_known() -> Any:
    """What :data:`KNOWN` says.

    Raises:
        DGRError: it is missing or no YAML.
    """
    return named("known", read_yaml(KNOWN))


def _suite(plan: Plan, suite: str, families: list[Namespace]) -> dict[str, Any]:
    facts = suite_facts(plan, suite, suite_summary(suite))
    rows = [row for family in families for row in family["rows"]]
    return {
        "name": suite,
        "made": paths.summary_file(suite).exists(),
        "about": "; ".join(facts.values()),
        "found": counted(row["verdict"] for row in rows),
        "comparisons": len(rows),
        **_times(suite),
        "gigabytes": f"{_bytes_of(suite) / GIGABYTE:.1f}",
        "studies": [entry["title"] for entry in entries_of(plan, "study_reports", suite)],
    }


def _times(suite: str) -> dict[str, str]:
    """Hours of trainings and studies as their origins tell them, and on which machine."""
    folder = paths.origins_folder(suite)
    made = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    if (folder / "runs.csv").exists():
        made += pd.read_csv(folder / "runs.csv").to_dict("records")
    if not made:  # sweeps and costs alone, which have no origins
        return {"hours": "–", "memory": "–", "devices": "not recorded" if folder.exists() else "no machine yet"}
    hours = sum(float(row["wall_seconds"]) for row in made) / 3600
    memory = max(float(row["peak_memory_mb"]) for row in made) / 1024
    devices = dict.fromkeys(str(row["device"]) for row in made)
    return {"hours": f"{hours:.1f}", "memory": f"{memory:.1f}", "devices": ", ".join(devices)}


def _bytes_of(suite: str) -> int:
    """What DVC keeps of a suite's runs and of what measured them, as its lock says."""
    lock = paths.suite_folder(suite) / LOCK_NAME
    try:
        stages = lock_stages(lock) if lock.exists() else {}
    except ValueError as error:
        raise DGRError(f"{lock} is not a lock of DVC's ({error}); get it back with `git checkout {lock}`.") from error
    kept = (f"{paths.RUNS}/", f"{paths.TRAINED}/")
    outs = {out["path"]: out for stage in stages.values() for out in stage.get("outs", [])}
    return sum(int(out.get("size", 0)) for path, out in outs.items() if path.startswith(kept))


def _settings(plan: Plan) -> dict[str, Any]:
    """Of each suite, data set and architecture, what its runs have in common."""
    found: dict[str, Any] = {}
    for section in ("runs", "tuned_runs"):
        for entry in plan[section].values():
            place = f"{entry['dataset']}-{entry['architecture']['name']}"
            told = {"seeds": len(entry["seeds"]), "width": entry["architecture"].get("width", "–")}
            found.setdefault(entry["suite"], {}).setdefault(place, told | entry["training"])
    for section in STUDY_SECTIONS:
        for entry in plan[section].values():
            found.setdefault(entry["suite"], {})[entry["name"]] = {"seeds": len(entry["seeds"])}
    return found


def _paper(work: Any) -> Mapping[str, str]:
    authors = ", ".join(author.shown for author in work.authors)
    return {"text": f"{authors}: {work.title}, {work.year}", "about": work.notes, "address": work.address}


def _environment() -> dict[str, Any]:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = [line for line in Path("requirements.lock").read_text(encoding="utf-8").splitlines() if "==" in line]
    versions = dict(line.split("==") for line in pins)
    return {"python": project["requires-python"].removeprefix(">="), "packages": len(pins), "torch": versions["torch"]}
