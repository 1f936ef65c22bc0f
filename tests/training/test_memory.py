"""The memory that a training is said to need, held against what torch counts on a CPU and against other sizes."""

import pytest
import torch

from dgr.core.gpu_claims import CONTEXT
from dgr.core.task import Task
from dgr.datasets.prepared import PreparedData, Split
from dgr.measurements.timing import peak_bytes
from dgr.models.model import build_model
from dgr.training import memory
from dgr.training.configuration import RunConfig
from dgr.training.memory import kept_bytes, meta_batch, meta_model, needed_bytes

CPU = torch.device("cpu")
FACES = (Task("age", "classification", 9), Task("gender", "classification", 2))
SCENES = (Task("parts", "segmentation", 7), Task("depth", "depth"))
RESNET = {"name": "resnet18", "pretrained": False, "hidden": 16}
SPLIT = {"name": "split", "backbone": "resnet18", "head_channels": 16, "rates": [1, 2]}


def run(architecture, method="equal_weighting", regularizer=None, batch_size=8, **training):
    training = {"epochs": 1, "batch_size": batch_size, "learning_rate": 0.1} | training
    return RunConfig(
        suite="toy",
        dataset="toy",
        architecture=architecture,
        method={"name": method},
        regularizer=regularizer or {"name": "none"},
        seeds=[0],
        training=training,
    )


def data(tasks, side=64, samples=8):
    images = torch.zeros(samples, 3, side, side, dtype=torch.uint8)
    targets = meta_batch(tasks, (3, side, side), samples)[1]
    split = Split(images, {name: torch.zeros(target.shape, dtype=target.dtype) for name, target in targets.items()})
    return PreparedData(tasks, dict.fromkeys(("train", "val", "test"), split))


@pytest.mark.parametrize(("architecture", "tasks"), [(RESNET, FACES), (SPLIT, SCENES)])
def test_what_is_kept_is_what_a_forward_pass_on_a_cpu_keeps(architecture, tasks):
    config = run(architecture)
    shape = (3, 64, 64)
    said = sum(kept_bytes(meta_model(config, tasks, shape), tasks, meta_batch(tasks, shape, 32))[:2])
    model = build_model(config.architecture, tasks, shape, False, seed=0).train()
    inputs, targets = torch.rand(32, *shape), data(tasks, samples=32).splits["train"].targets
    alive = []

    def forward():
        z = model.encoder(inputs)
        alive.extend(task.loss(model.heads[task.name](z), targets[task.name]) for task in tasks)

    assert peak_bytes(forward, CPU) <= memory.SPARE * said
    assert said <= 1.3 * peak_bytes(forward, CPU)


def test_the_need_grows_with_what_takes_memory():
    plain = needed_bytes(run(RESNET), data(FACES))
    assert plain > CONTEXT
    larger = [
        needed_bytes(run(RESNET, batch_size=2048), data(FACES)),
        needed_bytes(run(RESNET, "single_task"), data(FACES)),
        needed_bytes(run(RESNET | {"name": "resnet50"}), data(FACES)),
        needed_bytes(run(RESNET), data(FACES, samples=80)),
    ]
    assert all(each > plain for each in larger)
    dense = [
        needed_bytes(run(SPLIT, regularizer=regularizer, batch_size=4096), data(SCENES))
        for regularizer in (
            None,
            {"name": "dgr", "strength": "tuned"},
            {"name": "dgr", "strength": 1, "num_dummies": 4},
        )
    ]
    assert dense[0] < dense[1] == dense[2]  # one head is computed at a time


def test_what_is_cut_out_is_what_counts():
    whole = needed_bytes(run(SPLIT, batch_size=4096), data(SCENES))
    assert needed_bytes(run(SPLIT, batch_size=4096, augmentation={"crop": [32, 32]}), data(SCENES)) < whole


def test_weights_that_would_be_fetched_are_not_looked_for():
    assert needed_bytes(run(RESNET | {"pretrained": True}), data(FACES)) == needed_bytes(run(RESNET), data(FACES))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_step_on_a_gpu_needs_no_more_than_was_said():
    from dgr.measurements.cost_steps import Stepper
    from dgr.measurements.step_times import made_up_batch
    from dgr.training.build import build_parts

    config, device = run(RESNET, regularizer={"name": "dgr", "strength": 1.0}, batch_size=256), torch.device("cuda")
    parts = build_parts(config, FACES, (3, 64, 64), seed=0).to(device)
    batch = made_up_batch(FACES, (3, 64, 64), 256, device)
    step = Stepper(parts, FACES, iter(lambda: batch, None))
    step()
    assert step.resting_bytes() + peak_bytes(step, device) <= needed_bytes(config, data(FACES)) - CONTEXT


def test_a_batch_of_one_has_an_estimate():
    assert needed_bytes(run(SPLIT, batch_size=1), data(SCENES)) <= needed_bytes(run(SPLIT, batch_size=2), data(SCENES))
