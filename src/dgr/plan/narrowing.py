"""A suite's file as a quick look with a few seeds reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dgr.plan.suites import Suite

if TYPE_CHECKING:
    from dgr.plan.suite_files import AnyFile


def narrowed(file: AnyFile, suite: Suite) -> AnyFile:
    """The file under a quick look's name and with its seeds; as it is for the suite itself.

    The seeds of tuning stay, and so does what is measured without seeds.
    """
    if suite.seeds is None:
        return file
    changes: dict[str, Any] = {"suite": suite.name}
    if file.kind != "cost":
        changes["seeds"] = list(suite.seeds)
    if file.kind == "runs" and file.embedding and file.embedding.seed not in suite.seeds:
        changes["embedding"] = file.embedding.model_copy(update={"seed": suite.seeds[0]})
    return file.model_copy(update=changes)
