"""The kinds of data sets: what each says of itself without being made, and what is said of a wrong one."""

from pathlib import Path

import numpy as np
import pytest

from dgr.config.datasets import FetchedDataset, LocalDataset
from dgr.config.sources import ContentsConfig, read_source
from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.datasets.registry import KINDS, parse_dataset, planned_dataset, read_datasets
from dgr.datasets.unseen import Unseen, add_unseen, derived, unseen_task, unseen_tasks

CONFIGS = Path(__file__).parents[2] / "paper_configs"
DATASETS = read_datasets(CONFIGS)
DENSE = ("segmentation", "depth", "normals")


def test_the_kinds_are_the_files():
    assert list(KINDS) == [
        "arrays",
        "cityscapes",
        "folder",
        "multimnist",
        "noise",
        "nyuv2",
        "nyuv2_png",
        "rooms",
        "sklearn_digits",
        "utkface",
    ]


@pytest.mark.parametrize(
    ("name", "shape", "samples", "tasks"),
    [
        ("multimnist", (1, 36, 36), 2000, [("left", "classification", 10), ("right", "classification", 10)]),
        (
            "rooms",
            (3, 32, 32),
            120,
            [("segmentation", "segmentation", 5), ("depth", "depth", 0), ("normals", "normals", 0)],
        ),
        (
            "noise64",
            (3, 64, 64),
            64,
            [("age", "classification", 7), ("gender", "classification", 2), ("race", "classification", 5)],
        ),
        ("nyuv2", (3, 288, 384), 715, [("segmentation", "segmentation", 13), *((kind, kind, 0) for kind in DENSE[1:])]),
        ("nyuv2_36x48", (3, 36, 48), 715, [("segmentation", "segmentation", 13), ("depth", "depth", 0)]),
        (
            "cityscapes",
            (3, 256, 512),
            2677,
            [("segmentation", "segmentation", 19), ("parts", "segmentation", 10), ("disparity", "disparity", 0)],
        ),
        (
            "utkface",
            (3, 64, 64),
            16596,
            [("age", "classification", 7), ("gender", "classification", 2), ("race", "classification", 5)],
        ),
    ],
)
def test_a_data_set_says_its_shape_size_and_tasks_before_it_is_made(name, shape, samples, tasks):
    config = DATASETS[name]
    source = read_source(CONFIGS, config.source) if isinstance(config, FetchedDataset) else None
    assert config.image_shape == shape
    assert config.training_samples(source) == samples
    assert config.tasks == tuple(Task(*task) for task in tasks)
    assert not isinstance(config, LocalDataset)


@pytest.mark.parametrize("name", ["utkface", "nyuv2", "nyuv2_small", "cityscapes"])
def test_a_source_that_does_not_say_what_it_holds_leaves_the_size_open(name):
    source = read_source(CONFIGS, name).model_copy(update={"contents": ContentsConfig()})
    assert DATASETS[name].training_samples(source) is None


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"kind": "multimnits"}, r"here: Unknown kind of data set 'multimnits'; did you mean 'multimnist'\?"),
        ({"kind": "registry"}, "here: Unknown kind of data set 'registry'"),
        ({"kind": ["rooms"]}, "here: it does not say its kind; known: arrays, cityscapes, folder"),
        ({"image_size": 32}, "here: it does not say its kind"),
        ("rooms", "here: it does not say its kind"),
        ({"kind": "rooms", "image_sise": 32}, "here: unknown key 'image_sise'; did you mean 'image_size'"),
        ({"kind": "rooms", "image_size": 32, "seed": 0}, "here: scenes: Field required"),
    ],
)
def test_a_wrong_description_is_one_sentence(block, message):
    with pytest.raises(DGRError, match=message):
        parse_dataset(block, "here")


