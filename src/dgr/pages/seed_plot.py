"""Differences by seed as a small inline SVG: a row for what is tested and for each method, a dot a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from dgr.pages.grid import number_text

WIDTH, LEFT, RIGHT, ROW, TOP, FOOT = 520, 130, 12, 22, 6, 20
"""Of the drawing, in its own units: as many CSS pixels where there is room."""
SCATTERED = 5.0
"""Height over which dots are spread; the same seed is at the same height in every row."""


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
    values = [0.0, -region, region, *(interval or ()), *(value for row in rows.values() for value in row)]
    low, high = min(values), max(values)
    room = 0.04 * (high - low) or 1.0
    low, high = low - room, high + room
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
        dots = "".join(f"M{x(seed):.1f} {y - SCATTERED + step * place:.1f}h0" for place, seed in enumerate(seeds))
        parts.append(f'<path class="dots" d="{dots}"/>')
        if number == 0 and interval is not None:
            ends = [x(value) for value in interval]
            parts.append(f'<path class="interval" d="M{ends[0]:.1f} {y}H{ends[2]:.1f}"/>')
            parts.append(f'<path class="estimate" d="M{ends[1]:.1f} {y}h0"/>')
    for value in dict.fromkeys((-region, 0.0, region)):
        parts.append(f'<text class="tick" x="{x(value):.1f}" y="{bottom + 14}">{number_text(value, "g")}</text>')
    height = bottom + FOOT
    return Markup('<svg class="seeds" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, title, Markup("".join(parts))
    )
