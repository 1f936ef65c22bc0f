"""Both estimators of the penalty against independent formulas, in float64."""

import copy

import pytest
import torch
from regularizer_support import ESTIMATORS, TASKS, make_heads, make_problem, penalty_of
from torch import nn
from torch.nn.functional import cross_entropy

from dgr import DGRError, DummyGradientNorm


@pytest.fixture
def problem():
    return make_problem()


def encoder_gradient(value, encoder):
    return torch.cat([g.flatten() for g in torch.autograd.grad(value, list(encoder.parameters()))])


def sets_of_dummies(regularizer):
    """The dummies as plain modules whose parameters require gradients, one list a set."""
    dummies = [copy.deepcopy(dummy).requires_grad_() for dummy in regularizer.dummies]
    return [dummies[start : start + TASKS] for start in range(0, len(dummies), TASKS)]


def reference_penalty(regularizer, z, targets):
    """R by its definition, with a graph through everything: the independent formula."""
    total = torch.zeros((), dtype=z.dtype)
    for heads in sets_of_dummies(regularizer):
        losses = [cross_entropy(head(z), target) for head, target in zip(heads, targets, strict=True)]
        squares = []
        for head, loss in zip(heads, losses, strict=True):
            gradients = torch.autograd.grad(loss, list(head.parameters()), create_graph=True)
            squares.append(sum(g.square().sum() for g in gradients))
        norms = squares if regularizer.per_task else [sum(squares)]
        total = total + sum(s if regularizer.norm == "squared" else s.sqrt() for s in norms)
    return regularizer.strength * total / regularizer.num_dummies


@pytest.mark.parametrize("norm", ["squared", "plain"])
@pytest.mark.parametrize("per_task", [False, True])
@pytest.mark.parametrize("num_dummies", [1, 3])
@pytest.mark.parametrize("activation", [nn.GELU, nn.ReLU])
def test_exact_equals_autograd_through_the_whole_encoder(problem, norm, per_task, num_dummies, activation):
    encoder, _, inputs, targets = problem
    heads = make_heads(activation)
    regularizer = penalty_of(heads, strength=0.7, norm=norm, per_task=per_task, num_dummies=num_dummies)
    ours = regularizer(encoder(inputs), targets)
    reference = reference_penalty(regularizer, encoder(inputs), targets)
    torch.testing.assert_close(ours, reference, rtol=1e-12, atol=0)
    torch.testing.assert_close(
        encoder_gradient(ours, encoder), encoder_gradient(reference, encoder), rtol=1e-10, atol=1e-14
    )


def test_exact_equals_central_differences_of_its_own_value(problem):
    encoder, heads, inputs, targets = problem
    regularizer = penalty_of(heads)
    z = encoder(inputs).detach().requires_grad_()
    direction = torch.randn_like(z)
    slope = (torch.autograd.grad(regularizer(z, targets), z)[0] * direction).sum()
    h = 1e-5
    difference = (regularizer(z + h * direction, targets) - regularizer(z - h * direction, targets)) / (2 * h)
    torch.testing.assert_close(slope, difference, rtol=1e-7, atol=0)


def test_finite_difference_error_falls_linearly_on_smooth_heads(problem):
    encoder, heads, inputs, targets = problem
    z = encoder(inputs).detach().requires_grad_()
    exact = torch.autograd.grad(penalty_of(heads)(z, targets), z)[0]
    errors = []
    for epsilon in (1e-2, 1e-3, 1e-4):
        regularizer = penalty_of(heads, estimator="finite_difference", epsilon=epsilon)
        estimate = torch.autograd.grad(regularizer(z, targets), z)[0]
        errors.append(((estimate - exact).norm() / exact.norm()).item())
    assert errors[0] < 0.1
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(10, rel=0.05)


def test_finite_difference_is_another_regularizer_on_kinked_heads():
    torch.manual_seed(0)
    heads = [nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10)).double() for _ in range(TASKS)]
    z = torch.randn(2048, 64, dtype=torch.float64, requires_grad=True)
    targets = [torch.randint(10, (2048,)) for _ in range(TASKS)]
    exact = torch.autograd.grad(penalty_of(heads, seed=3)(z, targets), z)[0]
    smallest = []
    for epsilon in (1e-2, 1e-3):
        regularizer = penalty_of(heads, estimator="finite_difference", epsilon=epsilon, seed=3)
        estimate = torch.autograd.grad(regularizer(z, targets), z)[0]
        smallest.append(((estimate - exact).norm() / exact.norm()).item())
    # On smooth heads the second would be a tenth of the first; kinks keep it from converging.
    assert smallest[1] > 0.5 * smallest[0]