def test_an_unknown_data_set_is_named_with_the_nearest():
    plan = {"datasets": {"rooms": {}}, "fetched_datasets": {}, "local_datasets": {"mine": {}}}
    with pytest.raises(DGRError, match="Unknown data set 'mien'; did you mean 'mine'"):
        planned_dataset("mien", plan)


def test_unseen_tasks_are_derived_as_their_kind_declares():
    labels = {"left": np.array([3, 3, 9, 8, 4]), "right": np.array([2, 3, 1, 1, 6])}
    made = add_unseen("multimnist", labels)
    assert {task: list(values) for task, values in made.items() if task not in labels} == {
        "left_greater": [1, 0, 1, 1, 0],
        "left_even": [0, 0, 0, 1, 1],
        "sum_ten": [0, 0, 1, 0, 1],
        "left_five": [0, 0, 1, 1, 0],
        "same_digit": [0, 1, 0, 0, 0],
        "left_loops": [0, 0, 1, 2, 0],
    }
    assert all(values.dtype == np.int64 for values in made.values())
    assert {task: unseen.classes for task, unseen in unseen_tasks("multimnist").items() if unseen.classes != 2} == {
        "left_loops": 3
    }
    assert add_unseen("rooms", labels) == labels
    assert unseen_task("sum_ten").label == "sum ≥ 10"
    assert unseen_tasks("rooms") == {}
    with pytest.raises(DGRError, match="Unknown kind of data set 'room'; did you mean 'rooms'"):
        add_unseen("room", labels)
    with pytest.raises(DGRError, match="declares the unseen task 'left_grater'; did you mean 'left_greater'"):
        unseen_task("left_grater")
    with pytest.raises(DGRError, match="The rule 'left > right' of the unseen task 'left_greater' must be like"):
        add_unseen("multimnist", {"left": labels["left"]})


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("left >= 5", [0, 1, 1]),
        ("left <= right", [1, 0, 0]),
        ("10 > left + right", [1, 1, 0]),
        ("left + right == 9 + 7", [0, 0, 1]),
        ("left < right + 1", [1, 0, 0]),
        ("left in 9", [0, 0, 1]),
        ("right in 7 | 2 3 | 0", [2, 2, 1]),
    ],
)
def test_rules_of_unseen_tasks(rule, wanted):
    labels = {"left": np.array([1, 5, 9]), "right": np.array([3, 2, 7])}
    assert list(derived("new", rule, labels)) == wanted
    assert max(wanted) < Unseen("new", rule, "").classes


@pytest.mark.parametrize(
    "rule",
    [
        *("", "left", "left >", "> left", "left > right > 3", "left - right > 3", "left + > 3", "left right > 3"),
        *("left > 2.5", "left > -1", "left >= up", "up > 3", "3 > 2", "left + + right > 1", "left != right"),
        *("left in", "left in 1 |", "left in | 1", "left in 1 | 1", "left in a", "up in 1", "left in 1 > 2"),
        "__import__('os') > left",
    ],
)
def test_what_is_no_rule_is_one_sentence(rule):
    labels = {"left": np.array([1, 5, 9]), "right": np.array([3, 2, 7])}
    with pytest.raises(DGRError, match=r"^The rule '.*' of the unseen task 'new' must be like .* == ?\.$") as caught:
        derived("new", rule, labels)
    assert "tasks among left, right" in str(caught.value)


def test_noise_has_the_shape_and_the_classes_that_it_is_asked_for():
    config = DATASETS["noise64"]
    splits = config.compose(Path()).splits
    for split, samples in config.samples.items():
        assert splits[split]["images"].shape == (samples, 3, 64, 64)
        for name, classes in config.classes.items():
            assert set(splits[split][name]) <= set(range(classes))
    assert not np.array_equal(splits["val"]["images"], splits["test"]["images"])
    again = config.compose(Path()).splits
    assert np.array_equal(again["train"]["images"], splits["train"]["images"])
    assert [task.classes for task in config.tasks] == [task.classes for task in DATASETS["utkface"].tasks]
