"""A key that stands twice in one block of YAML: the last one would win, and nothing would say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from dgr.config.plain_yaml import DEEPEST
from dgr.core.errors import DGRError

MERGE = "<<"
"""The one key that is no setting's name."""


def check_keys(configs: Path) -> None:
    """Refuse a key that is given twice.

    Args:
        configs: the folder ``paper_configs``; all YAML files below it are looked at.

    Raises:
        DGRError: with the file, the key and both lines. Files that are no YAML are left to their readers.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(configs.rglob("*.yaml")):
        try:
            twice = _first_twice(path.read_text(encoding="utf-8"), loader) if path.is_file() else None
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if twice:
            key, lines = twice
            raise DGRError(f"{path}: '{key:.50}' is given twice, in lines {lines[0]} and {lines[1]}; keep one of them.")


def _first_twice(text: str, loader: type) -> tuple[str, tuple[int, int]] | None:
    """A key and its lines. By events, since trees of any depth are more than a library's recursion bears."""
    blocks: list[dict[str, int] | None] = [None]
    is_key = [False]
    for event in yaml.parse(text, loader):
        if isinstance(event, yaml.CollectionEndEvent):
            blocks.pop()
            is_key.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        known = blocks[-1]
        if known is not None:
            if is_key[-1] and isinstance(event, yaml.ScalarEvent) and event.value != MERGE:
                mark: Any = event.start_mark
                line = mark.line + 1
                if event.value in known:
                    return event.value, (known[event.value], line)
                known[event.value] = line
            is_key[-1] = not is_key[-1]
        if isinstance(event, yaml.CollectionStartEvent):
            if len(blocks) > DEEPEST:  # which its reader refuses
                return None
            blocks.append({} if isinstance(event, yaml.MappingStartEvent) else None)
            is_key.append(True)
    return None
