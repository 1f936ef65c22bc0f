"""How a verdict is drawn, the same in every figure and on every page: a sign that needs no colour, and a colour."""

from __future__ import annotations

VERDICT_SIGNS = {
    "supported": "+",
    "opposite": "−",
    "no relevant difference": "=",
    "undecided": "?",
    "assay failed": "!",
    "not run": "·",
}
"""By verdict, in the order of legends."""
VERDICT_COLOURS = {
    "supported": "#00694B",
    "opposite": "#B3321E",
    "no relevant difference": "#30587F",
    "undecided": "#8A6100",
    "assay failed": "#6B6B6B",
    "not run": "#9A9A9A",
}
"""Dark enough for white signs on them; green and red differ in brightness too."""
