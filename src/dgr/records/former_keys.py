"""Records keep the words of their time: keys of configurations that are called otherwise today."""

from __future__ import annotations

from typing import Any

FORMER = {"features": "width"}
"""Today's name of each."""


def with_present_keys(settings: Any) -> Any:
    """A recorded configuration with today's keys, to be compared with the plan's."""
    if isinstance(settings, dict):
        return {FORMER.get(key, key): with_present_keys(value) for key, value in settings.items()}
    if isinstance(settings, list):
        return [with_present_keys(value) for value in settings]
    return settings
