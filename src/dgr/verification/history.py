"""The order of things in git: claims before results, and results by the code that they name."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from dgr.claims import CLAIMS_FILE
from dgr.config.parsing import read_yaml
from dgr.config.plan_file import read_plan
from dgr.core.files import read_json
from dgr.core.paths import records_folder
from dgr.records.records import configured_studies
from dgr.verification.findings import Finding
from dgr.verification.record_files import origins_file, text_frame

NOT_A_PREDICTION = ("title", "about", "paper", "source", "question", "region_reason")
"""Keys of claims that may change after results: how they are told."""
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
        for origin, commit, of in _origins(suite):
            _check(found, suite, origin, commit, _decided_by(present, of, suite), of)
    return found


def predictions(claims: Any) -> Predictions:
    """Of a parsed ``claims.yaml``, whatever version of its schema it has."""
    found = {}
    for claim in claims["claims"]:
        for comparison in claim["comparisons"]:
            told = {"text": claim["text"], "alpha": claim["alpha"], **comparison}
            if "suites" in claim:
                told["suites"] = claim["suites"]
            found[comparison["id"]] = {key: value for key, value in told.items() if key not in NOT_A_PREDICTION}
    return found


def git(*arguments: str) -> str | None:
    """What a git command prints; None where it fails, or there is no git."""
    try:
        done = subprocess.run(("git", *arguments), capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _origins(suite: str) -> Iterator[tuple[Path, str | None, str | None]]:
    """Files of numbers, the commit that made them, and the key of the study whose they are; of runs, None."""
    plan, folder = read_plan(), records_folder(suite)
    if origins_file(suite).exists():
        for commit in pd.unique(text_frame(origins_file(suite))["commit"]):
            yield folder / "runs.csv", commit or None, None
    for key, entry in configured_studies(plan, suite).items():
        origin = origins_file(suite, f"{entry['name']}.json")
        if origin.exists():
            commit = read_json(origin, "restore it with `git checkout`").get("commit")
            yield folder / f"{entry['name']}.csv", commit, key


def _check(found: Finding, suite: str, path: Path, commit: str | None, present: Predictions, study: str | None) -> None:
    if commit is None:
        found.expect(False, f"Of {path} it is not said which commit made it; run `python -m dgr collect {suite}`.")
        return
    told = f"{path} was made by commit {commit[:12]}"
    if git("cat-file", "-e", f"{commit}^{{commit}}") is None:
        found.expect(False, f"{told}, which this repository does not have.")
        return
    changed = git("diff", "--quiet", "HEAD", "--", str(path)) is None
    last = "HEAD" if changed else git("log", "-1", "--format=%H", "--", str(path)) or "HEAD"
    before = git("merge-base", "--is-ancestor", commit, last) is not None
    found.expect(before, f"{told}, but its numbers stood there before that commit.")
    text = git("show", f"{commit}:{CLAIMS_FILE}")
    if text is None:
        found.expect(not present, f"{told}, which has no {CLAIMS_FILE}: the claims came after the results.")
        return
    then = _decided_by(predictions(yaml.safe_load(text)), study, suite)
    for id_ in dict.fromkeys((*present, *then)):
        now, was = present.get(id_), then.get(id_)
        if now is None or was is None:
            found.expect(False, f"{id_} was {'removed' if now is None else 'added'} after the results: {told}.")
            continue
        keys = sorted(key for key in {*now, *was} if now.get(key) != was.get(key))
        found.expect(not keys, f"{id_} says another {', '.join(keys)} than before the results: {told}.")


def _decided_by(found: Predictions, study: str | None, suite: str) -> Predictions:
    """Those of one study; without a study, those that the suite's runs decide."""
    return {
        id_: prediction
        for id_, prediction in found.items()
        if prediction.get("study") == study and suite in prediction.get("suites", [suite])
    }
