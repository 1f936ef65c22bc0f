"""Differences by seed as a small inline SVG: a row for what is tested and for each method, a dot a seed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from markupsafe import Markup

from dgr.pages.grid import number_text

WIDTH, LEFT, RIGHT, ROW, TOP, FOOT = 520, 152, 34, 22, 6, 20
"""Of the drawing, in its own units: as many CSS pixels where there is room."""
OUT_GAP = 6
"""Between the panel and the number of seeds farther out."""
LETTER, GAP = 9, 8
"""Widths of a letter and of the least gap of tick labels, where the screen is narrow and letters are large."""
SCATTERED = 5.0
"""Height over which dots are spread; the same seed is at the same height in every row."""
FAR_SEED = 5.0
"""Quartile ranges of its row beyond the quartiles; a seed farther out is counted at the edge."""


def seed_plot(
    rows: Mapping[str, Sequence[float]], interval: tuple[float, float, float] | None, region: float, title: str
) -> Markup:
    """Draw rows from the top down.

    Args:
        rows: differences by seed, by label; the first are those that are tested.
        interval: low end, estimate and high end of the test; None without a test.
        region: of equivalence, shaded on either side of zero.
        title: says what is drawn; read aloud.
    """
    low, high = _span([0.0, -region, region, *(interval or ())], rows)
    bottom = TOP + ROW * len(rows)

    def x(value: float) -> float:
        return float(LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT))

    parts = [
        f'<path class="region" d="M{x(-region):.1f} {TOP}H{x(region):.1f}V{bottom}H{x(-region):.1f}z"/>',
        f'<path class="zero" d="M{x(0):.1f} {TOP}V{bottom}"/>',
    ]
    for number, (label, seeds) in enumerate(rows.items()):
        y = TOP + ROW * (number + 0.5)
        parts.append(str(Markup('<text x="0" y="{}">{}</text>').format(f"{y + 4:.0f}", label)))
        step = 2 * SCATTERED / max(len(seeds) - 1, 1)
        near = {place: seed for place, seed in enumerate(seeds) if low <= seed <= high}
        dots = "".join(f"M{x(seed):.1f} {y - SCATTERED + step * place:.1f}h0" for place, seed in near.items())
        parts.append(f'<path class="dots" d="{dots}"/>')
        if left := sum(seed < low for seed in seeds):
            parts.append(f'<text class="out end" x="{LEFT - OUT_GAP}" y="{y + 4:.0f}">‹ {left}</text>')
        if right := sum(seed > high for seed in seeds):
            parts.append(f'<text class="out" x="{WIDTH - RIGHT + OUT_GAP}" y="{y + 4:.0f}">{right} ›</text>')
        if number == 0 and interval is not None:
            ends = [x(value) for value in interval]
            parts.append(f'<path class="interval" d="M{ends[0]:.1f} {y}H{ends[2]:.1f}"/>')
            parts.append(f'<path class="estimate" d="M{ends[1]:.1f} {y}h0"/>')
    for value in _ticks(low, high, region):
        parts.append(f'<text class="tick" x="{x(value):.1f}" y="{bottom + 14}">{number_text(value, "g")}</text>')
    height = bottom + FOOT
    return Markup('<svg class="seeds" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, title, Markup("".join(parts))
    )


def _span(shown: list[float], rows: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """Ends of the panel: what is always shown, and all seeds but those that would make everything else small."""
    for seeds in rows.values():
        first, third = np.quantile(seeds, [0.25, 0.75])
        reach = FAR_SEED * (third - first)
        shown = shown + [seed for seed in seeds if first - reach <= seed <= third + reach]
    room = 0.04 * (max(shown) - min(shown)) or 1.0
    return min(shown) - room, max(shown) + room


def _ticks(low: float, high: float, region: float) -> Iterator[float]:
    """Zero and, on either side, the region's end or else a round number, where there is room for its label."""
    yield 0.0
    for sign, end in ((-1, -low), (1, high)):
        for tick in (region, _round_below(end)):
            room = LETTER * (len(number_text(sign * tick, "g")) + 1) / 2 + GAP
            if tick * (WIDTH - LEFT - RIGHT) >= room * (high - low):
                yield sign * tick
                break


def _round_below(end: float) -> float:
    """The largest of …, 0.5, 1, 2, 5, 10, … that is at most ``end``."""
    power = 10.0 ** math.floor(math.log10(end))
    return max(step * power for step in (1, 2, 5) if step * power <= end)
