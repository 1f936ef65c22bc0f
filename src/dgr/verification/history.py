"""The order of things in git: claims before results, and results by the code that they name."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dgr.claims import CLAIMS_FILE
from dgr.config.parsing import read_yaml
from dgr.config.plan_file import Plan, read_plan
from dgr.core.files import read_json
from dgr.core.paths import records_folder
from dgr.records.records import configured_studies
from dgr.verification.findings import Finding
from dgr.verification.record_files import origins_file, text_frame

NOT_A_PREDICTION = ("title", "about", "paper", "source", "question", "region_reason")
"""Keys of claims that may change after results: how they are told."""
CONCLUDES_NOTHING = "assay failed"
"""The verdict whose sentence may change too: it says that nothing can be said, and why."""
Predictions = dict[str, dict[str, Any]]
"""What decides each comparison, with its claim's text and level, by the comparison's id."""


def check_history(suite: str) -> Finding:
    """The commits that records name exist, came before the records, and had the claims that are decided now.

    The dates of commits can be set at will; their order, which is looked at, only by rewriting all that follow.
    """
    found = Finding("claims and commits against git")
    if git("rev-parse", "--is-inside-work-tree") != "true" or git("rev-parse", "--verify", "HEAD") is None:
        found.open = "there is no git history here, as in an unpacked archive"
    elif git("rev-parse", "--is-shallow-repository") == "true":
        found.open = "this clone is shallow; run `git fetch --unshallow`"
    else:
        present = predictions(read_yaml(CLAIMS_FILE)) if CLAIMS_FILE.exists() else {}
        for made in _origins(suite):
            told = f"{made.of} was made by commit {made.commit[:12]}"
            found.expect(made.clean, f"{told} with changes that no commit has; commit them, and make it again.")
            if _check_order(found, suite, made.of, made.commit, told) and made.decides:
                _check_claims(found, told, made.commit, present, made.study, suite)
    return found


def predictions(claims: Any) -> Predictions:
    """Of a parsed ``claims.yaml``, whatever version of its schema it has."""
    found = {}
    for claim in claims["claims"]:
        for comparison in claim["comparisons"]:
            told = {"text": claim["text"], "alpha": claim["alpha"], **comparison}
            if "suites" in claim:
                told["suites"] = claim["suites"]
            if "reader" in told:
                told["reader"] = {
                    verdict: said for verdict, said in told["reader"].items() if verdict != CONCLUDES_NOTHING
                }
            found[comparison["id"]] = {key: value for key, value in told.items() if key not in NOT_A_PREDICTION}
    return found


def git(*arguments: str) -> str | None:
    """What a git command prints; None where it fails, or there is no git."""
    try:
        done = subprocess.run(("git", *arguments), capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


class _Made(NamedTuple):
    """Numbers that one commit made.

    Attributes:
        of: the file they stand in.
        commit: empty where it is not said.
        clean: whether the code was the commit's, as a whole.
        study: whose they are; None for runs.
        decides: whether claims rest on them.
    """

    of: Path
    commit: str
    clean: bool
    study: str | None
    decides: bool


def _origins(suite: str) -> Iterator[_Made]:
    """The numbers of a suite by the commit that made them.

    Claims rest on every study, and on runs of a data set and an architecture that a table of claims is about.
    """
    plan, folder = read_plan(), records_folder(suite)
    if origins_file(suite).exists():
        rows = text_frame(origins_file(suite))
        rows["decides"] = rows["key"].isin(_deciding(plan, suite))
        for commit, own in rows.groupby("commit", sort=False):
            clean = bool((own["dirty"] == "False").all()) or not commit
            yield _Made(folder / "runs.csv", str(commit), clean, None, bool(own["decides"].any()))
    for key, entry in configured_studies(plan, suite).items():
        origin = origins_file(suite, f"{entry['name']}.json")
        if origin.exists():
            told = read_json(origin, "restore it with `git checkout`")
            commit = told.get("commit") or ""
            clean = told.get("dirty") is False or not commit
            yield _Made(folder / f"{entry['name']}.csv", commit, clean, key, True)


def _deciding(plan: Plan, suite: str) -> set[str]:
    """Keys of the runs that a table of claims is about."""
    tables = [entry for entry in plan["tables"].values() if entry["suite"] == suite and entry["name"] == "claims"]
    about = {(entry["dataset"], entry["architecture"]) for entry in tables}
    runs = {**plan["runs"], **plan["tuned_runs"]}
    return {key for key, entry in runs.items() if (entry["dataset"], entry["architecture"]["name"]) in about}


def _check_order(found: Finding, suite: str, path: Path, commit: str, told: str) -> bool:
    """Whether a commit is named that this repository has; and it must come before the numbers."""
    if not commit:
        found.expect(False, f"Of {path} it is not said which commit made it; run `python -m dgr collect {suite}`.")
        return False
    if git("cat-file", "-e", f"{commit}^{{commit}}") is None:
        found.expect(False, f"{told}, which this repository does not have.")
        return False
    changed = git("diff", "--quiet", "HEAD", "--", str(path)) is None
    last = "HEAD" if changed else git("log", "-1", "--format=%H", "--", str(path)) or "HEAD"
    before = git("merge-base", "--is-ancestor", commit, last) is not None
    found.expect(before, f"{told}, but its numbers stood there before that commit.")
    return True


def _check_claims(found: Finding, told: str, commit: str, present: Predictions, study: str | None, suite: str) -> None:
    """What is decided now must have been said in that commit."""
    now_decided = _decided_by(present, study, suite)
    text = git("show", f"{commit}:{CLAIMS_FILE}")
    if text is None:
        found.expect(not now_decided, f"{told}, which has no {CLAIMS_FILE}: the claims came after the results.")
        return
    then = _decided_by(predictions(yaml.safe_load(text)), study, suite)
    for id_ in dict.fromkeys((*now_decided, *then)):
        now, was = now_decided.get(id_), then.get(id_)
        if now is None or was is None:
            found.expect(False, f"{id_} was {'removed' if now is None else 'added'} after the results: {told}.")
            continue
        keys = sorted(key for key in {*now, *was} if now.get(key) != was.get(key))
        found.expect(not keys, f"{id_} says another {', '.join(keys)} than before the results: {told}.")


def _decided_by(found: Predictions, study: str | None, suite: str) -> Predictions:
    """Those of one study; without one, those that the suite's runs decide, whatever other suites decide them too."""
    return {
        id_: {key: value for key, value in prediction.items() if key != "suites"}
        for id_, prediction in found.items()
        if prediction.get("study") == study and suite in prediction.get("suites", [suite])
    }
