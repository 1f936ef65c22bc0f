"""What the audit pages have in common: their templates, and the policy that lets nothing but their own text run."""

from __future__ import annotations

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates() -> Environment:
    """The project's templates: what is inserted is escaped, and a name that is not given is an error."""
    return Environment(
        loader=PackageLoader("dgr.pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def source_expression(text: str) -> str:
    """The source expression by which a page's own policy lets this text run, and nothing else."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