@pytest.mark.parametrize("per_task", [False, True])
@pytest.mark.parametrize("norm", ["squared", "plain"])
@pytest.mark.parametrize("num_dummies", [1, 2])
@pytest.mark.parametrize("activation", [nn.GELU, nn.ReLU])
def test_finite_difference_equals_the_encoder_rerun_procedure(problem, per_task, norm, num_dummies, activation):
    """The released procedure: run encoder and dummies at θ and at θ + εd, differentiate through the encoder."""
    encoder, _, inputs, targets = problem
    epsilon = 1e-2
    regularizer = penalty_of(
        make_heads(activation),
        strength=0.3,
        estimator="finite_difference",
        epsilon=epsilon,
        per_task=per_task,
        norm=norm,
        num_dummies=num_dummies,
    )
    value, gradient = torch.zeros((), dtype=torch.float64), 0.0
    for heads in sets_of_dummies(regularizer):
        for group in [[task] for task in range(TASKS)] if per_task else [list(range(TASKS))]:

            def loss(z, heads=heads, group=group):
                return sum(cross_entropy(heads[task](z), targets[task]) for task in group)

            parameters = [p for task in group for p in heads[task].parameters()]
            here = loss(encoder(inputs))
            here_gradient = encoder_gradient(here, encoder)
            direction = torch.autograd.grad(loss(encoder(inputs)), parameters)
            length = torch.cat([d.flatten() for d in direction]).norm()
            with torch.no_grad():
                for parameter, d in zip(parameters, direction, strict=True):
                    parameter += epsilon * d / length
            there = loss(encoder(inputs))
            there_gradient = encoder_gradient(there, encoder)
            slope = (there - here).detach() / epsilon
            change = (there_gradient - here_gradient) / epsilon
            value = value + (slope**2 if norm == "squared" else slope.abs())
            gradient = gradient + (2 * slope if norm == "squared" else slope.sign()) * change
    ours = regularizer(encoder(inputs), targets)
    scale = regularizer.strength / num_dummies
    torch.testing.assert_close(ours, scale * value, rtol=1e-8, atol=0)
    torch.testing.assert_close(encoder_gradient(ours, encoder), scale * gradient, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_backward_reaches_the_representation_and_nothing_else(problem, estimator):
    encoder, heads, inputs, targets = problem
    regularizer = penalty_of(heads, estimator=estimator)
    before = copy.deepcopy(regularizer.state_dict())
    regularizer(encoder(inputs), targets).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())
    assert all(p.grad is None for head in heads for p in head.parameters())
    assert all(p.grad is None and not p.requires_grad for p in regularizer.parameters())
    after = regularizer.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if name != "draws")


def test_the_encoder_is_walked_back_once(problem):
    encoder, heads, inputs, targets = problem
    walks = []
    z = encoder(inputs)
    z.register_hook(lambda _: walks.append(1))
    loss = sum(cross_entropy(head(z), target) for head, target in zip(heads, targets, strict=True))
    (loss + penalty_of(heads, num_dummies=4)(z, targets)).backward()
    assert len(walks) == 1


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("norm", ["squared", "plain"])
def test_a_vanishing_gradient_gives_zero_not_nan(problem, estimator, norm):
    _, heads, _, _ = problem
    regularizer = DummyGradientNorm(heads, [lambda p, t: 0.0 * p.sum()] * TASKS, estimator=estimator, norm=norm)
    z = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    penalty = regularizer(z, [None] * TASKS)
    assert penalty.item() == 0
    assert torch.equal(torch.autograd.grad(penalty, z)[0], torch.zeros_like(z))


def test_strength_zero_has_no_effect(problem):
    encoder, heads, inputs, targets = problem
    penalty = penalty_of(heads, strength=0.0)(encoder(inputs), targets)
    assert penalty.item() == 0
    assert encoder_gradient(penalty, encoder).abs().max() == 0


def test_half_precision_representations_are_penalised_in_single_precision(problem):
    _, heads, _, targets = problem
    regularizer = penalty_of([head.to(torch.bfloat16) for head in heads], estimator="finite_difference")
    z = torch.randn(7, 5)
    half = z.to(torch.bfloat16).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        penalty = regularizer(half, targets)
    assert penalty.dtype == torch.float32
    assert torch.equal(penalty, regularizer(half.float(), targets))
    assert torch.autograd.grad(penalty, half)[0].dtype == torch.bfloat16


