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


def with_former_keys(settings: dict[str, Any], strength: float | None) -> dict[str, Any]:
    """The settings of a run's seed as earlier records have them: the strength beside what the plan says of it."""
    present = {today: earlier for earlier, today in FORMER.items()}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {present.get(key, key): renamed(item) for key, item in value.items()}
        return [renamed(item) for item in value] if isinstance(value, list) else value

    return {**renamed(settings), "strength": strength}
