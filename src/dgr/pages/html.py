"""What the pages have in common: their templates, and the policy that lets nothing but their own text run."""

from __future__ import annotations

import base64
import hashlib
from typing import get_args

from jinja2 import Environment, PackageLoader, StrictUndefined

from dgr.claims.verdict import Decision
from dgr.pages.glossary import WORDS_AND_SIGNS, glossed
from dgr.pages.sparkline import sparkline

DECISIONS = [verdict for part in get_args(Decision) for verdict in get_args(part)]
"""All verdicts, in the order in which pages count them."""


def page(template: str, script: str | None = None, **values: object) -> str:
    """A page as HTML: what is inserted is escaped, and a name that is not given is an error.

    Args:
        template: file name of the template.
        script: file name of the page's script, if it has one.
        values: what the template shows.
    """
    environment = Environment(
        loader=PackageLoader("dgr.pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {
        "sparkline": sparkline,
        "decisions": DECISIONS,
        "glossed": glossed,
        "words": WORDS_AND_SIGNS,
    }
    css, js = (environment.get_template(name).render().strip() if name else None for name in ("page.css", script))
    hashes = {"css_hash": _source_expression(css), "js_hash": _source_expression(js)}
    return environment.get_template(template).render(css=css, js=js, **hashes, **values).rstrip() + "\n"


def _source_expression(text: str | None) -> str | None:
    """The source expression by which a page's own policy lets this text run, and nothing else."""
    return text and f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
