"""Formulas as MathML, which every browser draws without a script."""

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Put MathML in the place of LaTeX.

    Raises:
        PluginError: a formula holds a command that is not known.
    """

    def drawn(formula: re.Match[str]) -> str:
        made: str = convert(unescape(formula[2]), display="inline" if formula[1] == "span" else "block")
        if "\\" in re.sub("<[^>]*>", "", made):
            raise PluginError(f"{page.file.src_uri}: this formula cannot be drawn: {unescape(formula[2])}")
        return made

    return _FORMULA.sub(drawn, html)
