"""The report's text with every name replaced by what the records say: Markdown."""

from __future__ import annotations

import traceback
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError, UndefinedError

from dgr.core.errors import DGRError
from dgr.report.gathering import report_names

TEXT = Path("report/report.md")


def filled_text() -> str:
    """The whole report as Markdown.

    Raises:
        DGRError: the text names what no record has, or is no template; says in which line.
    """
    environment = Environment(
        loader=FileSystemLoader(TEXT.parent, encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(TEXT.name).render(report_names())
    except TemplateNotFound as error:
        raise DGRError(f"{TEXT.parent / str(error.name)} is missing; take it from the repository.") from error
    except TemplateSyntaxError as error:
        raise DGRError(f"{error.filename}, line {error.lineno}: {error.message}; mend it there.") from error
    except (DGRError, UndefinedError) as error:
        if place := _place(error):
            raise DGRError(f"{place}: {error}") from error
        raise


def _place(error: Exception) -> str:
    """The template's line in which an error came up; empty where it came up elsewhere."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".md")]
    return f"{TEXT.parent / Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
