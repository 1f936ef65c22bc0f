from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from dgr.core.errors import DGRError
from dgr.models.alignment import AlignedEncoder, aligned
from dgr.models.model import MultiTaskModel

WIDTH = 6


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = nn.Sequential(nn.Linear(WIDTH, 4), nn.ReLU(), nn.BatchNorm1d(4))
        return MultiTaskModel(encoder, {"a": nn.Linear(4, 3), "b": nn.Linear(4, 2)})


@pytest.fixture
def inputs():
    return torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_from_identity_it_predicts_exactly_as_before(model, inputs, dtype):
    model, inputs = model.to(dtype).eval(), inputs.to(dtype)
    before = model(inputs)
    after = aligned(copy.deepcopy(model), WIDTH).eval()(inputs)
    assert before.keys() == after.keys()
    for name in before:
        assert torch.equal(before[name], after[name])


def test_looking_at_the_encoder_does_not_change_it(model):
    state = copy.deepcopy(model.state_dict())
    aligned(model, WIDTH)
    assert model.encoder.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name])


def test_each_task_passes_through_its_own_matrix(model, inputs):
    model.eval()
    both = aligned(model, WIDTH).eval()
    turn = torch.randn(WIDTH, WIDTH, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        both.encoder.alignments[1] = turn
    found = both(inputs)
    assert torch.equal(found["a"], model(inputs)["a"])
    torch.testing.assert_close(found["b"], model(inputs @ turn)["b"])
    assert both.encoder(inputs).shape == (5, 8)


def test_the_encoder_is_frozen_and_the_rest_learns(model, inputs):
    both = aligned(model, WIDTH)
    before = copy.deepcopy(both)
    optimizer = torch.optim.SGD([p for p in both.parameters() if p.requires_grad], 0.1)
    sum(prediction.square().sum() for prediction in both(inputs).values()).backward()
    optimizer.step()
    for p, old in zip(both.encoder.encoder.parameters(), before.encoder.encoder.parameters(), strict=True):
        assert not p.requires_grad
        assert torch.equal(p, old)
    assert not torch.equal(both.encoder.alignments, before.encoder.alignments)
    for name in ("a", "b"):
        assert not torch.equal(both.heads[name].head.weight, before.heads[name].head.weight)


@pytest.mark.parametrize("shape", [(5, 1, 2, 3), (5, 7), (WIDTH,)])
def test_images_and_other_widths_are_refused(model, shape):
    with pytest.raises(DGRError, match=r"needs one vector of 6 numbers a sample, but got .*; flatten it"):
        AlignedEncoder(model.encoder, 2, WIDTH)(torch.zeros(shape))


def test_an_encoder_of_images_is_refused():
    of_images = MultiTaskModel(nn.Conv2d(1, 2, 3), {"a": nn.Linear(2, 2)})
    with pytest.raises(DGRError, match="one vector of 6 numbers a sample, but this one refuses it"):
        aligned(of_images, WIDTH)
    giving_images = MultiTaskModel(nn.Sequential(nn.Linear(6, 6), nn.Unflatten(1, (1, 2, 3))), {"a": nn.Linear(2, 2)})
    with pytest.raises(DGRError, match=r"gives one vector a sample, but this one gives \(1, 2, 3\)"):
        aligned(giving_images, WIDTH)
