"""The closed form of the exact penalty against double backward, in float64."""

import copy

import pytest
import torch
from regularizer_support import TASKS, make_heads, penalty_of
from torch import nn
from torch.nn.functional import cross_entropy

from dgr import DummyGradientNorm
from dgr.regularizers.shared.two_layer import has_closed_form

BATCH, WIDTH, CLASSES = 7, 5, 3


def by_double_backward(regularizer):
    """The same penalty, dummies and all, with the closed form switched off."""
    generic = copy.deepcopy(regularizer)
    generic._closed_form = False
    return generic


@pytest.mark.parametrize("norm", ["squared", "plain"])
@pytest.mark.parametrize("per_task", [False, True])
@pytest.mark.parametrize("num_dummies", [1, 3])
@pytest.mark.parametrize("ignored", [0, 2])
def test_closed_form_equals_double_backward(norm, per_task, num_dummies, ignored):
    torch.manual_seed(0)
    regularizer = penalty_of(make_heads(nn.ReLU), strength=0.7, norm=norm, per_task=per_task, num_dummies=num_dummies)
    assert regularizer._closed_form
    z = torch.randn(BATCH, WIDTH, dtype=torch.float64, requires_grad=True)
    targets = [torch.randint(CLASSES, (BATCH,)) for _ in range(TASKS)]
    targets[0][:ignored] = -100
    ours, reference = regularizer(z, targets), by_double_backward(regularizer)(z, targets)
    torch.testing.assert_close(ours, reference, rtol=1e-12, atol=0)
    gradients = [torch.autograd.grad(penalty, z)[0] for penalty in (ours, reference)]
    assert gradients[1].abs().max() > 1e-3
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-14)


def test_a_saturated_head_gives_zero_not_nan():
    """Logits so large that every probability is 0 or 1: the gradient vanishes, and with it the penalty."""
    regularizer = penalty_of([head.double() for head in make_heads(nn.ReLU)], norm="plain")
    with torch.no_grad():
        for dummy in regularizer.dummies:
            dummy[2].weight.zero_()
            dummy[2].bias.copy_(torch.tensor([2000.0, 0.0, 0.0]))
    z = torch.randn(BATCH, WIDTH, dtype=torch.float64, requires_grad=True)
    penalty = regularizer(z, [torch.zeros(BATCH, dtype=torch.int64)] * TASKS)
    assert penalty.item() == 0
    assert torch.equal(torch.autograd.grad(penalty, z)[0], torch.zeros_like(z))


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 3)],
        [nn.Linear(5, 6, bias=False), nn.ReLU(), nn.Linear(6, 3)],
        [nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3), nn.ReLU()],
        [nn.Linear(5, 3)],
    ],
)
def test_other_heads_take_double_backward(layers):
    heads = [nn.Sequential(*layers), nn.Sequential(*layers)]
    assert not has_closed_form(heads, [cross_entropy] * 2)
    targets = [torch.randint(CLASSES, (BATCH,)) for _ in range(2)]
    assert DummyGradientNorm(heads, [cross_entropy] * 2)(torch.randn(BATCH, WIDTH), targets) > 0


def test_other_losses_shapes_and_widths_take_double_backward():
    heads = make_heads(nn.ReLU)
    wider = [heads[0], nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4))]
    assert has_closed_form(heads, [cross_entropy] * 2)
    assert not has_closed_form(wider, [cross_entropy] * 2)
    assert not has_closed_form(heads, [cross_entropy, lambda p, t: cross_entropy(p, t)])
    regularizer = penalty_of(heads)
    # Class probabilities are targets too, and no closed form is written for them.
    soft = [torch.full((BATCH, CLASSES), 1 / 3, dtype=torch.float64)] * TASKS
    assert regularizer(torch.randn(BATCH, WIDTH, dtype=torch.float64), soft) > 0
