"""How often intervals hold what they should, and what tests find, with few seeds: ``python benchmarks/coverage.py``.

Writes ``docs/statistics.csv`` and the table in ``docs/statistics.md``. All is drawn from one seed; 15 s of a core.
Standard deviations are one, so that effects are in standard deviations of a difference.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from dgr.comparison import t_test_power
from dgr.comparison.over_methods import over_methods
from dgr.core.arrays import FloatArray
from dgr.core.files import write_text

CSV, PAGE = Path("docs/statistics.csv"), Path("docs/statistics.md")
BEGIN, END = "<!-- begin: python benchmarks/coverage.py -->\n", "<!-- end -->"
SIZES = (6, 10, 12, 20)
EFFECTS = (0.3, 0.5, 0.8, 1.0, 1.5)
REGION = 1.0
"""Of equivalence, in standard deviations of a difference."""
LEVEL, SAMPLES, RESAMPLES, SEED = 0.95, 2000, 999, 20261127
Draw = Callable[[np.random.Generator, tuple[int, ...]], FloatArray]


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Standard normal."""
    return random.normal(size=shape)


def heavy(random: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Student's t with 3 degrees of freedom, of variance one."""
    return random.standard_t(3, size=shape) / math.sqrt(3)


def outliers(random: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Normal, but one in twenty lies lower by 10: a run that went wrong; mean zero and variance one."""
    values = random.normal(size=shape) - 10 * (random.uniform(size=shape) < 1 / 20)
    return (values + 0.5) / math.sqrt(1 + 100 * (1 / 20) * (19 / 20))


SHAPES: dict[str, Draw] = {"normal": normal, "t with 3 df": heavy, "1 outlier in 20": outliers}


def coverages(draw: Draw, n: int, random: np.random.Generator, samples: int = SAMPLES) -> dict[str, float]:
    """Share of samples of size n whose interval holds the mean, which is zero."""
    values = draw(random, (samples, n))
    mean, error = values.mean(axis=1), stats.sem(values, axis=1)
    held = {"t": np.abs(mean) <= stats.t.ppf((1 + LEVEL) / 2, n - 1) * error}
    held["percentile"], held["BCa"] = np.array([_bootstrap(sample, random) for sample in values]).T
    return {name: float(np.mean(each)) for name, each in held.items()}


def _bootstrap(sample: FloatArray, random: np.random.Generator) -> tuple[bool, bool]:
    """Whether the percentile and the BCa interval of the mean hold zero; both from the same resamples."""
    means = np.sort(sample[random.integers(0, len(sample), (RESAMPLES, len(sample)))].mean(axis=1))
    ends = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    below = np.clip(np.mean(means < sample.mean()), 1 / RESAMPLES, 1 - 1 / RESAMPLES)
    bias, left_out = stats.norm.ppf(below), (sample.sum() - sample) / (len(sample) - 1)
    centred = left_out.mean() - left_out
    acceleration = (centred**3).sum() / (6 * (centred**2).sum() ** 1.5)
    shifted = bias + stats.norm.ppf(ends)
    adjusted = stats.norm.cdf(bias + shifted / (1 - acceleration * shifted))
    low, high, bca_low, bca_high = np.quantile(means, [*ends, *adjusted])
    return bool(low <= 0 <= high), bool(bca_low <= 0 <= bca_high)


def equivalence_power(n: int, random: np.random.Generator, samples: int = 20_000) -> float:
    """How often TOST at 5 % shows that a true difference of zero lies within ±:data:`REGION`, of normal differences."""
    values = normal(random, (samples, n))
    half = stats.t.ppf(LEVEL, n - 1) * stats.sem(values, axis=1)
    return float(np.mean(np.abs(values.mean(axis=1)) + half < REGION))


def methods_coverage(
    methods: int, sd_method: float, random: np.random.Generator, seeds: int = 20, samples: int = 1000
) -> float:
    """How often the interval for methods like these holds μ: effects of seeds have sd 1, the rest has .5."""
    held = 0
    for _ in range(samples):
        table = sd_method * random.normal(size=methods) + random.normal(size=(seeds, 1))
        found = over_methods(pd.DataFrame(table + 0.5 * random.normal(size=(seeds, methods))), LEVEL)
        held += found.low <= 0 <= found.high
    return held / samples


def simulate() -> Iterator[dict[str, object]]:
    """One row a cell: what was asked, of which differences, n, and the share."""
    for place, (shape, draw) in enumerate(SHAPES.items()):
        for n in SIZES:
            found = coverages(draw, n, np.random.default_rng([SEED, 1, place, n]))
            yield from (
                {"what": f"coverage, {name}", "of": shape, "n": n, "share": share} for name, share in found.items()
            )
    for n in SIZES:
        for effect in EFFECTS:
            yield {
                "what": "power, t-test",
                "of": f"effect {effect:g}",
                "n": n,
                "share": t_test_power(effect, n, 1 - LEVEL),
            }
        share = equivalence_power(n, np.random.default_rng([SEED, 2, n]))
        yield {"what": f"power, TOST within ±{REGION:g}", "of": "effect 0", "n": n, "share": share}
    for methods in (3, 4):
        for place, sd in enumerate((0.0, 0.3, 1.0)):
            share = methods_coverage(methods, sd, np.random.default_rng([SEED, 3, methods, place]))
            yield {"what": f"coverage, {methods} methods", "of": f"methods' sd {sd:g}", "n": 20, "share": share}


def table(frame: pd.DataFrame) -> str:
    """Markdown: one row a question, one column an n, in percent."""
    wide = frame.assign(share=[f"{100 * share:.1f}" for share in frame["share"]])
    wide = wide.pivot_table(
        index=["what", "of"], columns="n", values="share", aggfunc="first", sort=False, fill_value="–"
    )
    wide.columns = [f"n = {n}" for n in wide.columns]
    return (
        wide.reset_index()
        .rename(columns={"what": "Share (%)", "of": "Of"})
        .to_markdown(index=False, disable_numparse=True)
    )


def main() -> None:
    """Write both files."""
    frame = pd.DataFrame(simulate()).round({"share": 4})
    write_text(CSV, frame.to_csv(index=False, lineterminator="\n"))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    write_text(PAGE, before + BEGIN + table(frame) + "\n" + END + rest.partition(END)[2])
    sys.stdout.write(f"{CSV} and {PAGE} are written.\n")


if __name__ == "__main__":
    main()
