"""Whether a suite's files and its ``dvc.lock`` are of one piece."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from dgr.archive.outputs import output_md5
from dgr.config.plan_file import Plan, read_plan
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.plan.entry_hashes import entry_hash
from dgr.plan.graph import CHECK, Stage, suite_stages
from dgr.plan.locks import LOCK_NAME, lock_stages
from dgr.verification.findings import Finding, shortened

KEPT = ("results/", "figures/", "paper_configs/", "docs/")
"""What is in git as it is, so that its content can be held against the lock; code is DVC's own business."""


def read_lock_file(suite: str) -> dict[str, Any]:
    """The stages of a suite's ``dvc.lock``.

    Raises:
        DGRError: it is missing or damaged.
    """
    path = paths.suite_folder(suite) / LOCK_NAME
    remedy = f"restore it, or run the suite with `snakemake --cores all --config suite={suite}`"
    try:
        return lock_stages(path)
    except FileNotFoundError as error:
        raise DGRError(f"{path} is missing; {remedy}.") from error
    except ValueError as error:
        raise DGRError(f"{path} cannot be read ({error}); {remedy}.") from error


def check_lock(suite: str) -> Finding:
    """Every stage of the plan stands in the lock with its command, settings and files, and the files are those.

    Raises:
        DGRError: the lock is missing or damaged.
    """
    found = Finding("files against dvc.lock")
    lock, plan = read_lock_file(suite), read_plan()
    where = paths.suite_folder(suite) / LOCK_NAME
    hashes: dict[str, set[str]] = {}
    here = cache(file_digest)  # many stages read the same folder
    wanted = dict(own_stages(suite))
    makers = {out: stage.address(key) for stage, key in wanted.values() for out in stage.fill(key, "outs")}
    for name, (stage, key) in wanted.items():
        if name not in lock:
            found.expect(False, f"{where} has no stage {name}, which the plan has.")
            continue
        entry = lock[name]
        outs = {out["path"]: out["md5"] for out in entry.get("outs", [])}
        deps = {dep["path"]: dep["md5"] for dep in entry.get("deps", [])}
        expected = stage.fill(key, "outs")
        found.expect(set(outs) == set(expected), f"{where}: {name} names other files than the stage makes.")
        found.expect(
            entry["cmd"] == stage.filled(stage.definition["cmd"], key),
            f"{where}: {name} has another command than the stage.",
        )
        for path, digest in (outs | deps).items():
            hashes.setdefault(path, set()).add(digest)
            if path.startswith(KEPT) or path in (str(paths.PLAN), str(paths.HASHES)):
                again = f" `dvc repro {makers[path]}` makes it again." if path in makers else ""
                found.expect(here(Path(path)) == digest, f"{path} is not the file that {where} knows.{again}")
        for setting, value in _settings(entry):
            found.expect(_planned(plan, setting) == value, f"{where}: {name} was made with another {setting}.")
    if left_over := sorted(set(lock) - set(wanted) - {CHECK}):
        found.notes.append(f"{where} still has stages of an earlier plan: {shortened(left_over)}.")
    for path, digests in hashes.items():
        found.expect(len(digests) == 1, f"{where}: {path} was read with another content than it was made with.")
    return found


def own_stages(suite: str) -> Iterator[tuple[str, tuple[Stage, str]]]:
    """Each stage of the suite's own pipeline and its key, by the name that the lock has."""
    for stage in suite_stages(suite).values():
        if stage.file == paths.suite_folder(suite) / paths.STAGES:
            for key in stage.entries:
                yield f"{stage.name}@{key}", (stage, key)


def file_digest(path: Path) -> str | None:
    """The hash by which the lock knows a file or folder; None where there is none."""
    return output_md5(path) if path.exists() else None


def _settings(entry: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for settings in entry.get("params", {}).values():
        yield from settings.items()


def _planned(plan: Plan, setting: str) -> str | None:
    """The hash of ``runs.KEY`` of the plan."""
    section, _, key = setting.partition(".")
    return entry_hash(plan[section][key]) if key in plan.get(section, {}) else None
