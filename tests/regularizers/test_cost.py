"""What a penalty computes, by counts that no other work on the machine can change: products, operations, bytes."""

import pytest
import torch
from counting_support import Alive, counted
from regularizer_support import make_heads, penalty_of
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from dgr import DummyGradientNorm

BATCH, WIDTH, LAYERS = 32, 16, 4
PRODUCT = 2 * BATCH * WIDTH * WIDTH
"""Operations of one layer's forward product; its two backward products take as many each."""


def deep_head(activation=nn.Tanh):
    layers = [layer for _ in range(LAYERS) for layer in (nn.Linear(WIDTH, WIDTH), activation())]
    return nn.Sequential(*layers[:-1])


def batch(tasks=1):
    z = torch.randn(BATCH, WIDTH, requires_grad=True)
    return z, [torch.randint(WIDTH, (BATCH,)) for _ in range(tasks)]


def products(call):
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() / PRODUCT


@pytest.mark.parametrize(
    ("estimator", "most"), [("exact", 7 * LAYERS - 2), ("finite_difference", 5 * LAYERS)], ids=["exact", "difference"]
)
@pytest.mark.parametrize(("num_dummies", "tasks"), [(1, 1), (2, 3)])
def test_products_of_a_penalty_are_at_the_floor_of_its_estimator(estimator, most, num_dummies, tasks):
    z, targets = batch(tasks)
    heads = [deep_head() for _ in range(tasks)]
    penalty = DummyGradientNorm(heads, [cross_entropy] * tasks, estimator=estimator, num_dummies=num_dummies)
    penalty(z, targets)
    assert products(lambda: penalty(z, targets)) == num_dummies * tasks * most
    plain = sum(products(lambda head=head: cross_entropy(head(z), targets[0]).backward()) for head in heads)
    assert plain == 3 * LAYERS * tasks
    with torch.no_grad():
        assert products(lambda: penalty(z, targets)) < num_dummies * tasks * most


def test_the_closed_form_of_two_layers_takes_no_more_products_and_half_the_operations():
    z, targets = batch(3)
    heads = [nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH)) for _ in range(3)]
    closed = DummyGradientNorm(heads, [cross_entropy] * 3)
    generic = DummyGradientNorm(heads, [cross_entropy] * 3)
    generic._groups = []
    generic(z, targets)
    # The counter does not know products that are added in place.
    assert products(lambda: closed(z, targets)) <= products(lambda: generic(z, targets)) == 3 * (7 * 2 - 2)
    assert 2 * counted(lambda: closed(z, targets)).operations < counted(lambda: generic(z, targets)).operations
    one = DummyGradientNorm(heads[:1], [cross_entropy])
    assert counted(lambda: closed(z, targets)).operations <= counted(lambda: one(z, targets[:1])).operations + 10


@pytest.mark.parametrize("estimator", ["exact", "finite_difference"])
@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
def test_no_step_waits_for_the_device(estimator, activation):
    heads = [*make_heads(activation), nn.Linear(5, 3).double()]
    losses = [cross_entropy, nn.CrossEntropyLoss(weight=torch.ones(3), label_smoothing=0.1), nn.MSELoss()]
    penalty = DummyGradientNorm(heads, losses, estimator=estimator, num_dummies=2, norm="plain", every=2)
    z = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    targets = [torch.randint(3, (7,)), torch.randint(3, (7,)), torch.randn(7, 3)]
    penalty(z, targets)
    for _ in range(3):  # the first call has looked at what the heads are like
        assert counted(lambda: penalty(z, targets).backward()).waits == []


def test_strength_zero_and_the_calls_between_compute_nothing():
    z, targets = batch(2)
    heads = [deep_head() for _ in range(2)]
    for penalty in (
        DummyGradientNorm(heads, [cross_entropy] * 2, strength=0.0),
        DummyGradientNorm(heads, [cross_entropy] * 2, every=4),
    ):
        penalty(z, targets)
        assert products(lambda penalty=penalty: penalty(z, targets).backward()) == 0
        assert counted(lambda penalty=penalty: penalty(z, targets).backward()).operations < 20


@pytest.mark.parametrize("estimator", ["exact", "finite_difference"])
def test_memory_is_that_of_one_head_at_a_time(estimator):
    """Dense heads, whose activations are what takes memory."""
    heads = [nn.Sequential(nn.Conv2d(4, 16, 3), nn.Tanh(), nn.Conv2d(16, 3, 1)) for _ in range(3)]
    z = torch.randn(2, 4, 20, 20, requires_grad=True)
    targets = [torch.randint(3, (2, 18, 18)) for _ in range(3)]

    def most(tasks, **settings):
        penalty = DummyGradientNorm(heads[:tasks], [cross_entropy] * tasks, estimator=estimator, **settings)
        penalty(z, targets[:tasks])
        with Alive() as alive:
            penalty(z, targets[:tasks])
        return alive.most

    for norm in ("squared", "plain"):
        assert most(3, num_dummies=4, norm=norm) <= 1.2 * most(3, norm=norm) <= 1.2 * 1.2 * most(1, norm=norm)


@pytest.mark.parametrize(("estimator", "inside"), [("exact", "tf32"), ("finite_difference", "ieee")])
def test_tf32_follows_the_surroundings_but_for_differences(estimator, inside, monkeypatch):
    """The switches are stood in for, and looked at from a loss; a device of that name is not needed."""
    from types import SimpleNamespace

    from dgr.regularizers.shared import dummy_gradient_norm

    product, convolution = SimpleNamespace(fp32_precision="tf32"), SimpleNamespace(fp32_precision="tf32")
    monkeypatch.setattr(torch.backends.cuda, "matmul", product)
    monkeypatch.setattr(torch.backends, "cudnn", SimpleNamespace(conv=convolution))
    for name in ("full_precision", "without_autocast"):
        real = getattr(dummy_gradient_norm, name)
        monkeypatch.setattr(dummy_gradient_norm, name, lambda device, real=real: real("cuda"))
    seen = []

    def loss(prediction, target):
        seen.append((product.fp32_precision, convolution.fp32_precision))
        return cross_entropy(prediction, target)

    z, targets = batch()
    DummyGradientNorm([deep_head()], [loss], estimator=estimator)(z, targets)
    assert set(seen) == {(inside, inside)}
    assert product.fp32_precision == "tf32"
    assert penalty_of(make_heads()).estimator == "exact"
