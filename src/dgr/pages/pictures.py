"""Figures as part of a page: the SVG in the page's own text, with the caption that travels in it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from dgr.core.errors import DGRError

DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"


@dataclass(frozen=True)
class Picture:
    """An SVG as part of the page; ``width`` and ``height`` in points."""

    uri: str
    width: int
    height: int
    alt: str
    caption: str


def read_svg(path: Path, command: str) -> Picture:
    """Read a figure.

    Args:
        path: its SVG, as this project writes it.
        command: what makes it.

    Raises:
        DGRError: the file holds no such picture.
    """
    try:
        content = path.read_bytes()
        root = ElementTree.fromstring(content)
        _, _, width, height = (round(float(number)) for number in root.attrib["viewBox"].split())
    except (OSError, ElementTree.ParseError, KeyError, ValueError) as error:
        raise DGRError(f"{path} is no picture ({error}); run `{command}`.") from error
    caption = next((element.text or "" for element in root.iter(DESCRIPTION)), "")
    uri = f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"
    return Picture(uri, width, height, f"Figure {path.stem}; the caption below it says what is drawn.", caption)
