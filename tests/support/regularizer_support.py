"""A small smooth problem that the tests of the penalty share."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from dgr import DummyGradientNorm

TASKS = 2
ESTIMATORS = ["exact", "finite_difference"]


def make_heads(activation=nn.GELU, batch_norm=False):
    def head():
        middle = [nn.BatchNorm1d(6)] if batch_norm else []
        return nn.Sequential(nn.Linear(5, 6), *middle, activation(), nn.Linear(6, 3)).double()

    return [head() for _ in range(TASKS)]


def make_problem():
    """A smooth encoder, GELU heads, a batch; all float64."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(4, 5), nn.Tanh()).double()
    inputs = torch.randn(7, 4, dtype=torch.float64)
    targets = [torch.randint(3, (7,)) for _ in range(TASKS)]
    return encoder, make_heads(), inputs, targets


def penalty_of(heads, **options):
    return DummyGradientNorm(heads, [cross_entropy] * TASKS, **options)
