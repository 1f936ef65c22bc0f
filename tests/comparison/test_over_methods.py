import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from dgr.comparison.over_methods import over_methods, without_each
from dgr.core.errors import DGRError


def layout(methods, seeds, sd_method, sd_seed, sd_rest, random, mean=0.4):
    values = mean + sd_method * random.normal(size=methods) + sd_seed * random.normal(size=(seeds, 1))
    return pd.DataFrame(values + sd_rest * random.normal(size=(seeds, methods)), columns=list("abcdef"[:methods]))


def test_the_variance_is_that_of_a_mixed_model():
    """REML of a balanced two-way layout has the closed form, where no component is estimated as negative."""
    table = layout(5, 12, 0.6, 0.5, 0.4, np.random.default_rng(0))
    found = over_methods(table, 0.95)
    long = table.reset_index(names="seed").melt("seed", var_name="method", value_name="value")
    formula = {"method": "0 + C(method)", "seed": "0 + C(seed)"}
    model = MixedLM.from_formula("value ~ 1", long.assign(all=1), groups="all", vc_formula=formula, re_formula="0")
    fit = model.fit(reml=True)
    half = stats.t.ppf(0.975, found.df) * fit.bse["Intercept"]
    assert found.mean == pytest.approx(fit.params["Intercept"])
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half), rel=2e-3)


def test_without_effects_of_methods_it_is_the_t_interval_of_the_seeds_means():
    random = np.random.default_rng(1)
    for _ in range(20):
        table = layout(3, 12, 0.0, 1.0, 0.3, random)
        found = over_methods(table, 0.95)
        by_seed = table.mean(axis=1)
        half = stats.t.ppf(0.975, 11) * by_seed.sem()
        if found.df == 11:
            assert found.high - found.mean == pytest.approx(half)
            return
    raise AssertionError("no table without an effect of methods was drawn")


def test_each_method_is_left_out():
    assert without_each({"a": 1.5, "b": 4.0, "c": 0.5}) == {"a": 2.25, "b": 1.0, "c": 2.75}
    assert without_each({"a": 1.5}) == {}


@pytest.mark.parametrize("methods", [3, 4])
@pytest.mark.parametrize("sds", [(0.0, 1.0, 0.5), (0.3, 1.0, 0.5), (1.0, 1.0, 0.5), (1.0, 0.2, 0.5)])
def test_coverage(methods, sds):
    """Satterthwaite's approximation keeps near 95 % from no effect of methods to a large one."""
    random = np.random.default_rng(7)
    held = 0
    for _ in range(800):
        found = over_methods(layout(methods, 20, *sds, random, mean=0.0), 0.95)
        held += found.low <= 0 <= found.high
    assert held / 800 > 0.92


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]}), "need 3 methods and two seeds, but there are 2 and 2"),
        (pd.DataFrame({"a": [1.0], "b": [2.0], "c": [0.0]}), "need 3 methods and two seeds, but there are 3 and 1"),
        (pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, None], "c": [1.0, 1.0]}), "a value of every method in every seed"),
    ],
)
def test_what_has_no_such_model_is_refused(table, message):
    with pytest.raises(DGRError, match=message):
        over_methods(table, 0.95)
