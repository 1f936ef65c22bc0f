"""Hashes of a plan's entries: what stages depend on, in a file of their own beside the plan."""

from __future__ import annotations

from typing import Any

from dgr.config.plan_file import Plan
from dgr.core.provenance import config_hash


def hashes(plan: Plan) -> dict[str, dict[str, str]]:
    """Of each entry, by section and key: one line in DVC's lock, and quickly found among others."""
    keyed = {stage: entries for stage, entries in plan.items() if stage != "paths"}
    return {stage: {key: entry_hash(entry) for key, entry in entries.items()} for stage, entries in keyed.items()}


def entry_hash(entry: Any) -> str:
    """Of one entry."""
    return config_hash(entry)[:16]
