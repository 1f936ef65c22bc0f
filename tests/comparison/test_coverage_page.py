"""The committed simulation: some of its cells again, and the page shows the file."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dgr.comparison import bootstrap_interval, detectable_effect, generator_from

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("coverage_simulation", ROOT / "benchmarks/coverage.py")
simulation = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(simulation)

FRAME = pd.read_csv(ROOT / simulation.CSV)


def share(what, of, n):
    (found,) = FRAME[(FRAME["what"] == what) & (FRAME["of"] == of) & (FRAME["n"] == n)]["share"]
    return found


@pytest.mark.parametrize(("shape", "n"), [("normal", 6), ("1 outlier in 20", 12)])
def test_coverage_again(shape, n):
    place = list(simulation.SHAPES).index(shape)
    random = np.random.default_rng([simulation.SEED, 1, place, n])
    for name, found in simulation.coverages(simulation.SHAPES[shape], n, random).items():
        assert round(found, 4) == share(f"coverage, {name}", shape, n)


def test_power_again():
    found = simulation.equivalence_power(10, np.random.default_rng([simulation.SEED, 2, 10]))
    assert round(found, 4) == share("power, TOST within ±1", "effect 0", 10)
    found = simulation.methods_coverage(3, 1.0, np.random.default_rng([simulation.SEED, 3, 3, 2]), samples=1000)
    assert round(found, 4) == share("coverage, 3 methods", "methods' sd 1", 20)


def test_shapes_have_mean_zero_and_variance_one():
    for name, draw in simulation.SHAPES.items():
        values = draw(np.random.default_rng(0), (400_000,))
        assert abs(values.mean()) < 0.01, name
        assert values.var() == pytest.approx(1, abs=0.1), name


def test_its_bca_is_scipys():
    random = np.random.default_rng(1)
    agreed = 0
    for _ in range(60):
        sample = random.standard_t(3, 24) + 0.35
        low, high = bootstrap_interval(sample, simulation.LEVEL, generator_from(sample))
        agreed += simulation._bootstrap(sample, random)[1] == (low <= 0 <= high)
    assert agreed >= 57, "they differ in their resamples alone"


def test_what_the_page_concludes_follows_from_the_file():
    page = (ROOT / simulation.PAGE).read_text(encoding="utf-8")
    assert simulation.table(FRAME) in page
    of_t = FRAME[FRAME["what"].eq("coverage, t") & ~FRAME["of"].eq("1 outlier in 20")]["share"]
    assert of_t.between(0.94, 0.97).all()
    for method in ("BCa", "percentile"):
        assert share(f"coverage, {method}", "normal", 6) < 0.88
        assert 0.85 < share(f"coverage, {method}", "t with 3 df", 20) < 0.93
    assert FRAME[FRAME["of"].eq("1 outlier in 20")]["share"].max() < 0.9
    assert "1.4 standard deviations" in page
    assert round(detectable_effect(6, 0.05), 1) == 1.4
    assert "With 20 it is 0.66" in page
    assert round(detectable_effect(20, 0.05), 2) == 0.66
    over_methods = FRAME[FRAME["what"].str.endswith("methods")]["share"]
    assert over_methods.between(0.93, 0.98).all()
