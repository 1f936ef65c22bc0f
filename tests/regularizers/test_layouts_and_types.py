"""Features and parameters in any layout, type and mode: one penalty, or NaN, or a refusal, and never another number."""

import math

import pytest
import torch
from regularizer_support import ESTIMATORS, TASKS, make_heads, make_problem, penalty_of
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from dgr import DGRError, DummyGradientNorm, FeatureNormPenalty


def dense(dtype=torch.float64):
    """Heads, channels-last features and targets of a dense problem."""
    torch.manual_seed(0)
    heads = [
        nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), nn.BatchNorm2d(6), nn.GELU(), nn.Conv2d(6, 3, 3)) for _ in range(2)
    ]
    z = torch.randn(3, 4, 6, 5, dtype=dtype, requires_grad=True)
    return [head.to(dtype) for head in heads], z, [torch.randint(3, (3, 4, 3)) for _ in range(2)]


def value_and_gradient(regularizer, z, targets):
    penalty = regularizer(z, targets)
    return penalty.detach(), torch.autograd.grad(penalty, z)[0]


@pytest.mark.parametrize("parameters_too", [False, True])
@pytest.mark.parametrize("norm", ["squared", "plain"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_channels_last_changes_nothing(estimator, norm, parameters_too):
    heads, z, targets = dense()
    regularizer = DummyGradientNorm(heads, [cross_entropy] * 2, estimator=estimator, norm=norm, seed=0)
    expected = value_and_gradient(regularizer, z, targets)
    if parameters_too:
        regularizer = regularizer.to(memory_format=torch.channels_last)
    last = z.detach().to(memory_format=torch.channels_last).requires_grad_()
    torch.testing.assert_close(value_and_gradient(regularizer, last, targets), expected, rtol=1e-6, atol=1e-12)
    drawn = [head.to(memory_format=torch.channels_last) for head in heads]
    regularizer = DummyGradientNorm(drawn, [cross_entropy] * 2, estimator=estimator, norm=norm, seed=0)
    assert not regularizer.dummies[0][0].weight.is_contiguous()
    torch.testing.assert_close(value_and_gradient(regularizer, last, targets), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("form", ["transposed", "expanded", "strided"])
def test_vectors_in_any_layout(form):
    _, heads, _, targets = make_problem()
    z = torch.randn(7, 5, dtype=torch.float64)
    z = {"transposed": z.t().contiguous().t(), "expanded": z[:1].expand(7, 5), "strided": z.repeat(1, 2)[:, ::2]}[form]
    for estimator in ESTIMATORS:
        for makers in (heads, make_heads(nn.ReLU)):
            regularizer = penalty_of(makers, estimator=estimator, seed=0)
            plain = z.clone(memory_format=torch.contiguous_format).requires_grad_()
            ours = value_and_gradient(regularizer, z.detach().requires_grad_(), targets)
            torch.testing.assert_close(ours, value_and_gradient(regularizer, plain, targets))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("activation", [nn.GELU, nn.ReLU])
def test_the_loss_scale_acts_before_the_rounding_to_half_precision(dtype, activation):
    """``GradScaler`` starts at 65536, which float16 cannot hold, and an unscaled gradient may vanish in it."""
    regularizer = penalty_of([head.float() for head in make_heads(activation)], strength=1e-7, seed=0)
    z = torch.randn(7, 5).to(dtype)
    targets = [torch.randint(3, (7,)) for _ in range(TASKS)]
    exact = value_and_gradient(regularizer, z.float().requires_grad_(), targets)[1]
    half = z.requires_grad_()
    (65536.0 * regularizer(half, targets)).backward()
    assert half.grad.dtype == dtype
    torch.testing.assert_close(half.grad.float(), 65536 * exact, rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("in_parameters", [False, True])
def test_gradient_ratio_in_half_precision_is_that_of_full_precision(in_parameters):
    """A gradient of 1e-9 is nothing in float16, and the ratio that a strength of 1e6 makes of it is."""
    torch.manual_seed(0)
    encoder, heads, inputs, targets = make_problem()
    encoder, inputs, heads = encoder.float(), inputs.float(), [head.float() for head in heads]

    def tiny(prediction, target):
        return 1e-5 * cross_entropy(prediction, target)

    regularizer = DummyGradientNorm(heads, [tiny] * len(heads), strength=1e6, seed=0)
    ratios = []
    for dtype in (torch.float32, torch.float16):
        z = encoder(inputs).to(dtype)
        loss = sum(cross_entropy(head(z.float()), target) for head, target in zip(heads, targets, strict=True))
        parameters = encoder.parameters() if in_parameters else None
        ratios.append(regularizer.gradient_ratio(loss, z, targets, parameters=parameters))
    assert ratios[1] == pytest.approx(ratios[0], rel=1e-2)
    assert ratios[0] > 0


def test_the_norm_control_is_computed_in_single_precision():
    z = torch.full((2, 18), 64.0, dtype=torch.float16, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        penalty = FeatureNormPenalty(1.0)(z)
    assert penalty.item() == 73728
    (0.25 * penalty).backward()
    assert torch.equal(z.grad, torch.full_like(z, 16))
    assert FeatureNormPenalty(2.0)({"fine": torch.ones(2, 3), "coarse": torch.ones(2, 3, 2, 2)}).item() == 12


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_models_that_are_bfloat16_throughout(estimator):
    """Heads, their copies within a model that is converted later, features and targets of numbers."""
    head = nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 2)).to(torch.bfloat16)
    regularizer = DummyGradientNorm([head], [nn.functional.mse_loss], estimator=estimator, epsilon=1e-2, seed=0)
    z = torch.randn(7, 5).to(torch.bfloat16).requires_grad_()
    target = torch.randn(7, 2).to(torch.bfloat16)
    value, gradient = value_and_gradient(regularizer, z, [target])
    expected = value_and_gradient(regularizer, z.detach().float().requires_grad_(), [target.float()])
    torch.testing.assert_close((value, gradient.float()), expected, rtol=1e-2, atol=1e-3)
    assert math.isfinite(regularizer.to(torch.bfloat16)(z, [target]).item())
    assert regularizer.double()(z.double(), [target]).dtype == torch.float64


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("activation", [nn.GELU, nn.ReLU])
def test_inference_mode_and_no_grad_give_the_value(estimator, activation):
    encoder, _, inputs, targets = make_problem()
    regularizer = penalty_of(make_heads(activation), estimator=estimator)
    expected = regularizer(encoder(inputs), targets)
    with torch.inference_mode():
        inside = regularizer(encoder(inputs), [target.clone() for target in targets])
    with torch.no_grad():
        without = regularizer(encoder(inputs), targets)
    assert inside.item() == without.item() == expected.item()
    assert not without.requires_grad


DIFFERENCE = {"estimator": "finite_difference"}


@pytest.mark.parametrize("settings", [{}, {"norm": "plain"}, DIFFERENCE, DIFFERENCE | {"norm": "plain"}])
@pytest.mark.parametrize("activation", [nn.GELU, nn.ReLU])
@pytest.mark.parametrize("entry", [math.nan, math.inf, -math.inf])
def test_a_diverged_representation_gives_nan(settings, activation, entry):
    regularizer = penalty_of(make_heads(activation), **settings)
    z = torch.randn(7, 5, dtype=torch.float64)
    z[2, 1] = entry
    penalty, gradient = value_and_gradient(regularizer, z.requires_grad_(), [torch.zeros(7, dtype=torch.int64)] * TASKS)
    assert not penalty.isfinite()
    assert not gradient.isfinite().all()


def test_a_gradient_too_large_for_its_norm_is_not_zero():
    for estimator in ESTIMATORS:
        regularizer = penalty_of([head.float() for head in make_heads()], estimator=estimator)
        z = torch.full((7, 5), 1e30, requires_grad=True)
        assert not regularizer(z, [one_hot(torch.arange(7) % 3, 3) * 1e30] * TASKS).isfinite()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_second_derivatives_are_refused_and_first_ones_with_a_graph_are_not(estimator):
    encoder, heads, inputs, targets = make_problem()
    penalty = penalty_of(heads, estimator=estimator)(encoder(inputs), targets)
    loss = penalty + encoder(inputs).square().sum()
    gradients = torch.autograd.grad(loss, list(encoder.parameters()), create_graph=True)
    expected = torch.autograd.grad(loss, list(encoder.parameters()), retain_graph=True)
    torch.testing.assert_close([g.detach() for g in gradients], list(expected))
    with pytest.raises(DGRError, match="first derivatives only; leave it out of what is differentiated twice"):
        sum(gradient.square().sum() for gradient in gradients).backward()
