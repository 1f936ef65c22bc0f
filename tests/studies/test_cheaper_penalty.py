"""Study D1: TF32's rounding against its definition, and what each arm of the study changes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dgr.config.parsing import parse
from dgr.studies.cheaper_penalty import CheaperPenalty, InTF32, run
from dgr.studies.tf32 import ProductsInTF32, rounded_to_tf32

TINY = {
    "kind": "cheaper_penalty",
    "data": {
        "kind": "multimnist",
        "digits": {"train": 300, "val": 50, "test": 100},
        "pairs": {"train": 128, "val": 20, "test": 100},
        "seed": 0,
    },
    "architecture": {"name": "conv", "pooling": 2, "channels": [4, 8], "width": 16, "hidden": 12},
    "epochs": 2,
    "batch_size": 32,
    "learning_rate": 1e-2,
    "strength": 1.0,
    "levels": [4],
}


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_rounding_gives_the_nearest_number_of_ten_bits(value):
    mantissa, exponent = np.frexp(np.float64(np.float32(value)))
    nearest = np.ldexp(np.rint(mantissa * 2**11), exponent - 11)  # rint's ties go to the even one, too
    rounded = rounded_to_tf32(torch.tensor([value])).double().item()
    assert rounded == nearest or (np.isinf(rounded) and abs(nearest) > torch.finfo(torch.float32).max)


def test_what_is_not_finite_stays():
    kept = rounded_to_tf32(torch.tensor([torch.inf, -torch.inf, torch.nan]))
    assert kept[:2].tolist() == [torch.inf, -torch.inf]
    assert kept[2].isnan()


def test_factors_are_rounded_and_sums_are_not():
    generator = torch.Generator().manual_seed(0)
    bias, left, right = (torch.randn(*shape, generator=generator) for shape in ((3,), (2, 5), (5, 3)))
    with ProductsInTF32() as mode:
        product = torch.addmm(bias, left, right)
    expected = bias + rounded_to_tf32(left) @ rounded_to_tf32(right)
    assert mode.products == 1
    torch.testing.assert_close(product, expected, rtol=0, atol=1e-6)
    assert (product - torch.addmm(bias, left, right)).abs().max() > 1e-5


def test_backward_products_are_rounded_too():
    layer, inputs = torch.nn.Linear(5, 3), torch.randn(2, 5)
    with ProductsInTF32() as mode:
        layer(inputs).sum().backward()
    assert mode.products == 2


@pytest.fixture(scope="module")
def rows():
    return list(run(parse(CheaperPenalty, TINY, "D1"), seed=0))


def test_each_arm_has_its_rows(rows):
    found = {(row.method, row.level, row.measure) for row in rows}
    changes = {("every", 4), ("tf32", 1), ("alone", 1)}
    assert found == {(*arm, measure) for arm in changes for measure in ("accuracy", "accuracy_change")} | {
        ("every", 1, "accuracy")
    }


def test_changes_are_from_dgr_at_every_step(rows):
    values = {(row.method, row.level, row.measure): row.value for row in rows}
    reference = values["every", 1, "accuracy"]
    for (method, level, measure), value in values.items():
        if measure == "accuracy_change":
            assert value == pytest.approx(values[method, level, "accuracy"] - reference)
    assert 0 <= reference <= 100


def test_the_penalty_of_an_arm_is_the_same_but_rounded():
    from dgr import DummyGradientNorm

    torch.manual_seed(0)
    heads = [torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)) for _ in range(2)]
    plain = DummyGradientNorm(heads, [torch.nn.functional.cross_entropy] * 2, 1.0, seed=1)
    z, targets = torch.randn(8, 6), [torch.arange(8) % 3] * 2
    exact, rounded = plain(z, targets), InTF32(plain)(z, targets)
    assert exact != rounded
    torch.testing.assert_close(rounded, exact, rtol=1e-2, atol=0)
