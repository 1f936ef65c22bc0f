"""A key that stands twice in one block of YAML: the last one would win, and nothing would say so."""

from __future__ import annotations

from pathlib import Path

import yaml

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
            top = yaml.compose(path.read_text(encoding="utf-8"), loader) if path.is_file() else None
        except (OSError, ValueError, RecursionError, yaml.YAMLError):
            continue
        _check(path, top)


def _check(path: Path, top: yaml.Node | None) -> None:
    left, seen = [top], set()
    while left:
        node = left.pop()
        if node is None or id(node) in seen:  # an alias is the node that it stands for
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            _check_block(path, node)
            left += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value


def _check_block(path: Path, block: yaml.MappingNode) -> None:
    lines: dict[str, int] = {}
    for key, _ in block.value:
        if not isinstance(key, yaml.ScalarNode) or key.value == MERGE:
            continue
        line = key.start_mark.line + 1
        if key.value in lines:
            raise DGRError(
                f"{path}: '{key.value:.50}' is given twice, in lines {lines[key.value]} and {line}; keep one of them."
            )
        lines[key.value] = line
