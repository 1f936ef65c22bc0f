"""A step of the pipeline in words: what was done, and to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dgr.plan.graph import Stage, key_of
from dgr.records.names import method_label, regularizer_label

WORDS = {
    "fetch": ("fetched", "fetching", "{key}"),
    "prepare": ("prepared", "preparing", "the data set {key}"),
    "prepare_fetched": ("prepared", "preparing", "the data set {key}"),
    "prepare_local": ("prepared", "preparing", "the data set {key}"),
    "training_code": ("hashed", "hashing", "the code that trains"),
    "probing_code": ("hashed", "hashing", "the code that probes"),
    "reporting_code": ("hashed", "hashing", "the code that reports"),
    "tune": ("tuned", "tuning", "{run}{seeds}"),
    "match": ("matched", "matching", "{run}{seeds}"),
    "train": ("trained", "training", "{run}{seeds}"),
    "train_tuned": ("trained", "training", "{run}{seeds}"),
    "probe": ("probed", "probing", "{run}"),
    "baselines": ("probed", "probing", "{key} without an encoder"),
    "sweep": ("swept", "sweeping", "{key}"),
    "cost": ("timed", "timing", "the steps of {place}"),
    "embed": ("embedded", "embedding", "two representations"),
    "collect": ("collected", "collecting", "the records"),
    "table": ("made", "making", "table {name}"),
    "figure": ("drew", "drawing", "figure {name}"),
    "study": ("ran", "running", "study {name}{seeds}"),
    "real_study": ("ran", "running", "study {name}{seeds}"),
    "study_report": ("made", "making", "table and figure of study {name}"),
    "study_claims": ("decided", "deciding", "the claims of the studies"),
    "differences": ("took", "taking", "the differences by seed behind the claims"),
    "audit": ("made", "making", "the page of the suite"),
    "overview": ("drew", "drawing", "the claims of all suites"),
    "index": ("made", "making", "the page over all suites"),
    "report": ("made", "making", "the report of all suites"),
    "all": ("checked", "checking", "that dvc.lock and all files agree"),
}
"""By stage: what was done, what is being done, and to what."""


TRAINING = ("train", "train_tuned")


def step_words(name: str, stages: Mapping[str, Stage], wildcards: Mapping[str, str]) -> tuple[str, str]:
    """A step that is done and one that goes on, such as ``trained EW + DGR (20 seeds)`` and ``training EW + DGR …``.

    Args:
        name: of the stage, which is the name of Snakemake's rule.
        stages: of the suite.
        wildcards: of the job.
    """
    key, entry = step_entry(name, stages, wildcards)
    done, doing, what = WORDS.get(name, ("made", "making", f"{name} {{key}}"))
    trained = {key: run for stage in TRAINING if stage in stages for key, run in stages[stage].entries.items()}
    run = entry.get("run") or trained.get(key) or entry
    facts = {"key": key, "name": entry.get("name", key), "place": key, "run": key, "seeds": _seeds(entry)}
    if "dataset" in run and isinstance(run.get("architecture"), dict):
        facts["place"] = _place(run)
    if "method" in run and "regularizer" in run:
        several = len({_place(each) for each in trained.values()}) > 1
        label = f"{method_label(run['method']['name'])} {regularizer_label(run['regularizer']['name'])}".strip(" –")
        facts["run"] = label + (f" on {_place(run)}" if several else "")
    told = what.format(**facts)
    return f"{done} {told}", f"{doing} {told}"


def step_entry(name: str, stages: Mapping[str, Stage], wildcards: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The key of a job's stage and its entry in the plan; an empty one for what is no stage."""
    key = key_of(wildcards)
    entries = stages[name].entries if name in stages else {}
    return key, entries.get(key, {})


def _place(run: Mapping[str, Any]) -> str:
    return f"{run['dataset']}, {run['architecture']['name']}"


def _seeds(entry: Mapping[str, Any]) -> str:
    seeds = entry.get("seeds") or []
    return f" ({len(seeds)} {'seed' if len(seeds) == 1 else 'seeds'})" if seeds else ""
