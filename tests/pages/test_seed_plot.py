"""The drawing on a claim's card: a mark for each seed and method, whatever one of them does to the scale."""

import re
from itertools import pairwise

import numpy as np
import pytest

from dgr.pages.seed_plot import GAP, LEFT, LETTER, RIGHT, WIDTH, seed_plot

HEAVY = [*np.random.default_rng(0).normal(0.04, 0.1, 199).tolist(), -3008.0]


def drawn(rows, interval=None, region=0.5):
    return str(seed_plot(rows, interval, region, "a title"))


def marks(svg):
    """Of each row, where its dots are."""
    return [
        [float(place) for place in re.findall(r"M([\d.-]+) [\d.]+h0", dots)]
        for dots in re.findall(r'class="dots" d="([^"]*)"', svg)
    ]


def told_outside(svg):
    return re.findall(r'class="out[^"]*"[^>]*>([^<]*)<', svg)


def ticks(svg):
    return [(float(x), text) for x, text in re.findall(r'class="tick" x="([\d.-]+)"[^>]*>([^<]*)<', svg)]


def test_a_mark_a_seed_and_method():
    rows = {"mean, tested": [0.1, 0.4, -0.2], "EW": [0.5, 0.6, -0.3], "IMTL": [-0.3, 0.2, -0.1]}
    svg = drawn(rows, (0.0, 0.1, 0.2))
    assert [len(row) for row in marks(svg)] == [3, 3, 3]
    assert all(LEFT < place < WIDTH - RIGHT for row in marks(svg) for place in row)
    for seeds, places in zip(rows.values(), marks(svg), strict=True):
        assert np.argsort(seeds).tolist() == np.argsort(places).tolist()
    assert told_outside(svg) == []


def test_seeds_far_out_are_counted_and_leave_the_scale():
    svg = drawn({"tested": HEAVY, "other": [*HEAVY[:-1], 77.0]}, (0.03, 0.04, 0.05), 0.02)
    assert [len(row) for row in marks(svg)] == [199, 199]
    assert told_outside(svg) == ["‹ 1", "1 ›"]
    assert max(marks(svg)[0]) - min(marks(svg)[0]) > 0.8 * (WIDTH - LEFT - RIGHT)


@pytest.mark.parametrize(
    ("seeds", "region", "shown"),
    [
        ([-1.0, 0.7, 2.0, 0.1], 0.5, ["−0.5", "0", "0.5"]),
        (HEAVY, 0.02, ["−0.2", "0", "0.2"]),
        ([-0.00011, 0.00021], 0.0005, ["−0.0005", "0", "0.0005"]),
        ([3.0, 9.0, 31.0], 0.5, ["0", "20"]),
    ],
)
def test_at_most_three_tick_labels_that_do_not_touch(seeds, region, shown):
    found = sorted(ticks(drawn({"tested": seeds}, region=region)))
    assert [text for _, text in found] == shown
    for (left, one), (right, other) in pairwise(found):
        assert right - left >= LETTER * (len(one) + len(other)) / 2 + GAP
    assert all(LEFT <= place <= WIDTH - RIGHT for place, _ in found)


def test_without_spread_it_is_drawn_too():
    svg = drawn({"tested": [0.25]})
    assert [len(row) for row in marks(svg)] == [1]
    assert drawn({"tested": [0.0, 0.0]}, region=1e-9)
