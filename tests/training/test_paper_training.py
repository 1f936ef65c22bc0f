"""Two steps of every paper model with every method, without and with DGR, on small inputs."""

import json
from pathlib import Path

import pytest
import torch
import yaml

from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.paths import SUITES
from dgr.core.torchvision_import import load_torchvision
from dgr.datasets.prepared import Split
from dgr.datasets.registry import parse_dataset
from dgr.measurements.step_times import made_up_batch
from dgr.methods.shared.base import forward
from dgr.models.shared.resnet import RESNET_WIDTHS
from dgr.training.build import build_parts
from dgr.training.configuration import RunConfig
from dgr.training.epoch import Epoch

ROOT = Path(__file__).parents[2]
DATASETS = yaml.safe_load((ROOT / "paper_configs/datasets.yaml").read_text(encoding="utf-8"))
PLAN = json.loads((ROOT / SUITES / "paper/plan.json").read_text())
RUNS = {
    (run["dataset"], run["architecture"]["name"], run["method"]["name"]): run
    for run in PLAN["runs"].values()
    if run["regularizer"]["name"] == "none"
}
METHODS = list(dict.fromkeys(key[2] for key in RUNS))
MODELS = sorted({key[:2] for key in RUNS})
SIZE = (3, 24, 32)
BATCH = 3


@pytest.fixture
def narrow(monkeypatch):
    """ResNet-18 has a quarter of its channels in each stage: its parts are tried, not eleven million weights."""
    models = load_torchvision().models
    resnet = models.resnet

    class Narrow(resnet.ResNet):
        def _make_layer(self, block, planes, *arguments, **options):
            return super()._make_layer(block, planes // 4, *arguments, **options)

    def build():
        network = Narrow(resnet.BasicBlock, [2, 2, 2, 2])
        network.fc = torch.nn.Linear(128, 1)
        return network

    monkeypatch.setattr(models, "resnet18", build)
    monkeypatch.setitem(RESNET_WIDTHS, 18, 128)


def small(dataset, architecture, method, regularizer="none", **training):
    """A run of the paper suite with the same parts, but ResNet-18 and narrow heads."""
    run = json.loads(json.dumps(RUNS[dataset, architecture, method]))
    if "backbone" in run["architecture"]:
        run["architecture"] |= {"backbone": "resnet18", "head_channels": 16, "rates": [1, 2, 3]}
    else:
        run["architecture"] |= {"name": "resnet18", "pretrained": False}
    run["regularizer"] = {"name": "dgr", "strength": 1e-3} if regularizer == "dgr" else {"name": "none"}
    run["training"] |= training
    return RunConfig(**run)


class Training:
    def __init__(self, config, device="cpu"):
        device = torch.device(device)
        self.tasks = parse_dataset(DATASETS[config.dataset], config.dataset).tasks
        self.parts = build_parts(config, self.tasks, SIZE, seed=0).to(device)
        self.model = self.parts.model
        self.batch = made_up_batch(self.tasks, SIZE, BATCH, device)

    def step(self):
        parts = self.parts
        parts.optimizer.zero_grad()
        held_out = self.batch if parts.method.needs_held_out else None
        step = forward(parts.model, self.tasks, parts.regularizer, self.batch, held_out, parts.optimizer)
        weights = parts.method.backward(step)
        parts.optimizer.step()
        return step, weights


def test_the_paper_suite_has_every_model_and_method():
    assert MODELS == [
        ("cityscapes", "mtan"), ("cityscapes", "split"), ("nyuv2", "mtan"), ("nyuv2", "split"), ("utkface", "resnet50"),
    ]  # fmt: skip
    assert all((*model, method) in RUNS for model in MODELS for method in METHODS)
    assert len(METHODS) == 10
    crossed = {run["method"]["name"] for run in PLAN["tuned_runs"].values() if run["regularizer"]["name"] == "dgr"}
    assert crossed == set(METHODS) - {"single_task"}
    assert all(len(run["seeds"]) >= 3 for run in (PLAN["runs"] | PLAN["tuned_runs"]).values())


@pytest.mark.parametrize("regularizer", ["none", "dgr"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dataset", "architecture"), [m for m in MODELS if m[0] != "cityscapes"])
def test_two_steps(narrow, dataset, architecture, method, regularizer):
    if (method, regularizer) == ("single_task", "dgr"):
        pytest.skip("single-task learning has no shared representation to regularize")
    training = Training(small(dataset, architecture, method, regularizer))
    start = {name: value.clone() for name, value in training.model.named_parameters()}
    for _ in range(2):
        step, weights = training.step()
        assert all(loss.shape == () and loss.isfinite() for loss in step.losses)
        assert weights.shape == (len(training.tasks),)
        assert (step.penalty is not None) == (regularizer == "dgr")
    moved = {name for name, value in training.model.named_parameters() if not torch.equal(value, start[name])}
    assert all(value.isfinite().all() for value in training.model.parameters())
    # A convolution before batch normalisation, or a unit that is off in every sample, may stand still; a part may not.
    for part in ("encoder", *(f"heads.{task.name}" for task in training.tasks)):
        assert any(name.startswith(part) for name in moved), f"{part} was not trained"
    predictions = training.model(training.batch[0])
    for task in training.tasks:
        assert predictions[task.name].shape[:2] == (BATCH, task.outputs)
    groups = [training.model.shared_parameters(), *(training.model.head_parameters(t.name) for t in training.tasks)]
    members = [id(parameter) for group in groups for parameter in group]
    assert len(members) == len(set(members))
    assert set(members) == {id(parameter) for parameter in training.model.parameters()}


@pytest.mark.parametrize("method", ["single_task", "equal_weighting", "pcgrad"])
@pytest.mark.parametrize(("dataset", "architecture"), MODELS)
def test_a_few_steps_reduce_the_loss(narrow, dataset, architecture, method):
    training = Training(small(dataset, architecture, method, optimizer="adam", learning_rate=1e-3, momentum=0.0))
    losses = [sum(training.step()[0].losses).item() for _ in range(6)]
    assert losses[-1] < losses[0]


def test_the_models_at_full_depth_take_a_step():
    for dataset, architecture in [m for m in MODELS if m[0] != "cityscapes"]:
        run = RUNS[dataset, architecture, "equal_weighting"] | {"regularizer": {"name": "dgr", "strength": 1e-3}}
        run = run | {"architecture": run["architecture"] | ({"pretrained": False} if dataset == "utkface" else {})}
        step, _ = Training(RunConfig(**run)).step()
        assert all(loss.isfinite() for loss in step.losses)
        assert step.penalty.isfinite()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("dataset", "architecture"), MODELS)
def test_steps_on_a_gpu_are_deterministic(dataset, architecture):
    def weights():
        run = small(dataset, architecture, "equal_weighting", "dgr", learning_rate=1e-3)
        training = Training(run, choose_device("cuda"))
        for _ in range(2):
            training.step()
        return torch.cat([value.detach().flatten() for value in training.model.parameters()])

    first, second = weights(), weights()
    assert first.isfinite().all()
    assert torch.equal(first, second)


def test_a_batch_of_one_is_refused_where_heads_normalise_over_it(narrow):
    config = small("nyuv2", "split", "equal_weighting", batch_size=1, augmentation=None)
    training = Training(config)
    inputs, targets = training.batch
    epoch = Epoch(config, 0, training.parts, training.tasks, Split(inputs, targets), 0)
    with pytest.raises(DGRError, match="no statistics of a batch of 1; give 'batch_size' a larger value"):
        epoch.train()
