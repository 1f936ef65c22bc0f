"""Data sets that are drawn anew for each seed, and images that are composed of parts when they are read."""

import itertools

import numpy as np
import pytest
import torch

from dgr.config.runs import SPLITS
from dgr.core.errors import DGRError
from dgr.core.seeds import seed_for
from dgr.datasets.prepared import load
from dgr.datasets.preparing import prepare_dataset
from dgr.datasets.registry import parse_dataset
from dgr.datasets.seeded import overlay

SEEDS = [0, 1, 100]
PAIRS = {
    "kind": "multimnist",
    "digits": {"train": 60, "val": 20, "test": 30},
    "pairs": {"train": 40, "val": 10, "test": 20},
    "seed": 3,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("seeded")
    prepare_dataset("pairs", parse_dataset({**PAIRS, "seeds": SEEDS}, "pairs"), made)
    return made


def test_no_source_digit_is_in_two_splits_of_a_seed(root):
    for seed in SEEDS:
        digits = {
            name: set(split.sources.flatten().tolist()) for name, split in load("pairs", root, seed).splits.items()
        }
        for one, other in itertools.combinations(SPLITS, 2):
            assert not digits[one] & digits[other]
        assert all(
            len(split.sources) == PAIRS["pairs"][name] for name, split in load("pairs", root, seed).splits.items()
        )


def test_seeds_split_the_source_digits_and_pair_them_anew(root):
    drawn = [load("pairs", root, seed).splits for seed in SEEDS]
    for one, other in itertools.combinations(drawn, 2):
        for name in SPLITS:
            assert not torch.equal(one[name].sources, other[name].sources)
            assert not torch.equal(one[name].images, other[name].images)


def test_composed_when_read_it_is_what_is_composed_at_once(root):
    for seed in SEEDS:
        drawn = seed_for("pairs", seed, "split")
        expected = parse_dataset({**PAIRS, "seed": drawn}, "pairs").compose().splits
        for name, split in load("pairs", root, seed).splits.items():
            assert split.images.shape == (PAIRS["pairs"][name], 1, 36, 36)
            assert np.array_equal(split.images[:, 0].numpy(), expected[name]["images"])
            for task in ("left", "right"):
                assert np.array_equal(split.targets[task].numpy(), expected[name][task])


def test_each_source_is_the_digit_on_its_image(root):
    parts = np.load(root / "pairs" / "parts.npy")
    split = load("pairs", root, 1).splits["test"]
    for image, (left, right) in zip(split.images[:, 0].numpy(), split.sources.numpy(), strict=True):
        canvas = np.zeros((2, 36, 36), np.uint8)
        canvas[0, :28, :28], canvas[1, 8:, 8:] = parts[left], parts[right]
        assert np.array_equal(image, canvas.max(axis=0))


def test_without_a_seed_the_first_is_read(root):
    one, other = load("pairs", root).splits["val"], load("pairs", root, SEEDS[0]).splits["val"]
    assert torch.equal(one.images, other.images)
    assert torch.equal(one.targets["left"], other.targets["left"])


def test_the_parts_are_stored_once_and_pairs_as_numbers(root):
    stored = {str(path.relative_to(root / "pairs")) for path in (root / "pairs").rglob("*.npy")}
    arrays = {f"{split}_{array}.npy" for split in SPLITS for array in ("parts", "left", "right")}
    assert stored == {"parts.npy", *(f"seed-{seed}/{name}" for seed in SEEDS for name in arrays)}


def test_a_seed_that_was_not_drawn_is_refused_with_the_way_out(root):
    with pytest.raises(DGRError) as caught:
        load("pairs", root, 2)
    assert str(caught.value) == (
        "Data set 'pairs' is drawn for seeds 0 to 100 and others of paper_configs/datasets.yaml, but not for seed 2; "
        "add it there, and run `python -m dgr plan`."
    )


def test_a_data_set_of_one_drawing_serves_every_seed(tmp_path):
    prepare_dataset("pairs", parse_dataset(PAIRS, "pairs"), tmp_path)
    one, other = (load("pairs", tmp_path, seed).splits["train"] for seed in (0, 12345))
    assert torch.equal(one.images, other.images)
    assert one.sources is None


def test_scenes_are_drawn_anew_as_well(tmp_path):
    rooms = {"kind": "rooms", "image_size": 8, "scenes": {"train": 3, "val": 1, "test": 2}, "noise": 0.1, "seed": 0}
    prepare_dataset("rooms", parse_dataset({**rooms, "seeds": [4, 5]}, "rooms"), tmp_path)
    one, other = (load("rooms", tmp_path, seed).splits["test"] for seed in (4, 5))
    assert one.sources is None
    assert not torch.equal(one.images, other.images)
    assert not torch.equal(one.targets["depth"], other.targets["depth"])
    expected = parse_dataset({**rooms, "seed": seed_for("rooms", 4, "split")}, "rooms").compose().splits["test"]
    assert np.array_equal(one.images.numpy(), expected["images"])


def test_what_lies_on_each_other_is_the_pixelwise_maximum():
    generator = np.random.default_rng(0)
    parts = generator.integers(0, 256, (5, 3, 4), dtype=np.uint8)
    rows = np.array([[0, 1, 2], [4, 4, 3]])
    offsets = ((0, 0), (1, 2), (2, 1))
    expected = np.zeros((2, 6, 7), np.uint8)
    for image, place, row, column in itertools.product(range(2), range(3), range(3), range(4)):
        y, x = offsets[place][0] + row, offsets[place][1] + column
        expected[image, y, x] = max(expected[image, y, x], parts[rows[image, place], row, column])
    assert np.array_equal(overlay(parts, rows, (6, 7), offsets), expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": [-1]}, r"here: seeds.*greater than or equal to 0"),
        ({"seeds": [0, "x"]}, r"here: seeds.*valid integer"),
        ({"sedes": [0]}, r"here: unknown key 'sedes'; did you mean 'seeds'"),
    ],
)
def test_a_wrong_list_of_seeds_is_named(settings, message):
    with pytest.raises(DGRError, match=message) as caught:
        parse_dataset(PAIRS | settings, "here")
    assert "\n" not in str(caught.value)
