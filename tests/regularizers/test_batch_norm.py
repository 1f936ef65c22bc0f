"""The dummies' batch normalisation against torch's own, whose second derivatives take many operations."""

import copy

import pytest
import torch
from counting_support import counted
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from dgr.regularizers.shared.batch_norm import BatchStatistics

SHAPES = {nn.BatchNorm1d: (6, 3), nn.BatchNorm2d: (2, 3, 3, 2), nn.BatchNorm3d: (2, 3, 2, 2, 1)}


def layers(kind, affine=True):
    torch.manual_seed(0)
    torchs = kind(3, affine=affine, track_running_stats=False).double()
    if affine:
        nn.init.normal_(torchs.weight)
        nn.init.normal_(torchs.bias)
    ours = copy.deepcopy(torchs)
    ours.__class__ = BatchStatistics
    return ours, torchs


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("kind", SHAPES)
def test_values_and_derivatives_are_those_of_torch(kind, affine):
    results = []
    for layer in layers(kind, affine):
        random = torch.Generator().manual_seed(1)
        x = torch.randn(SHAPES[kind], dtype=torch.float64, generator=random, requires_grad=True)
        loss = (layer(x).sin() * x.detach().cos()).sum()
        first = torch.autograd.grad(loss, [x, *layer.parameters()], create_graph=True)
        parts = [first, first[:1], first[1:]] if affine else [first]
        sums = [sum((each * each.detach().exp()).sum() for each in part) for part in parts]
        results.append((layer(x), *first, *(torch.autograd.grad(each, x, retain_graph=True)[0] for each in sums)))
    torch.testing.assert_close(*results)


def test_against_differences():
    ours = layers(nn.BatchNorm2d)[0].requires_grad_(False)
    x = torch.randn(SHAPES[nn.BatchNorm2d], dtype=torch.float64, requires_grad=True)
    assert gradcheck(ours, x)
    assert gradgradcheck(ours, x)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        ours(torch.randn(1, 3, 1, 1, dtype=torch.float64))


def test_half_the_operations():
    operations = []
    for layer in layers(nn.BatchNorm2d):
        x = torch.randn(SHAPES[nn.BatchNorm2d], dtype=torch.float64, requires_grad=True)

        def twice(layer=layer, x=x):
            first = torch.autograd.grad(layer(x).square().sum(), list(layer.parameters()), create_graph=True)
            torch.autograd.grad(sum(each.square().sum() for each in first), x)

        operations.append(counted(twice).operations)
    assert operations[0] < 0.6 * operations[1]
