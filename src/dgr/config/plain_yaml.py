"""YAML that nobody vouches for: plain data of a bounded size, whatever a text of a few lines would grow to."""

from __future__ import annotations

from typing import Any

import yaml
from typing_extensions import override

MOST = 100_000
"""Values of a file, aliases followed: ten times as many as the largest of this project has."""
DEEPEST = 50
"""Blocks within each other."""
LONGEST_NUMBER = 100
"""Characters; longer ones are no settings, and Python takes minutes to write some of them."""

_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_KEYS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}
_KINDS = _NUMBERS | _KEYS | {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "timestamp", "seq", "map")}
"""Of values, as YAML calls them; what is left out are bytes, sets and ordered pairs."""


class PlainLoader(yaml.SafeLoader):
    """Refuses, before anything is made of it, what is no data: cycles, bombs of aliases, numbers without end.

    An alias costs nothing to read, but whoever looks at the values later, or merges them, meets all copies.
    """

    @override
    def construct_document(self, node: Any) -> Any:
        self._check(node, {}, 0)
        return super().construct_document(node)

    @override
    def construct_object(self, node: Any, deep: bool = False) -> Any:
        if node.tag not in _KINDS:
            raise _refusal(node, f"has the tag '{node.tag:.50}', but should hold plain data alone")
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError) as error:  # what a value of the wrong kind ends in
            raise _refusal(node, f"has the value '{node.value!s:.50}', which is not what it should be") from error

    def _check(self, node: yaml.Node, known: dict[yaml.Node, tuple[int, int]], depth: int) -> tuple[int, int]:
        """How many values there are below a node and how deep, aliases followed; each node is looked at once."""
        size, height = known.get(node, (1, 0))
        if depth + height > DEEPEST:
            raise _refusal(node, f"has more than {DEEPEST} blocks within each other, or one within itself")
        if node in known:
            return size, height
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            children = [value for _, value in node.value]
            for key, _ in node.value:
                _check_key(key)
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        elif node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise _refusal(node, f"has a number of {len(node.value):,} characters")
        for child in children:
            below, levels = self._check(child, known, depth + 1)
            size, height = size + below, max(height, levels + 1)
        if size > MOST:
            raise _refusal(node, f"grows to more than {MOST:,} values")
        known[node] = size, height
        return size, height


def _check_key(node: yaml.Node) -> None:
    if node.tag not in _KEYS:
        told = f"'{node.value:.50}'" if isinstance(node, yaml.ScalarNode) else "of several values"
        raise _refusal(node, f"has a key {told}, which is no text and must be written in quotation marks")


def _refusal(node: yaml.Node, what: str) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, f"it {what}", node.start_mark)
