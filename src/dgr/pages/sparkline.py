"""A small line chart as inline SVG: one line a seed."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

WIDTH, HEIGHT, LEFT, PAD = 320, 96, 44, 8
SCALE = 3  # whole numbers of a third of a unit are shorter than decimals: a page has a thousand curves


def sparkline(curves: pd.DataFrame, title: str) -> Markup:
    """Draw curves over a common range.

    Args:
        curves: shape ``(epochs, seeds)``, indexed by epoch; finite.
        title: says what is drawn; read aloud together with the mean of the first and of the last epoch.
    """
    low, high = float(curves.min().min()), float(curves.max().max())
    span = high - low or 1.0
    step = (WIDTH - LEFT - PAD) / max(len(curves) - 1, 1)

    def point(index: int, value: float) -> str:
        x, y = LEFT + index * step, HEIGHT - PAD - (value - low) / span * (HEIGHT - 2 * PAD)
        return f"{x * SCALE:.0f} {y * SCALE:.0f}"

    lines = "".join(
        f'<polyline points="{" ".join(point(i, float(v)) for i, v in enumerate(curves[seed]))}"/>' for seed in curves
    )
    lines = f'<g transform="scale({1 / SCALE:.4f})">{lines}</g>'
    mean = curves.mean(axis=1)
    label = (
        f"{title}, {curves.shape[1]} seeds: mean {mean.iloc[0]:.3f} in epoch {mean.index[0]}, "
        f"{mean.iloc[-1]:.3f} in epoch {mean.index[-1]}"
    )
    texts = f'<text x="0" y="{PAD + 6}">{high:.3f}</text><text x="0" y="{HEIGHT - PAD}">{low:.3f}</text>'
    return Markup('<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        WIDTH, HEIGHT, label, Markup(texts), Markup(lines)
    )
