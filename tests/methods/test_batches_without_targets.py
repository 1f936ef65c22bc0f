"""Every method on batches in which tasks lack targets: it trains on what is there, or says why it cannot."""

import math

import pytest
import torch
from method_support import options_for
from torch import nn

from dgr.core.errors import DGRError
from dgr.core.task import VOID, Task
from dgr.methods import METHODS, build_method
from dgr.methods.shared.base import forward
from dgr.models.model import MultiTaskModel

TASKS = (Task("sort", "classification", 3, partial=True), Task("size", "regression", partial=True))
SAMPLES, STEPS = 8, 6
NEEDS_EVERY_TARGET = {"svd_reweighting"}
METHOD_NAMES = [name for name in METHODS if not METHODS[name].separate_encoders]


def batches(missing):
    """The first samples lack the task's target: as many as ``missing`` says of each."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        sort = torch.randint(3, (SAMPLES,), generator=generator)
        size = torch.randn(SAMPLES, 1, generator=generator)
        sort[: missing[0]], size[: missing[1]] = VOID, math.nan
        yield torch.randn(SAMPLES, 4, generator=generator), {"sort": sort, "size": size}


def train(name, missing):
    """The trained parameters, and whether each step's gradients were finite."""
    torch.manual_seed(0)
    heads = {task.name: nn.Linear(6, task.outputs) for task in TASKS}
    model = MultiTaskModel(nn.Sequential(nn.Linear(4, 6), nn.Tanh()), heads)
    method = build_method(name, len(TASKS), **options_for(name, "sort"))
    optimizer = torch.optim.Adam([*model.parameters(), *method.parameters()], 1e-2)
    method.begin(TASKS, batches(missing))
    finite = True
    for batch, held_out in zip(batches(missing), batches((1, 1)), strict=True):
        optimizer.zero_grad()
        method.backward(forward(model, TASKS, None, batch, held_out if method.needs_held_out else None, optimizer))
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        finite &= bool(gradients) and all(gradient.isfinite().all() for gradient in gradients)
        optimizer.step()
        method.end_epoch()
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach(), finite


@pytest.mark.parametrize("name", METHOD_NAMES)
@pytest.mark.parametrize("missing", [(3, 2), (SAMPLES, 2), (0, SAMPLES)])
def test_missing_targets_do_not_spoil_the_gradients(name, missing):
    if name in NEEDS_EVERY_TARGET:
        with pytest.raises(DGRError, match="needs every target, but task 's"):
            train(name, missing)
    else:
        parameters, finite = train(name, missing)
        assert finite
        assert parameters.isfinite().all()


def test_a_missing_target_does_not_count_whatever_stands_in_the_input():
    def gradient(inputs):
        heads = {task.name: nn.Linear(6, task.outputs) for task in TASKS}
        torch.manual_seed(0)
        model = MultiTaskModel(nn.Linear(4, 6), heads)
        for parameter in model.parameters():
            nn.init.normal_(parameter)
        targets = {"sort": torch.tensor([VOID, 1, 2]), "size": torch.tensor([[math.nan], [0.5], [1.0]])}
        step = forward(model, TASKS, None, (inputs, targets), None, torch.optim.SGD(model.parameters(), 0.1))
        build_method("equal_weighting", 2).backward(step)
        return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])

    inputs = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    other = inputs.clone()
    other[0] = 100.0
    torch.testing.assert_close(gradient(inputs), gradient(other), rtol=0, atol=0)
