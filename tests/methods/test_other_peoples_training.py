"""Methods in training loops as people write them: compiled modules, float16 with a GradScaler, a frozen encoder."""

from __future__ import annotations

import pytest
import torch
import torch._functorch.config
from method_support import options_for
from torch import Tensor, nn

from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.methods import METHODS, Step, build_method, forward
from dgr.models.model import MultiTaskModel
from dgr.regularizers.shared.norm_penalty import FeatureNormPenalty

TASKS = (Task("sort", "classification", 3), Task("size", "regression"))
METHOD_NAMES = [name for name in METHODS if not METHODS[name].separate_encoders]
COMPILES = pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # the compiler's own looks
WEIGHS_LOSSES = [name for name in METHOD_NAMES if METHODS[name].takes_scaler]


def make_model() -> MultiTaskModel:
    torch.manual_seed(0)
    heads = {task.name: nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, task.outputs)) for task in TASKS}
    return MultiTaskModel(nn.Sequential(nn.Linear(4, 6), nn.Tanh()), heads)


def make_step(model: MultiTaskModel, optimizer=None, scaler=None) -> Step:
    generator = torch.Generator().manual_seed(0)
    batch, held_out = (
        (
            torch.randn(8, 4, generator=generator),
            {"sort": torch.randint(3, (8,), generator=generator), "size": torch.randn(8, 1, generator=generator)},
        )
        for _ in range(2)
    )
    optimizer = optimizer or torch.optim.SGD(model.parameters(), 0.1)
    return forward(model, TASKS, FeatureNormPenalty(0.1), batch, held_out, optimizer, scaler)


def backward(name: str, step: Step) -> list[Tensor]:
    torch.manual_seed(1)
    build_method(name, len(TASKS), **options_for(name, "sort")).backward(step)
    return [parameter.grad for parameter in step.model.parameters()]


def compiled(model: MultiTaskModel) -> MultiTaskModel:
    torch._dynamo.reset()
    model.encoder = torch.compile(model.encoder, backend="aot_eager")
    for name, head in list(model.heads.items()):
        model.heads[name] = torch.compile(head, backend="aot_eager")
    return model


@COMPILES
@pytest.mark.parametrize("name", ["equal_weighting", "pcgrad", "nash_mtl", "auto_lambda", "single_gradient_step"])
def test_compiled_modules_give_the_same_gradients(name):
    expected = backward(name, make_step(make_model()))
    with torch._functorch.config.patch(donated_buffer=False):
        torch.testing.assert_close(backward(name, make_step(compiled(make_model()))), expected)


@COMPILES
def test_slgrad_refuses_compiled_modules():
    with pytest.raises(DGRError, match=r"takes the gradient of a gradient, which torch\.compile does not support"):
        backward("slgrad", make_step(compiled(make_model())))


@pytest.mark.parametrize("name", WEIGHS_LOSSES)
def test_a_scaled_float16_loss_trains_as_float32_does(name):
    expected = backward(name, make_step(make_model()))
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12)
    with torch.autocast("cpu", torch.float16):
        step = make_step(model, optimizer, scaler)
    scaled = backward(name, step)
    assert max(gradient.abs().max() for gradient in scaled) > 100, "the loss was not scaled"
    scaler.unscale_(optimizer)
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=0.02, atol=0.02)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    scaler.step(optimizer)
    assert not any(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("name", [name for name in METHOD_NAMES if name not in WEIGHS_LOSSES])
def test_a_scaler_where_gradients_are_compared_is_refused(name):
    message = f"Method '{name}' compares the tasks' gradients, which a GradScaler would scale; leave it out"
    with pytest.raises(DGRError, match=message):
        backward(name, make_step(make_model(), scaler=torch.amp.GradScaler("cpu")))
    backward(name, make_step(make_model(), scaler=torch.amp.GradScaler("cpu", enabled=False)))


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_a_frozen_encoder_leaves_the_heads_to_train_or_is_refused(name):
    model = make_model()
    model.encoder.requires_grad_(False)
    step = make_step(model)
    if name in (*WEIGHS_LOSSES, "auto_lambda"):
        backward(name, step)
        assert all(parameter.grad.any() for parameter in model.heads.parameters())
        assert all(parameter.grad is None for parameter in model.encoder.parameters())
    else:
        with pytest.raises(DGRError, match=f"Method '{name}' works on the gradients of the shared parameters, but all"):
            backward(name, step)


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_gradients_accumulate(name):
    """Two steps without ``zero_grad`` between leave the sum of what each leaves alone."""

    def gradients(*, added_up: bool) -> list[Tensor]:
        torch.manual_seed(1)
        model, method = make_model(), build_method(name, len(TASKS), **options_for(name, "sort"))
        parameters = [*model.parameters(), *method.parameters()]
        total = [torch.zeros_like(parameter) for parameter in parameters]
        for _ in range(2):
            method.backward(make_step(model))
            if not added_up:
                total = [sum_ + parameter.grad for sum_, parameter in zip(total, parameters, strict=True)]
                for parameter in parameters:
                    parameter.grad = None
        return [parameter.grad for parameter in parameters] if added_up else total

    torch.testing.assert_close(gradients(added_up=True), gradients(added_up=False))
