r"""When two numbers count as the same where bits cannot be the same.

On x86-64 processors, with the versions that made the records, a run that is trained again on a CPU must give the same
bits, and nothing here applies. Elsewhere (ARM, a GPU, another torch) the last digits differ, training amplifies them,
and the run that is trained again is one more draw of what chance leaves open. As with MLPerf's reference convergence
points, it is held against the spread of the reference:

    |r_s - c_s| <= max(K * sd_s, FLOOR * |c_s|),        for every number                                    (1)
    |mean(z)| <= t(1 - ALPHA/2, m - 1) * sd(z) / sqrt(m),   z_s = (r_s - c_s) / sd_s,   for every quantity  (2)

r_s is the number of seed s made again and c_s the committed one; sd_s is the standard deviation of what is committed
for the other seeds of the same run (a forged number must not widen its own bound). K = 6: were the new run as far from
the old one as one seed from another, 1 number in 80 would exceed that with six seeds; with the same seed it is nearer.
FLOOR = 1 %. (2) is a paired t-test at ALPHA = 0.01 over the m >= 3 numbers of one quantity (a metric or a column) that
were made again: single numbers may scatter, all together may not drift. Where fewer than two other seeds are there, or
all agree, (1) is |r - c| <= ALONE * |c| with ALONE = 5 %. Points in the plane (t-SNE) have no such measure; away from
identical bits only their labels are compared.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import Literal

from scipy.stats import t

K, FLOOR, ALONE, ALPHA, FEWEST = 6.0, 0.01, 0.05, 0.01, 3
OF_BITS = ("result", "right")
"""Columns with the hash of all that a seed left, its weights too, and with every answer: elsewhere they differ."""
Agreement = Literal["identical", "within tolerance", "outside"]


@dataclass(frozen=True)
class ValuePair:
    """A committed number and the same made again.

    Attributes:
        file: whose number it is, e.g. ``runs``.
        quantity: what it is a value of: a metric, a measure, or its column.
        where: the row, for a reader.
        committed, again: the texts.
        spread: standard deviation of what is committed for the other seeds; None where there is none.
    """

    file: str
    quantity: str
    where: str
    committed: str
    again: str
    spread: float | None

    @property
    def difference(self) -> float | None:
        """Again minus committed; None where either is no number."""
        try:
            found = float(self.again) - float(self.committed)
        except ValueError:
            return None
        return found if math.isfinite(found) else None

    @property
    def outcome(self) -> Agreement:
        """By (1)."""
        if self.committed == self.again or self.difference == 0:
            return "identical"
        if self.quantity in OF_BITS:
            return "within tolerance"
        if self.difference is None:
            return "outside"
        if self.file == "embedding":
            return "within tolerance"
        size = abs(float(self.committed))
        allowed = max(K * self.spread, FLOOR * size) if self.spread else ALONE * size
        return "within tolerance" if abs(self.difference) <= allowed else "outside"


def drifted(pairs: list[ValuePair]) -> list[str]:
    """The quantities that fail (2), as ``file: quantity``."""
    scores: dict[str, list[float]] = {}
    for pair in pairs:
        if pair.difference is not None and pair.spread:
            scores.setdefault(f"{pair.file}: {pair.quantity}", []).append(pair.difference / pair.spread)
    return [name for name, z in scores.items() if len(z) >= FEWEST and _drifts(z)]


def _drifts(z: list[float]) -> bool:
    bound = float(t.ppf(1 - ALPHA / 2, len(z) - 1)) * statistics.stdev(z) / math.sqrt(len(z))
    return abs(statistics.fmean(z)) > bound


def spread(values: list[str]) -> float | None:
    """Standard deviation of other seeds' numbers; None of fewer than two, or of what is no number."""
    try:
        numbers = [float(value) for value in values if value]
    except ValueError:
        return None
    found = statistics.stdev(numbers) if len(numbers) > 1 else 0.0
    return found if found > 0 and math.isfinite(found) else None
