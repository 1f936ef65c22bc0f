"""What a study finds: numbers, each with what it is of."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One number of one seed.

    Attributes:
        setting: the panel it belongs to, such as a kind of noise.
        level: what is varied along the horizontal axis, such as the share of noisy targets.
        method: a key of ``METHODS``, or what stands in its place.
        measure: what was measured.
        value: the number, finite.
    """

    setting: str
    level: float
    method: str
    measure: str
    value: float