@pytest.mark.parametrize("shape", [(4, 5, 6, 6)])
def test_dense_representations(shape):
    heads = [nn.Conv2d(5, 3, 1).double() for _ in range(TASKS)]
    regularizer = penalty_of(heads)
    z = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    targets = [torch.randint(3, (4, 6, 6)) for _ in range(TASKS)]
    ours, reference = regularizer(z, targets), reference_penalty(regularizer, z, targets)
    torch.testing.assert_close(torch.autograd.grad(ours, z)[0], torch.autograd.grad(reference, z)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": -1.0}, "not negative.*-1"),
        ({"strength": float("nan")}, "finite"),
        ({"epsilon": 0.0}, "epsilon must be greater than 0"),
        ({"num_dummies": 0}, "num_dummies must be at least 1"),
        ({"every": 0}, "every must be at least 1"),
        ({"estimator": "exakt"}, "estimator must be one of exact, finite_difference.*exakt"),
        ({"norm": "cubed"}, "norm must be one of squared, plain.*cubed"),
    ],
)
def test_settings_out_of_range_are_refused(problem, options, message):
    with pytest.raises(DGRError, match=message):
        penalty_of(problem[1], **options)


def test_heads_and_losses_are_lists():
    head = nn.Linear(4, 3)
    for heads, losses in (
        (nn.ModuleDict({"a": head}), [cross_entropy]),  # the heads of a MultiTaskModel, as they are
        ({"a": head}, [cross_entropy]),
        (head, [cross_entropy]),
        ([head], cross_entropy),
        ([head], {"a": cross_entropy}),
    ):
        with pytest.raises(DGRError, match=r"must be lists, .*list\(model.heads.values\(\)\)"):
            DummyGradientNorm(heads, losses)
    DummyGradientNorm(nn.ModuleList([head]), (cross_entropy,))


def test_heads_that_do_not_fit_are_named(problem):
    _, heads, _, targets = problem
    with pytest.raises(DGRError, match=r"Head 0 does not fit a representation of shape \(7, 9\)"):
        penalty_of(heads)(torch.randn(7, 9, dtype=torch.float64), targets)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_computed_every_third_call_times_three(problem, estimator):
    encoder, heads, inputs, targets = problem
    plain = penalty_of(heads, estimator=estimator, seed=0)
    sparse = penalty_of(heads, estimator=estimator, every=3, seed=0)
    z = encoder(inputs)
    expected = plain(z, targets)
    (gradient,) = torch.autograd.grad(expected, z, retain_graph=True)
    for call in range(7):
        with torch.no_grad():
            assert sparse(z, targets) == expected, "not counted, and not multiplied"
        if call == 5:  # a run that is resumed goes on where it was
            state = copy.deepcopy(sparse.state_dict())
            sparse = penalty_of(heads, estimator=estimator, every=3, seed=0)
            sparse.load_state_dict(state)
        penalty = sparse(z, targets)
        factor = 0.0 if call % 3 else 3.0
        torch.testing.assert_close(penalty, factor * expected)
        torch.testing.assert_close(torch.autograd.grad(penalty, z, retain_graph=True)[0], factor * gradient)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gradient_ratio_is_that_of_the_two_gradients(problem, estimator):
    encoder, heads, inputs, targets = problem
    regularizer = penalty_of(heads, strength=0.3, estimator=estimator, every=2, seed=0)
    z = encoder(inputs)
    loss = sum(cross_entropy(head(z), target) for head, target in zip(heads, targets, strict=True))
    ratios = [regularizer.gradient_ratio(loss, z, targets) for _ in range(2)]
    in_encoder = regularizer.gradient_ratio(loss, z, targets, parameters=encoder.parameters())
    penalty = regularizer(z, targets) / 2
    pulls = [torch.autograd.grad(each, z, retain_graph=True)[0].norm() for each in (penalty, loss)]
    assert ratios == [pytest.approx((pulls[0] / pulls[1]).item())] * 2
    parameters = list(encoder.parameters())
    walks = [torch.autograd.grad(each, parameters, retain_graph=True) for each in (penalty, loss)]
    pulls = [torch.cat([g.flatten() for g in walk]).norm() for walk in walks]
    assert in_encoder == pytest.approx((pulls[0] / pulls[1]).item())
    assert regularizer.draws.item() == 0
    with pytest.raises(DGRError, match=r"needs a representation with a graph; call it outside of torch.no_grad"):
        regularizer.gradient_ratio(loss, z.detach(), targets)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gpu_equals_cpu(problem, estimator):
    encoder, heads, inputs, targets = problem
    z = encoder(inputs).detach()
    expected = penalty_of(heads, estimator=estimator)(z, targets)
    on_gpu = penalty_of(heads, estimator=estimator).cuda()(z.cuda(), [t.cuda() for t in targets])
    torch.testing.assert_close(on_gpu.cpu(), expected)
