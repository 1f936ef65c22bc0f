import pandas as pd
import pytest

from dgr.core.errors import DGRError
from dgr.records.delta import delta_m, single_task_reference

UP = {"a": True, "b": True}


def test_by_hand() -> None:
    values = pd.DataFrame({"a": [0.55, 0.50], "b": [0.84, 0.72]}, index=[7, 8])
    change = delta_m(values, pd.Series({"a": 0.5, "b": 0.8}), UP)
    # (+10 % + 5 %) / 2 and (0 % − 10 %) / 2
    assert list(change) == pytest.approx([7.5, -5.0])
    assert list(change.index) == [7, 8]


def test_lower_is_better() -> None:
    values = pd.DataFrame({"iou": [0.44], "error": [18.0], "angle": [24.0]})
    reference = pd.Series({"iou": 0.40, "error": 20.0, "angle": 20.0})
    change = delta_m(values, reference, {"iou": True, "error": False, "angle": False})
    # +10 %, +10 % (a smaller error), −20 % (a larger angle)
    assert list(change) == pytest.approx([0.0])


def test_negative_reference_keeps_the_sign_of_progress() -> None:
    change = delta_m(pd.DataFrame({"r2": [-0.5]}), pd.Series({"r2": -1.0}), {"r2": True})
    assert list(change) == pytest.approx([50.0])


def test_reference_is_the_mean_over_runs_and_has_delta_zero() -> None:
    values = pd.DataFrame({"a": [0.4, 0.6], "b": [0.7, 0.9]})
    reference = single_task_reference(values)
    assert reference.to_dict() == pytest.approx({"a": 0.5, "b": 0.8})
    assert delta_m(values, reference, UP).mean() == pytest.approx(0.0)


def test_column_order_does_not_matter() -> None:
    values = pd.DataFrame({"b": [0.84], "a": [0.55]})
    assert list(delta_m(values, pd.Series({"a": 0.5, "b": 0.8}), UP)) == pytest.approx([7.5])


def test_refusals() -> None:
    values = pd.DataFrame({"a": [0.5], "b": [0.5]})
    with pytest.raises(DGRError, match="single-task runs"):
        single_task_reference(values.iloc[:0])
    with pytest.raises(DGRError, match="metric of exactly 0"):
        delta_m(values, pd.Series({"a": 0.0, "b": 1.0}), UP)
    with pytest.raises(DGRError, match="NaN"):
        delta_m(values * float("nan"), pd.Series({"a": 1.0, "b": 1.0}), UP)
    with pytest.raises(DGRError, match="a, b with a reference for a"):
        delta_m(values, pd.Series({"a": 1.0}), UP)
