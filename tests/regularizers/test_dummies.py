"""Dummy heads: drawn from a stream of their own, deterministic, without side effects."""

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


def test_a_head_that_cannot_be_drawn_anew_is_refused():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(torch.ones(5))

        def forward(self, z):
            return self.factor * z

    with pytest.raises(DGRError, match=r"Module '1' .* no reset_parameters"):
        DummyGradientNorm([nn.Sequential(nn.Linear(5, 5), Scale())], [cross_entropy])
    with pytest.raises(DGRError, match="one loss a head"):
        DummyGradientNorm([nn.Linear(5, 3)], [])
