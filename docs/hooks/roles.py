"""Docstrings as the site shows them: roles such as ``:class:`~dgr.Task``` become code, and ``:math:`` a formula."""

import re
from typing import Any

from griffe import Extension, Object

_MATH = re.compile(r":math:`([^`]+)`")
_ROLE = re.compile(r":[a-z]+:`~?\.?(?:[a-z_]\w*\.)*([^`]+)`")


def plain(text: str) -> str:
    """Markdown of a docstring's text."""
    text = _MATH.sub(lambda found: f"${found[1]}$", text)
    return _ROLE.sub(r"`\1`", text).replace("``", "`")


class Roles(Extension):
    """Rewrites every docstring."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = plain(obj.docstring.value)
