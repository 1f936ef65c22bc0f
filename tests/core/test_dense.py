import numpy as np
import pytest
import torch
from torch.nn import functional

from dgr.core.errors import DGRError
from dgr.core.metrics import ANGLES
from dgr.core.task import VOID, Task
from dgr.regularizers.shared.precision import full_precision

SEGMENTATION = Task("segmentation", "segmentation", 3)
DEPTH, DISPARITY, NORMALS = (Task(kind, kind) for kind in ("depth", "disparity", "normals"))


def scene(seed=0, size=(5, 7), batch=2):
    """Predictions and targets of every kind in float64, with some pixels of each kind invalid."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    labels = torch.randint(-1, 3, (batch, *size), generator=generator).to(torch.int8)
    depth = normal(batch, 1, *size).abs() + 0.5
    depth[labels[:, None] < 0] = 0
    normals = functional.normalize(normal(batch, 3, *size), dim=1) * (labels[:, None] >= 0)
    return {
        SEGMENTATION: (normal(batch, 3, *size), labels),
        DEPTH: (normal(batch, 1, *size), depth),
        DISPARITY: (normal(batch, 1, *size), depth),
        NORMALS: (normal(batch, 3, *size), normals),
    }


def pixels(task, prediction, target):
    """(prediction, target) of every valid pixel, one by one, as numpy arrays."""
    target = target if target.ndim == 4 else target[:, None]
    for image in range(len(target)):
        for row in range(target.shape[2]):
            for column in range(target.shape[3]):
                truth = target[image, :, row, column].double().numpy()
                if (truth[0] >= 0) if task.kind == "segmentation" else truth.any():
                    yield prediction[image, :, row, column].numpy(), truth


def by_hand(task, prediction, target):
    """Loss and metrics, pixel by pixel in numpy."""
    pairs = list(pixels(task, prediction, target))
    if task.kind == "segmentation":
        labels = np.array([int(y[0]) for _, y in pairs])
        guesses = np.array([x.argmax() for x, _ in pairs])
        losses = [np.log(np.exp(x).sum()) - x[y] for (x, _), y in zip(pairs, labels, strict=True)]
        ious = []
        for label in range(3):
            either = (labels == label) | (guesses == label)
            if either.any():
                ious.append(((labels == label) & (guesses == label)).sum() / either.sum())
        return np.mean(losses), {"mean_iou": np.mean(ious), "pixel_accuracy": (labels == guesses).mean()}
    if task.kind == "normals":
        unit = [(x / np.linalg.norm(x), y) for x, y in pairs]
        angles = np.array([np.degrees(np.arccos(np.clip(x @ y, -1, 1))) for x, y in unit])
        within = {f"within_{limit:g}": (angles < limit).mean() for limit in ANGLES}
        values = {"mean_angle": angles.mean(), "median_angle": np.sort(angles)[(len(angles) - 1) // 2], **within}
        return np.mean([np.abs(x - y).mean() for x, y in unit]), values
    errors = np.array([abs(x[0] - y[0]) for x, y in pairs])
    relative = np.mean([error / y[0] for error, (_, y) in zip(errors, pairs, strict=True)])
    return errors.mean(), {"absolute_error": errors.mean(), "relative_error": relative}


@pytest.mark.parametrize("task", scene(), ids=lambda task: task.kind)
def test_losses_and_metrics_are_those_of_a_loop_over_pixels(task):
    prediction, target = scene()[task]
    loss, values = by_hand(task, prediction, target)
    assert task.loss(prediction, target).item() == pytest.approx(loss, rel=1e-10)
    metrics = task.metrics()
    metrics.update(prediction[:1], target[:1])
    metrics.update(prediction[1:], target[1:])
    computed = {name: value.item() for name, value in metrics.compute().items()}
    assert set(computed) == set(values)
    for name, value in values.items():
        assert computed[name] == pytest.approx(value, rel=1e-6, abs=0.0051 if name == "median_angle" else 0), name


@pytest.mark.parametrize("task", scene(), ids=lambda task: task.kind)
def test_what_is_predicted_where_nothing_is_known_changes_nothing(task):
    prediction, target = scene()[task]
    known = (target >= 0 if task.kind == "segmentation" else target.abs().amax(1) > 0).reshape(2, 1, 5, 7)
    other = torch.where(known, prediction, 1e3)
    assert torch.equal(task.loss(prediction, target), task.loss(other, target))


@pytest.mark.parametrize("task", scene(), ids=lambda task: task.kind)
def test_a_batch_without_any_target_has_no_loss_and_no_gradient(task):
    prediction, target = scene()[task]
    prediction.requires_grad_()
    loss = task.loss(prediction, torch.full_like(target, -1 if task.kind == "segmentation" else 0))
    loss.backward()
    assert loss.item() == 0
    assert prediction.grad.abs().max() == 0


@pytest.mark.parametrize("task", scene(), ids=lambda task: task.kind)
def test_smaller_predictions_are_brought_to_the_size_of_the_target(task):
    _, target = scene(size=(9, 11))[task]
    small = torch.randn(2, task.outputs, 3, 4, dtype=torch.float64)
    large = functional.interpolate(small, size=(9, 11), mode="bilinear", align_corners=False)
    assert torch.equal(task.loss(small, target), task.loss(large, target))


def test_normals_need_no_unit_length_and_perfect_ones_have_no_error():
    _, target = scene()[NORMALS]
    assert NORMALS.loss(7 * target, target).item() == pytest.approx(0, abs=1e-12)
    metrics = NORMALS.metrics()
    metrics.update(7 * target, target)
    assert metrics.compute()["mean_angle"].item() == pytest.approx(0, abs=1e-4)


def test_a_class_that_never_occurs_does_not_count():
    metrics = Task("s", "segmentation", 9).metrics()
    labels = torch.tensor([[[0, 1]]])
    metrics.update(functional.one_hot(labels, 9).movedim(-1, 1).float(), labels)
    assert metrics.compute()["mean_iou"] == 1


@pytest.mark.parametrize(
    ("task", "targets", "message"),
    [
        (SEGMENTATION, torch.tensor([[[0, 3]]]), r"span 0…3, but must lie in -1…2"),
        (SEGMENTATION, torch.tensor([[[-2, 1]]]), r"span -2…1"),
        (DEPTH, torch.tensor([[[[-0.5, 1.0]]]]), r"'depth' in split 'val' span -0.5…1, but must lie in 0…"),
        (DEPTH, torch.tensor([[[[float("nan"), 1.0]]]]), "nan"),
        (NORMALS, torch.tensor([[[[2.0]], [[0.0]], [[0.0]]]]), r"span 0…2"),
    ],
)
def test_impossible_targets_are_named(task, targets, message):
    with pytest.raises(DGRError, match=message):
        task.check_targets(targets, "val")


@pytest.mark.parametrize("shape", [(2, 4, 5, 7), (2, 3)])
def test_a_head_of_another_width_is_named(shape):
    with pytest.raises(DGRError, match=r"'segmentation' expects predictions of shape \(batch, 3, height, width\)"):
        SEGMENTATION.loss(torch.zeros(shape), torch.zeros(2, 5, 7))


def test_only_cross_entropy_and_overlap_are_better_when_higher():
    assert [task.higher_is_better for task in (SEGMENTATION, DEPTH, DISPARITY, NORMALS)] == [True, False, False, False]
    assert VOID == -1


def test_the_penalty_keeps_tf32_out_and_leaves_the_setting_as_it_was():
    kernels = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)
    before = [kernel.fp32_precision for kernel in kernels]
    with full_precision("cuda"):
        assert [kernel.fp32_precision for kernel in kernels] == ["ieee", "ieee"]
    assert [kernel.fp32_precision for kernel in kernels] == before
