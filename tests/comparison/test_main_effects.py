"""Effects of choices against statsmodels, which fits the same model by formulas."""

import itertools

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from dgr.comparison.main_effects import main_effects
from dgr.core.errors import DGRError


def made_up(dropped=()):
    random = np.random.default_rng(7)
    rows = list(itertools.product("abcd", "uv", "xyz"))
    options = pd.DataFrame(rows, columns=["one", "two", "three"]).drop(list(dropped)).reset_index(drop=True)
    size = {"a": 1.0, "b": 0.2, "c": -0.5, "d": 0.0}
    values = options["one"].map(size).to_numpy() + 0.3 * random.standard_normal(len(options))
    return values, options


@pytest.mark.parametrize("dropped", [(), (0, 5, 6, 13)], ids=["balanced", "unbalanced"])
def test_coefficients_intervals_and_shares_are_those_of_statsmodels(dropped):
    values, options = made_up(dropped)
    found = main_effects(values, options, 0.95)
    fit = ols("y ~ C(one, Sum) + C(two, Sum) + C(three, Sum)", options.assign(y=values)).fit()
    low, high = fit.conf_int().loc["Intercept"]
    assert (found.mean.value, found.mean.low, found.mean.high) == pytest.approx(
        (fit.params["Intercept"], low, high), rel=1e-10
    )
    for choice, levels in {"one": "abcd", "two": "uv", "three": "xyz"}.items():
        for option in levels[:-1]:
            name = f"C({choice}, Sum)[S.{option}]"
            mine = found.options[choice, option]
            assert mine.value == pytest.approx(fit.params[name], rel=1e-9, abs=1e-12)
            assert (mine.low, mine.high) == pytest.approx(tuple(fit.conf_int().loc[name]), rel=1e-9)
        assert sum(found.options[choice, option].value for option in levels) == pytest.approx(0, abs=1e-12)
    # The last option's is minus the sum of the others.
    weights = np.zeros(len(fit.params))
    weights[[fit.params.index.get_loc(f"C(one, Sum)[S.{option}]") for option in "abc"]] = -1
    low, high = fit.t_test(weights).conf_int()[0]
    assert (found.options["one", "d"].low, found.options["one", "d"].high) == pytest.approx((low, high), rel=1e-9)
    squares = anova_lm(fit, typ=2)["sum_sq"]
    total = ((values - values.mean()) ** 2).sum()
    for choice in options:
        assert found.shares[choice] == pytest.approx(squares[f"C({choice}, Sum)"] / total, rel=1e-8)
    assert found.rest == pytest.approx(squares["Residual"] / total, rel=1e-10)
    assert found.df == fit.df_resid


def test_shares_of_a_balanced_design_add_up_to_one():
    found = main_effects(*made_up(), 0.95)
    assert sum(found.shares.values()) + found.rest == pytest.approx(1, rel=1e-12)


def test_a_choice_with_one_option_has_no_effect():
    values, options = made_up()
    found = main_effects(values, options.assign(four="only"), 0.95)
    assert set(found.shares) == {"one", "two", "three"}
    assert found.shares == main_effects(values, options, 0.95).shares


def test_what_cannot_be_told_apart_is_refused():
    values, options = made_up()
    with pytest.raises(DGRError, match=r"^7 specifications cannot tell 7 effects of choices from noise"):
        main_effects(values[[0, 1, 2, 3, 6, 12, 18]], options.iloc[[0, 1, 2, 3, 6, 12, 18]], 0.95)
    with pytest.raises(DGRError, match=r"^Some options of the choices occur together only"):
        main_effects(values, options.assign(same=options["two"].str.upper()), 0.95)
