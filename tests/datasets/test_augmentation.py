import pytest
import torch
from torch.nn import functional

from dgr.config.runs import AugmentationConfig
from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.datasets.augmentation import augment

HEIGHT, WIDTH = 24, 36
TASKS = (
    Task("segmentation", "segmentation", 4),
    Task("depth", "depth"),
    Task("disparity", "disparity"),
    Task("normals", "normals"),
    Task("scene", "classification", 4),
)


def plane(batch=6):
    """A tilted plane seen by a camera: its image holds each pixel's own place, its depth follows from that place.

    Rays are (x, 0, 1) with x from −1 to 1; the plane n·p = 1 with n = (−0.5, 0, 0.8) has depth 1/(0.8 − 0.5x).
    """
    x = (torch.arange(WIDTH) + 0.5) / WIDTH * 2 - 1
    y = (torch.arange(HEIGHT) + 0.5) / HEIGHT * 2 - 1
    grid = torch.stack([x.expand(HEIGHT, WIDTH), y[:, None].expand(HEIGHT, WIDTH), torch.ones(HEIGHT, WIDTH)])
    depth = 1 / (0.8 - 0.5 * grid[:1])
    normal = functional.normalize(torch.tensor([-0.5, 0.0, 0.8]), dim=0).view(3, 1, 1).expand(3, HEIGHT, WIDTH)
    sides = (grid[0] > 0).long() + 2 * (grid[1] > 0).long()
    scene = {"segmentation": sides.to(torch.int8), "depth": depth, "disparity": 1 / depth, "normals": normal}
    targets = {name: torch.stack([value] * batch) for name, value in scene.items()}
    return torch.stack([grid] * batch), targets | {"scene": torch.arange(batch) % 4}


def changed(seed=0, batch=6, **settings):
    generator = torch.Generator().manual_seed(seed)
    return augment(plane(batch), TASKS, AugmentationConfig(**settings), generator)


def test_mirroring_turns_image_and_targets_together():
    images, targets = changed(flip=True, batch=64)
    mirrored = images[:, 0, 0, 0] > 0
    assert 16 < mirrored.sum() < 48
    depth = 1 / (0.8 - 0.5 * images[:, :1])
    assert torch.allclose(targets["depth"], depth)
    assert torch.equal(
        targets["segmentation"], ((images[:, 0] > 0).long() + 2 * (images[:, 1] > 0).long()).to(torch.int8)
    )
    expected = torch.where(mirrored, 0.5, -0.5) / 0.89**0.5
    assert torch.allclose(targets["normals"][:, 0], expected.view(-1, 1, 1).expand(-1, HEIGHT, WIDTH))
    assert torch.allclose(targets["normals"][:, 2], torch.tensor(0.8 / 0.89**0.5))


@pytest.mark.parametrize("scale", [1.2, 1.5, 2.0])
def test_enlarging_brings_the_scene_nearer(scale):
    images, targets = changed(scales=[scale])
    assert images.shape == (6, 3, HEIGHT, WIDTH)
    # What a pixel shows is told by the image itself; nearest targets are off by at most half an original pixel.
    x = images[:, :1]
    pixel = 2 / WIDTH
    nearest, farthest = (1 / (0.8 - 0.5 * (x + shift)) / scale for shift in (-0.51 * pixel, 0.51 * pixel))
    assert (targets["depth"] >= nearest).all()
    assert (targets["depth"] <= farthest).all()
    assert torch.allclose(targets["depth"] * targets["disparity"], torch.ones_like(x))
    assert (images[0, 0, 0, -1] - images[0, 0, 0, 0]).item() == pytest.approx(
        2 * (round(WIDTH / scale) - 1) / WIDTH, abs=1.1 * pixel
    )
    assert len({tuple(image[:, 0, 0].tolist()) for image in images}) > 1, "every sample is cut elsewhere"


def test_a_cut_out_shows_a_part_of_the_image_pixel_by_pixel():
    images, targets = changed(crop=[8, 12])
    whole, known = plane()
    for image, depth in zip(images, targets["depth"], strict=True):
        left = int(((image[0, 0, 0] + 1) / 2 * WIDTH).item())
        top = int(((image[1, 0, 0] + 1) / 2 * HEIGHT).item())
        assert torch.equal(image, whole[0, :, top : top + 8, left : left + 12])
        assert torch.equal(depth, known["depth"][0, :, top : top + 8, left : left + 12])


def test_classes_and_numbers_of_whole_images_stay():
    assert torch.equal(changed(scales=[1.5], flip=True)[1]["scene"], torch.arange(6) % 4)
    images, numbers = torch.rand(6, 1, 8, 8), torch.rand(6, 1)
    config = AugmentationConfig(scales=[1.5], flip=True)
    _, after = augment((images, {"size": numbers}), [Task("size", "regression")], config, torch.Generator())
    assert torch.equal(after["size"], numbers)


def test_the_same_generator_gives_the_same_samples():
    first, second, other = (changed(seed, scales=[1.0, 1.5], flip=True)[0] for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_invalid_pixels_stay_invalid():
    images, targets = plane()
    targets["depth"] = torch.zeros_like(targets["depth"])
    targets["segmentation"] = torch.full_like(targets["segmentation"], -1)
    config = AugmentationConfig(scales=[1.5], flip=True)
    _, after = augment((images, targets), TASKS, config, torch.Generator())
    assert after["depth"].max() == 0
    assert after["segmentation"].max() == -1


def test_a_cut_out_larger_than_the_image_is_refused():
    with pytest.raises(DGRError, match=r"A crop of 25×36 does not fit into images of 24×36"):
        changed(crop=[25, 36])
