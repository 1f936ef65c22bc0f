"""A task without any target in a batch, given as None, left out, or void: no gradient of its own, nothing spoilt."""

from __future__ import annotations

import math

import pytest
import torch
from method_support import options_for
from torch import nn

from dgr.core.errors import DGRError
from dgr.core.task import VOID, Task
from dgr.methods import METHODS, Step, build_method, forward
from dgr.models.model import MultiTaskModel
from dgr.regularizers.shared.norm_penalty import FeatureNormPenalty

TASKS = (Task("sort", "classification", 3, partial=True), Task("size", "regression", partial=True))
SIZE_PRESENT = torch.linspace(-1, 1, 8).double()[:, None]
NONE_GIVEN = {"none": {"size": None}, "left_out": {}, "void": {"size": torch.full_like(SIZE_PRESENT, math.nan)}}
METHOD_NAMES = [name for name in METHODS if not METHODS[name].separate_encoders]


def make_step(seed=0, sizes=None, tasks=TASKS, penalty=None) -> Step:
    """On a model that is always the same; ``sizes``: the targets of the task "size", its own by default."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
    heads = {task.name: nn.Linear(6, task.outputs) for task in TASKS}
    model = MultiTaskModel(encoder, {task.name: heads[task.name] for task in tasks}).double()
    generator = torch.Generator().manual_seed(seed)
    batch, held_out = (
        (
            torch.randn(8, 4, generator=generator).double(),
            {"sort": torch.randint(3, (8,), generator=generator), **({"size": SIZE_PRESENT} if own is None else own)},
        )
        for own in (sizes, None)
    )
    return forward(model, tasks, penalty, batch, held_out, torch.optim.SGD(model.parameters(), 0.1))


def gradients(step: Step) -> dict[str, torch.Tensor]:
    return {name: parameter.grad for name, parameter in step.model.named_parameters()}


def made(name, tasks=TASKS):
    torch.manual_seed(3)
    return build_method(name, len(tasks), **options_for(name, "sort")).double()


@pytest.mark.parametrize("sizes", NONE_GIVEN.values(), ids=NONE_GIVEN)
@pytest.mark.parametrize("task", [TASKS[1], Task("depth", "depth"), Task("parts", "segmentation", 2)])
def test_the_loss_is_zero_with_zero_gradient(task, sizes):
    prediction = torch.randn(2, task.outputs, *([] if task.kind == "regression" else [3, 3])).requires_grad_()
    void = {"regression": math.nan, "depth": 0.0, "segmentation": VOID}[task.kind]
    target = torch.full(prediction.shape, void) if task.kind != "segmentation" else torch.full((2, 3, 3), int(void))
    target = target if "size" in sizes and sizes["size"] is not None else None
    loss = task.loss(prediction, target)
    loss.backward()
    assert loss.item() == 0
    assert not prediction.grad.any()
    assert not task.has_targets(target)


@pytest.mark.parametrize("sizes", NONE_GIVEN.values(), ids=NONE_GIVEN)
@pytest.mark.parametrize("name", METHOD_NAMES)
def test_the_others_are_trained_and_it_is_not(name, sizes):
    step = make_step(sizes=sizes, penalty=FeatureNormPenalty(0.1))
    weights = made(name).backward(step)
    found = gradients(step)
    assert weights.isfinite().all()
    assert not found.pop("heads.size.weight").any()
    assert not found.pop("heads.size.bias").any()
    for key, gradient in found.items():
        assert gradient.isfinite().all(), key
        assert gradient.any(), key


@pytest.mark.parametrize(
    "name", ["equal_weighting", "graddrop", "pcgrad", "cagrad", "nash_mtl", "single_gradient_step"]
)
def test_the_step_is_that_of_the_other_tasks_alone(name):
    both, alone = make_step(sizes={}), make_step(tasks=TASKS[:1])
    made(name).backward(both)
    made(name, TASKS[:1]).backward(alone)
    for key, gradient in gradients(alone).items():
        torch.testing.assert_close(gradients(both)[key], gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["uncertainty_weighting", "imtl"])
def test_a_learned_scale_stays_where_its_task_has_no_target(name):
    method = made(name)
    method.backward(make_step(sizes={}))
    (parameter,) = method.parameters()
    assert parameter.grad[0] != 0
    assert parameter.grad[1] == 0


def test_dwa_averages_over_the_batches_that_have_a_target():
    every, gaps = made("dwa"), made("dwa")
    for epoch in range(3):
        for batch in range(2):
            weights = every.backward(make_step(2 * epoch + batch))
            with_gaps = gaps.backward(make_step(2 * epoch + batch))
        # Batches more, in which "size" has no target, and one of them has the other's of the first batch again.
        gaps.backward(make_step(2 * epoch, sizes={}))
        gaps.backward(make_step(2 * epoch + 1, sizes={}))
        every.end_epoch()
        gaps.end_epoch()
    assert weights[0] != weights[1]
    torch.testing.assert_close(with_gaps, weights)
    before = {key: value.clone() for key, value in gaps.state_dict().items()}
    gaps.backward(make_step(9, sizes={}))
    gaps.end_epoch()
    for key in ("older", "newer"):
        assert gaps.state_dict()[key][1] == before[key][1], "an epoch without targets says nothing of the task"


def test_gradnorm_starts_from_the_first_batch_that_has_a_target():
    method = made("gradnorm")
    method.backward(make_step(0, sizes={}))
    assert method.first_losses[1] == 0
    first = make_step(1)
    weights = method.backward(first)
    assert method.first_losses[1] == first.losses[1]
    assert weights.min() > 0


def test_svd_reweighting_is_found_from_all_targets_or_refused():
    tasks = (Task("sort", "classification", 3), Task("size", "regression"))
    inputs, targets = make_step(tasks=tasks).batch
    with pytest.raises(DGRError, match="needs every target, but task 'size' lacks some"):
        build_method("svd_reweighting", 2).begin(tasks, [(inputs, {"sort": targets["sort"]})])
