"""A forest plot of claims: every effect on one axis, in units of its region, beside the verdicts of all suites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from dgr.figures.shared.forest_row import ForestRow
from dgr.figures.shared.legend import fitted_legend
from dgr.figures.shared.style import PAGE_WIDTH, RC
from dgr.figures.shared.verdict_marks import VERDICT_COLOURS, VERDICT_SIGNS

REGION_SHADE = "#E4E9EE"
TICKS = (0, 1, 3, 10, 100)
FAR_SEEDS = 20.0
"""Seeds farther out than this many regions, and than all intervals, are counted at the edge."""
ROW, HEADING, FOOT = 0.185, 0.24, 1.0
"""Inches: a claim, a heading, and axis with legend."""
HEADS_SIZE, HEADING_SIZE, NAME_DROP = 7.0, 7.5, 13.0
"""Points: letters of suites' names and of headings, and how far the former reach down beside the first heading."""
CAPITAL, LETTER = 0.64, 0.55
"""Widths over sizes: of capitals and digits, and of letters in words."""
STRIP_COLUMN, COUNTS_SHARE = 0.036, 0.05
"""Shares of the width: for each suite's column, and for the counts of supported tests."""
COUNTS_HEAD = "supported"


def forest_figure(rows: Sequence[ForestRow], columns: Sequence[str], size: float = 7.0) -> Figure:
    """Draw rows from the top down.

    Args:
        rows: where there are none, the figure says so.
        columns: names of the suites, as the rows' verdicts have them.
        size: of the letters of numbers and labels, in points.
    """
    if not rows:
        figure = Figure(figsize=(PAGE_WIDTH, 0.6))
        figure.text(0.5, 0.5, "No claim has been decided yet.", ha="center", va="center")
        return figure
    places = _places(rows)
    counts = COUNTS_SHARE * any(row.supported for row in rows)
    heads = [*columns, COUNTS_HEAD] if counts else columns
    head = max(0.1, (CAPITAL * HEADS_SIZE * max(map(len, heads)) - NAME_DROP) / 72)
    height = places[-1] + ROW * 0.75 + FOOT + head
    with sns.axes_style("white", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = Figure(figsize=(PAGE_WIDTH, height))
        foot, top, strip = FOOT / height, 1 - head / height, STRIP_COLUMN * len(columns)
        right = 1 - strip - counts - 0.012
        numbers = 8 + CAPITAL * size * max(len(row.number) for row in rows)
        left = (numbers + _labels_width(rows, size)) / (72 * PAGE_WIDTH)
        axis = figure.add_axes((left, foot, right - left, top - foot))
        _draw_effects(axis, rows, places)
        _write_counts(axis, rows, places, counts / 2 / (right - left))
        beside = figure.add_axes((right + counts + 0.008, foot, strip, top - foot), sharey=axis)
        _draw_verdicts(beside, rows, places, columns)
        _label(axis, rows, places, size, -numbers)
        axis.set_ylim(places[-1] + ROW * 0.75, 0)
        _legend(figure, rows, foot)
    return figure


def _labels_width(rows: Sequence[ForestRow], size: float) -> float:
    """Points that the longest label or heading needs."""
    label = LETTER * size * max(len(line) for row in rows for line in row.label.split("\n"))
    return 4 + max(label, CAPITAL * HEADING_SIZE * max(len(row.heading) for row in rows))


def _places(rows: Sequence[ForestRow]) -> list[float]:
    """Inches below the top, with room for a heading where a new one begins."""
    places, y, heading = [], 0.0, None
    for row in rows:
        y += ROW + (HEADING if row.heading != heading else 0.0)
        heading = row.heading
        places.append(y)
    return places


def _draw_effects(axis: Axes, rows: Sequence[ForestRow], places: Sequence[float]) -> None:
    reach = _reach(rows)
    axis.set_xscale("symlog", linthresh=1.0, linscale=1.3)
    axis.axvspan(-1, 1, color=REGION_SHADE, linewidth=0, zorder=0)
    axis.axvline(0, color="0.35", linewidth=0.7, zorder=1)
    for row, y in zip(rows, places, strict=True):
        axis.axhline(y + ROW / 2, color="0.93", linewidth=0.5, zorder=0)
        if row.effect is None or row.low is None or row.high is None:
            axis.annotate(row.instead, (0.5, y), xycoords=("axes fraction", "data"), ha="center", va="center", size=6)
            continue
        colour = VERDICT_COLOURS[row.verdict]
        # One path for all seeds, with gaps: a page holds many rows.
        near = [seed for seed in row.seeds if abs(seed) <= reach]
        ticks, heights = np.repeat(np.asarray(near, dtype=float), 3), np.tile([y - 0.052, y + 0.052, np.nan], len(near))
        _count_outside(axis, row, y, reach)
        axis.plot(ticks, heights, color="0.25", linewidth=0.45, alpha=0.55, solid_capstyle="butt", zorder=2)
        axis.plot([row.low, row.high], [y, y], color=colour, linewidth=2.0, solid_capstyle="butt", zorder=3)
        axis.plot([row.effect], [y], color=colour, marker="o", markersize=4.2, linestyle="none", zorder=4)
    axis.set_xlim(-reach, reach)
    axis.xaxis.set_major_locator(FixedLocator([sign * tick for tick in TICKS for sign in (-1, 1) if tick <= reach]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value + 0.0:g}".replace("-", "−")))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.tick_params(axis="x", length=2, pad=1.5)
    axis.set_xlabel(
        "← against the claim                    for the claim →\ndifference ÷ region, logarithmic beyond ±1", labelpad=2
    )
    sns.despine(ax=axis, left=True)


def _reach(rows: Sequence[ForestRow]) -> float:
    ends = [abs(value) for row in rows for value in (row.low, row.high) if value is not None]
    seeds = [abs(seed) for row in rows for seed in row.seeds]
    return max([3.0, *ends, min(FAR_SEEDS, max(seeds, default=0.0))]) * 1.3


def _count_outside(axis: Axes, row: ForestRow, y: float, reach: float) -> None:
    left, right = (sum(sign * seed > reach for seed in row.seeds) for sign in (-1, 1))
    for count, place, side, text in ((left, 0, "left", "‹ {}"), (right, 1, "right", "{} ›")):
        if count:
            axis.annotate(
                text.format(count), (place, y), xycoords=("axes fraction", "data"), ha=side, va="center", size=6,
                color="0.2", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=5,
            )  # fmt: skip


def _draw_verdicts(axis: Axes, rows: Sequence[ForestRow], places: Sequence[float], columns: Sequence[str]) -> None:
    axis.set_xlim(0, len(columns))
    for row, y in zip(rows, places, strict=True):
        for column, verdict in enumerate(row.verdicts):
            if verdict is None:
                continue
            own = column == row.home
            box = Rectangle(
                (column + 0.06, y - 0.074), 0.88, 0.148, facecolor=VERDICT_COLOURS[verdict], linewidth=0.9 * own,
                edgecolor="black" if own else "none",
            )  # fmt: skip
            axis.add_patch(box)
            centred: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
            axis.text(column + 0.5, y, VERDICT_SIGNS[verdict], color="white", size=7.5, weight="bold", **centred)
    for column, name in enumerate(columns):
        _head(axis, name, column + 0.5, "data")
    axis.axis("off")


def _write_counts(axis: Axes, rows: Sequence[ForestRow], places: Sequence[float], middle: float) -> None:
    """Right of the effects, at a share of their width."""
    for row, y in zip(rows, places, strict=True):
        centred: dict[str, Any] = {"ha": "center", "va": "center", "annotation_clip": False}
        axis.annotate(row.supported, (1 + middle, y), xycoords=("axes fraction", "data"), size=6, **centred)
    if any(row.supported for row in rows):
        _head(axis, COUNTS_HEAD, 1 + middle, "axes fraction")


def _head(axis: Axes, name: str, x: float, unit: str) -> None:
    axis.annotate(
        name, (x, 1), (0, -NAME_DROP), xycoords=(unit, "axes fraction"), textcoords="offset points",
        rotation=90, ha="center", va="bottom", size=HEADS_SIZE, annotation_clip=False,
    )  # fmt: skip


def _label(axis: Axes, rows: Sequence[ForestRow], places: Sequence[float], size: float, beside: float) -> None:
    """Numbers at the axis, labels and headings ``beside`` points from it."""
    axis.set_yticks(places, [row.number for row in rows], size=size, color="0.35")
    axis.tick_params(axis="y", length=0, pad=2)
    heading = None
    for row, y in zip(rows, places, strict=True):
        axis.annotate(
            row.label, (0, y), (beside, 0), xycoords=("axes fraction", "data"), textcoords="offset points", ha="right",
            va="center", size=size, annotation_clip=False, linespacing=0.95,
        )  # fmt: skip
        if row.heading != heading:
            heading = row.heading
            axis.annotate(
                heading, (0, y - ROW * 0.95), (beside, 0), xycoords=("axes fraction", "data"), weight="bold",
                textcoords="offset points", ha="right", va="center", size=HEADING_SIZE, annotation_clip=False,
            )  # fmt: skip


def _legend(figure: Figure, rows: Sequence[ForestRow], foot: float) -> None:
    there = {verdict for row in rows for verdict in row.verdicts}
    handles: list[Artist] = [
        Line2D([], [], color=VERDICT_COLOURS[name], marker="s", linewidth=0, markersize=5.5, label=f"{sign}  {name}")
        for name, sign in VERDICT_SIGNS.items()
        if name in there
    ]
    lines: list[Artist] = [
        Line2D([], [], color="0.2", marker="o", markersize=4.2, linewidth=2, label="estimate, deciding interval"),
        Line2D([], [], color="0.25", marker="|", markersize=6, linewidth=0, label="a seed"),
        Patch(color=REGION_SHADE, label="region: too small to matter"),
        Patch(facecolor="none", edgecolor="black", linewidth=0.9, label="framed: suite of the effect"),
    ]
    for entries, share in ((lines, 0.37), (handles, 0.14)):
        place: dict[str, Any] = {"loc": "center", "bbox_to_anchor": (0.5, foot * share)}
        fitted_legend(figure, entries, len(entries), **place, fontsize=7, handletextpad=0.4, columnspacing=1.4)
