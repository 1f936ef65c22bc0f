"""Every method with every regularizer in every memory layout, optimizer and precision that a GPU would bring."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from method_support import options_for
from torch import Tensor, nn

from dgr.config.regularizers import Regularizer
from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.methods import METHODS, Batch, Method, build_method, forward
from dgr.models.model import MultiTaskModel
from dgr.regularizers.registry import REGULARIZERS

TASKS = (Task("parts", "segmentation", 3), Task("depth", "depth"))
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "plain": lambda parameters: torch.optim.SGD(parameters, 0.1),
    "fused": lambda parameters: torch.optim.SGD(parameters, 0.1, fused=True),
}
PRECISIONS = {
    "float64": (torch.float64, False, 1e-9),
    "float32": (torch.float32, False, 2e-4),
    "bfloat16_autocast": (torch.float32, True, 0.15),
}


def make_model(layout: torch.memory_format, dtype: torch.dtype) -> MultiTaskModel:
    torch.manual_seed(0)
    heads = {task.name: nn.Sequential(nn.Conv2d(2, 3, 2), nn.Tanh(), nn.Conv2d(3, task.outputs, 1)) for task in TASKS}
    model = MultiTaskModel(nn.Sequential(nn.Conv2d(2, 2, 3), nn.Tanh(), nn.Conv2d(2, 2, 2)), heads)
    return model.to(dtype).to(memory_format=layout)


def make_batch(seed: int, layout: torch.memory_format, dtype: torch.dtype) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(4, 2, 6, 6, generator=generator, dtype=torch.float64).to(dtype, memory_format=layout)
    parts = torch.randint(3, (4, 6, 6), generator=generator)
    depth = torch.rand(4, 1, 6, 6, generator=generator, dtype=torch.float64).to(dtype)
    return inputs, {"parts": parts, "depth": depth}


def make_regularizer(name: str) -> Regularizer:
    config = REGULARIZERS[name].Config
    return config(name=name, **({"strength": 0.3} if "strength" in config.model_fields else {}))


def make_step(
    method: Method, regularizer: Regularizer, layout: str, optimizer: str, precision: str
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gradients, and parameters after two steps, by name."""
    dtype, autocast, _ = PRECISIONS[precision]
    model = make_model(LAYOUTS[layout], dtype)
    penalty = regularizer.penalty(list(model.heads.values()), [task.criterion for task in TASKS], 5)
    if penalty is not None:
        penalty.to(dtype)
    model.encoder = regularizer.encoder(model.encoder)
    trained = OPTIMIZERS[optimizer]([*model.parameters(), *method.parameters()])
    torch.manual_seed(1)
    for seed in (1, 3):
        trained.zero_grad()
        batch, held_out = (make_batch(seed + k, LAYOUTS[layout], dtype) for k in (0, 1))
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            step = forward(model, TASKS, penalty, batch, held_out, trained)
        assert method.backward(step).isfinite().all()
        gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
        for name, parameter in model.named_parameters():
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.stride() == parameter.stride(), f"{name} lies otherwise than its gradient"
            assert parameter.grad.dtype == dtype
        trained.step()
    return gradients, {name: p.detach().clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", METHODS)
def test_layout_and_optimizer_change_nothing(name, precision):
    if METHODS[name].separate_encoders:
        pytest.skip("takes another model")
    dtype, _, tolerance = PRECISIONS[precision]
    for regularizer in REGULARIZERS:
        found = {}
        for layout, optimizer in itertools.product(LAYOUTS, OPTIMIZERS):
            method = build_method(name, len(TASKS), **options_for(name, "parts")).to(dtype)
            case = make_step(method, make_regularizer(regularizer), layout, optimizer, precision)
            # Dropout draws its mask along the memory, and is another one in another layout.
            expected = found.setdefault(layout if regularizer == "dropout" else "every layout", case)
            # A finite difference over ε = 1e-4 in float32 keeps about two digits, and rounds otherwise in each layout.
            far = 100 if regularizer == "dgr_released" and precision == "float32" else 1
            for values, others in zip(case, expected, strict=True):
                assert values.keys() == others.keys()
                ours, theirs = (torch.cat([each[key].flatten() for key in values]) for each in (values, others))
                torch.testing.assert_close(
                    ours,
                    theirs,
                    rtol=far * tolerance,
                    atol=far * tolerance * theirs.abs().max().item(),
                    msg=lambda text, at=(regularizer, layout, optimizer): f"{at}: {text}",
                )


@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # the compiler's own looks
def test_memory_that_the_compiler_frees_too_early_is_said():
    """It may reuse what lies between two convolutions in the first walk back; Auto-Lambda takes another."""
    model = make_model(torch.contiguous_format, torch.float32)
    torch._dynamo.reset()
    model.encoder = torch.compile(model.encoder, backend="aot_eager")
    for name, head in list(model.heads.items()):
        model.heads[name] = torch.compile(head, backend="aot_eager")
    batch, held_out = (make_batch(seed, torch.contiguous_format, torch.float32) for seed in (0, 1))
    step = forward(model, TASKS, None, batch, held_out, torch.optim.SGD(model.parameters(), 0.1))
    with pytest.raises(DGRError, match=r"set torch\._functorch\.config\.donated_buffer = False before the first step"):
        build_method("auto_lambda", len(TASKS)).backward(step)
