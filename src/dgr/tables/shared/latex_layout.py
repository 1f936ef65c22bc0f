"""How a table's columns share a line of A4, and into how many parts it is split where they do not fit on one."""

from __future__ import annotations

import math

import pandas as pd

from dgr.tables.shared.latex_text import line_width, widest_word

LINE = 455.0
"""Points: the line of A4 with margins of 2.5 cm."""
GAP = 6.0
"""Points between two columns."""
MOST_LINES, COMFORTABLE = 2, 110.0
"""A column of words should be so wide, in points, or so wide that no cell takes more lines than these."""
MOST_HEADS = 3


def parts_of(text: pd.DataFrame, sides: dict[str, str]) -> list[list[str]]:
    """The columns of each part of a table; the leading columns of words are in all of them.

    Args:
        text: the cells as a reader sees them.
        sides: of each column, in order, ``l`` for words, ``r`` for numbers.
    """
    names = list(sides)
    heads = _heads(names, sides)
    others = names[len(heads) :]
    for count in range(1, len(others) + 1):
        size, more = divmod(len(others), count)
        ends = [size * (part + 1) + min(part + 1, more) for part in range(count)]
        parts = [heads + others[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        if all(_least(text, part, sides) <= LINE for part in parts):
            return parts
    return [[*heads, name] for name in others] or [names]


def widths_of(text: pd.DataFrame, names: list[str], sides: dict[str, str]) -> list[float]:
    """What part of the line each column takes, the gap beside it included; together at most 1.

    A column has room for its widest word; what is left goes to those whose cells would not stand on one line.
    """
    least = [_need(text, name, sides[name]) for name in names]
    whole = [max(need, _natural(text, name, sides[name])) for name, need in zip(names, least, strict=True)]
    left, wanted = LINE - sum(least), sum(whole) - sum(least)
    share = max(0.0, min(1.0, left / wanted)) if wanted > 0 else 0.0
    fitted = [need + share * (most - need) for need, most in zip(least, whole, strict=True)]
    scale = min(1.0, LINE / sum(fitted))
    return [math.floor(1000 * scale * width / LINE) / 1000 for width in fitted]


def _heads(names: list[str], sides: dict[str, str]) -> list[str]:
    """What names a row: the columns of words before the first column of numbers."""
    count = next((place for place, name in enumerate(names) if sides[name] == "r"), len(names))
    return names[: max(1, min(count, MOST_HEADS, len(names) - 1))]


def _least(text: pd.DataFrame, names: list[str], sides: dict[str, str]) -> float:
    return sum(_need(text, name, sides[name]) for name in names)


def _need(text: pd.DataFrame, name: str, side: str) -> float:
    words = max(map(widest_word, [name, *text[name]]))
    comfortable = min(COMFORTABLE, (_natural(text, name, side) - GAP) / MOST_LINES) if side == "l" else 0.0
    return max(words, comfortable) + GAP


def _natural(text: pd.DataFrame, name: str, side: str) -> float:
    """Of its cells; a heading may always take several lines."""
    return max(map(line_width, text[name]), default=0.0) + GAP
