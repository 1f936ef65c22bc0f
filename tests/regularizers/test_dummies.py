"""Dummy heads: drawn from a stream of their own, deterministic, without side effects."""

import copy
import itertools

import pytest
import torch
from regularizer_support import ESTIMATORS, TASKS, make_heads, make_problem, penalty_of
from torch import nn
from torch.nn.functional import cross_entropy

from dgr import DGRError, DummyGradientNorm


@pytest.fixture
def problem():
    return make_problem()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_batch_norm_uses_the_batch_and_keeps_running_statistics(problem, estimator):
    encoder, _, inputs, targets = problem
    heads = make_heads(batch_norm=True)
    for _ in range(3):
        heads[0](encoder(inputs))
    before = copy.deepcopy(heads[0].state_dict())
    regularizer = penalty_of(heads, estimator=estimator).eval()
    value = regularizer(encoder(inputs), targets)
    assert torch.equal(value, regularizer.train()(encoder(inputs), targets))
    assert all(torch.equal(before[name], tensor) for name, tensor in heads[0].state_dict().items())
    assert not any("running" in name for name in regularizer.state_dict())


def test_dropout_is_off_in_dummies(problem):
    encoder, _, inputs, targets = problem
    heads = [nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 3)).double() for _ in range(TASKS)]
    regularizer = penalty_of(heads)
    assert torch.equal(regularizer(encoder(inputs), targets), regularizer(encoder(inputs), targets))


def test_dummies_have_a_random_stream_of_their_own(problem):
    _, heads, _, _ = problem
    torch.manual_seed(5)
    first = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = penalty_of(heads, seed=1), penalty_of(heads, seed=1), penalty_of(heads, seed=2)
    assert torch.equal(torch.rand(1), first), "drawing dummies must not advance the global stream"
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert not any(
        torch.equal(a, b) for a, b in zip(one.dummies[0].parameters(), heads[0].parameters(), strict=True)
    ), "dummies must not be copies of the real heads"


def small(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))


def weights(*modules):
    return [p.detach() for module in modules for p in module.parameters() if p.ndim > 1]


def all_differ(tensors):
    return not any(torch.equal(a, b) for a, b in itertools.combinations(tensors, 2))


@pytest.mark.parametrize("seed", [0, 1, 42, 2**40])
def test_dummies_are_never_the_real_heads_nor_each_other(seed):
    """The real head is drawn right behind the user's seed, which is that of the dummies too."""
    heads = [small(seed) for _ in range(TASKS)]
    dummies = DummyGradientNorm(heads, [cross_entropy] * TASKS, num_dummies=3, seed=seed).dummies
    first, last = zip(*((weights(dummy)[0], weights(dummy)[1]) for dummy in dummies), strict=True)
    assert all_differ([weights(heads[0])[0], *first])
    assert all_differ([weights(heads[0])[1], *last])


def test_regularizers_of_other_heads_have_other_dummies_by_default_and_of_the_same_heads_the_same():
    heads = [small(seed) for seed in range(4)]
    made = [weights(DummyGradientNorm([head], [cross_entropy]).dummies)[0] for head in heads]
    assert all_differ([*made, *(weights(head)[0] for head in heads)])
    again = weights(DummyGradientNorm([small(2)], [cross_entropy]).dummies)[0]
    assert torch.equal(again, made[2])
    explicit = [weights(DummyGradientNorm([head], [cross_entropy], seed=3).dummies)[0] for head in heads[:2]]
    assert torch.equal(*explicit), "whoever gives a seed decides"


def test_drawing_reseeds_no_device(monkeypatch):
    """On CUDA ``torch.manual_seed`` and ``fork_rng`` reach every device; here either is a failure."""
    for module, name in ((torch, "manual_seed"), (torch.random, "manual_seed"), (torch.random, "fork_rng"),
                         (torch.cuda, "manual_seed"), (torch.cuda, "manual_seed_all"), (torch, "seed")):  # fmt: skip
        monkeypatch.setattr(module, name, lambda *_, name=name, **__: pytest.fail(f"{name} was called"))
    heads = make_heads(batch_norm=True)
    z, targets = torch.randn(7, 5, dtype=torch.float64), [torch.randint(3, (7,))] * TASKS
    state = torch.get_rng_state()
    regularizer = penalty_of(heads, resample=True)
    for _ in range(2):
        regularizer(z, targets)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_generator_is_restored_when_drawing_fails():
    class Broken(nn.Linear):
        def reset_parameters(self):
            torch.rand(1)
            if getattr(self, "broken", False):
                raise ValueError

    head = Broken(5, 3)
    head.broken = True
    state = torch.get_rng_state()
    with pytest.raises(ValueError):
        DummyGradientNorm([head], [cross_entropy])
    assert torch.equal(torch.get_rng_state(), state)


def test_resampling_draws_anew_and_continues_from_its_state(problem):
    encoder, heads, inputs, targets = problem
    z = encoder(inputs).detach()
    fixed = penalty_of(heads)
    assert fixed(z, targets) == fixed(z, targets)
    resampled = penalty_of(heads, resample=True)
    values = [resampled(z, targets).item() for _ in range(2)]
    state = copy.deepcopy(resampled.state_dict())
    values += [resampled(z, targets).item() for _ in range(2)]
    assert len(set(values)) == 4
    resumed = penalty_of(heads, resample=True)
    resumed.load_state_dict(state)
    assert [resumed(z, targets).item() for _ in range(2)] == values[2:]


class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor([2.0, 3.0, 4.0, 5.0, 6.0]))
        self.mix = nn.Parameter(torch.zeros(1, 3, 5))

    def forward(self, z):
        return (self.factor * z) @ self.mix[0].t()


def test_parameters_without_reset_are_drawn_by_their_shape_and_single_dimensions_keep_their_values():
    dummy = DummyGradientNorm([Scale()], [cross_entropy], seed=0).dummies[0]
    assert torch.equal(dummy.factor, Scale().factor)
    assert dummy.mix.abs().min() > 0
    assert dummy.mix.abs().max() <= 5**-0.5
    assert dummy.mix.abs().max() > 0.8 * 5**-0.5


def test_init_has_the_last_word():
    def init(module):
        if isinstance(module, Scale):
            nn.init.normal_(module.factor, std=1e-3)
        elif isinstance(module, nn.Linear):
            nn.init.constant_(module.bias, 7.0)

    head = nn.Sequential(nn.Linear(5, 5), Scale())
    torch.manual_seed(0)
    first = torch.rand(1)
    torch.manual_seed(0)
    dummy = DummyGradientNorm([head], [cross_entropy], init=init).dummies[0]
    assert torch.equal(torch.rand(1), first), "init draws from the dummies' own stream"
    assert 0 < dummy[1].factor.abs().max() < 0.1
    assert (dummy[0].bias == 7).all()
    assert dummy[0].weight.std() > 0.1


def test_there_is_one_loss_a_head():
    with pytest.raises(DGRError, match="one loss a head"):
        DummyGradientNorm([nn.Linear(5, 3)], [])
    with pytest.raises(DGRError, match="no shape yet; run the model once"):
        DummyGradientNorm([nn.LazyLinear(3)], [cross_entropy])
