"""A split is evaluated in batches of any size with one result, and a GPU is waited for at the end alone."""

import math

import pytest
import torch
from counting_support import Dispatched
from torch import nn

from dgr.core.task import Task
from dgr.datasets.prepared import Split
from dgr.models.model import MultiTaskModel
from dgr.training import evaluation
from dgr.training.evaluation import evaluate

DENSE = (Task("parts", "segmentation", 3), Task("depth", "depth"), Task("normals", "normals"))
VECTORS = (Task("sort", "classification", 3), Task("size", "regression", partial=True))


def dense(samples=7, device="cpu"):
    """A model of pixels, and targets of which each sample has another share."""
    torch.manual_seed(0)
    size = (samples, 1, 4, 6)
    known = torch.rand(size) < torch.linspace(0.05, 0.95, samples).view(-1, 1, 1, 1)
    known[0] = False
    targets = {
        "parts": torch.where(known[:, 0], torch.randint(3, (samples, 4, 6)), -1),
        "depth": (torch.rand(size) + 0.5) * known,
        "normals": nn.functional.normalize(torch.randn(samples, 3, 4, 6), dim=1) * known,
    }
    heads = {task.name: nn.Conv2d(4, task.outputs, 1) for task in DENSE}
    return MultiTaskModel(nn.Conv2d(3, 4, 3, padding=1), heads), DENSE, Split(torch.rand(samples, 3, 4, 6), targets)


def vectors(samples=7):
    torch.manual_seed(0)
    targets = {"sort": torch.randint(3, (samples,)), "size": torch.randn(samples, 1)}
    targets["size"][::3] = math.nan
    heads = {task.name: nn.Linear(4, task.outputs) for task in VECTORS}
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(3 * 24, 4), nn.BatchNorm1d(4))
    return MultiTaskModel(encoder, heads), VECTORS, Split(torch.rand(samples, 3, 4, 6), targets)


def in_batches_of(size, monkeypatch):
    monkeypatch.setattr(evaluation, "AT_ONCE", {"cpu": (size, 10**9), "cuda": (size, 10**9)})


@pytest.mark.parametrize("problem", [dense, vectors])
def test_losses_and_metrics_are_the_same_in_batches_of_any_size(problem, monkeypatch):
    found = []
    for size in (7, 3, 1):
        in_batches_of(size, monkeypatch)
        found.append(evaluate(*problem()))
    whole, *others = (
        {(task, name): value for task, values in each.scores.items() for name, value in values.items()}
        for each in found
    )
    assert all(math.isfinite(value) for value in whole.values())
    for other in others:
        assert other == pytest.approx(whole, rel=1e-5)
    assert found[1].mean_norm == pytest.approx(found[0].mean_norm, rel=1e-5)
    if problem is vectors:
        torch.testing.assert_close(found[2].representation, found[0].representation)


def test_answers_say_which_samples_were_right_of_tasks_of_classes_alone(monkeypatch):
    model, tasks, split = vectors(samples=40)
    in_batches_of(7, monkeypatch)
    found = evaluate(model, tasks, split)
    with torch.no_grad():
        expected = model(split.images)["sort"].max(dim=1).indices.eq(split.targets["sort"])
    assert list(found.answers) == ["sort"]
    assert found.answers["sort"].dtype == torch.bool
    assert torch.equal(found.answers["sort"], expected)
    assert 0 < expected.sum() < 40
    assert found.scores["sort"]["accuracy"] == pytest.approx(expected.double().mean().item())
    assert evaluate(*dense()).answers == {}


def test_the_loss_of_a_dense_task_is_that_of_all_its_pixels(monkeypatch):
    model, tasks, split = dense()
    in_batches_of(2, monkeypatch)
    scores = evaluate(model, tasks, split).scores
    with torch.no_grad():
        predictions = model(split.images)
    for task in tasks:
        assert scores[task.name]["loss"] == pytest.approx(
            task.loss(predictions[task.name], split.targets[task.name]).item(), rel=1e-5
        )


@pytest.mark.parametrize("problem", [dense, vectors])
def test_nothing_waits_for_a_gpu_in_a_batch(problem, monkeypatch):
    model, tasks, split = problem()
    found = []
    for size in (7, 1):
        in_batches_of(size, monkeypatch)
        with Dispatched() as dispatched:
            evaluate(model, tasks, split)
        found.append(len(dispatched.waits))
    assert found[0] == found[1] > 0, "some at the end, however many batches there are"


def test_what_does_not_fit_goes_in_halves(monkeypatch):
    model, tasks, split = vectors()
    expected = evaluate(model, tasks, split).scores
    sizes = []

    def too_large(module, inputs):
        sizes.append(len(inputs[0]))
        if sizes[-1] > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")

    model.encoder.register_forward_pre_hook(too_large)
    in_batches_of(8, monkeypatch)
    assert evaluate(model, tasks, split).scores["sort"]["accuracy"] == expected["sort"]["accuracy"]
    assert sizes == [7, 4, 2, 2, 2, 1]


def test_what_never_fits_is_an_error(monkeypatch):
    model, tasks, split = vectors()

    def too_large(module, inputs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model.encoder.register_forward_pre_hook(too_large)
    with pytest.raises(torch.OutOfMemoryError):
        evaluate(model, tasks, split)


def test_an_angle_of_a_diverged_model_is_not_a_number():
    task = DENSE[2]
    metrics, target = task.metrics(), torch.zeros(1, 3, 2, 2)
    target[:, 0] = 1
    prediction = target.clone()
    prediction[0, 0, 0, 0] = math.nan
    metrics.update(prediction, target)
    values = metrics.compute()
    assert math.isnan(values["mean_angle"])
    assert math.isnan(values["median_angle"])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("problem", [dense, vectors])
def test_cuda_itself_sees_no_wait_in_a_batch(problem, monkeypatch):
    model, tasks, split = problem(64)
    device = torch.device("cuda", torch.cuda.current_device())
    model, split = model.to(device), split.to(device)

    def watched():
        try:
            torch.cuda.set_sync_debug_mode("warn")  # which itself warns, the first time, that it is a prototype
            evaluate(model, tasks, split)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    found = []
    for size in (64, 4):
        in_batches_of(size, monkeypatch)
        with pytest.warns(UserWarning, match="synchroniz") as waits:
            watched()
        found.append(sum("called a synchronizing" in str(wait.message) for wait in waits))
    assert found[0] == found[1]
