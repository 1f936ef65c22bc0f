import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from dgr.core.errors import DGRError
from dgr.core.files import write_json, write_manifest
from dgr.measurements.baselines import _pixels, baselines
from dgr.measurements.classifiers.registry import CLASSIFIERS
from dgr.measurements.probes import probe
from dgr.measurements.probing import ProbeSamples, accuracies, choose_settings, majority_accuracies

KEY, UNTUNED = "toy-digits-conv-equal_weighting-none", "toy-digits-conv-single_task-none"
TASKS = ("left", "right")
NEW = ("left_greater", "left_even", "sum_ten", "left_five", "same_digit", "left_loops")
CLASSIFIED = (*TASKS, NEW[0])
"""What classifiers are asked; heads are asked all."""
SIZES = {"train": 120, "val": 30, "test": 40}
WIDTH = 6
RANDOM = np.random.default_rng(3)


def blobs(count: int, noise: float = 0.3) -> ProbeSamples:
    labels = RANDOM.integers(0, 3, count)
    centres = 4 * np.eye(3, WIDTH)
    inputs = centres[labels] + noise * RANDOM.standard_normal((count, WIDTH))
    return ProbeSamples(inputs.astype(np.float32), {"kind": labels})


def scores(
    train: ProbeSamples, test: ProbeSamples, settings: dict[str, dict[str, object]] | None = None
) -> dict[str, float]:
    choice = {task: settings or choose_settings(train, test)[task] for task in train.labels}
    return {classifier: value for _, classifier, value in accuracies(train, test, choice)}


def test_every_classifier_reads_a_clean_representation() -> None:
    found = scores(blobs(120), blobs(90))
    assert set(found) == set(CLASSIFIERS) == {"knn", "tree", "svm", "logistic", "forest"}
    assert min(found.values()) > 0.9


def test_noise_gives_about_chance() -> None:
    train, test = blobs(150), blobs(400)
    nothing = ProbeSamples(RANDOM.standard_normal(test.inputs.shape), test.labels)
    assert all(0.2 < value < 0.5 for value in scores(train, nothing).values())


def test_same_input_same_values() -> None:
    train, test = blobs(60, noise=3.0), blobs(60, noise=3.0)
    assert scores(train, test) == scores(train, test)


def test_size_and_shift_of_features_do_not_matter() -> None:
    train, test = blobs(90, noise=2.0), blobs(90, noise=2.0)
    moved = [ProbeSamples(part.inputs.astype(np.float64) * 256 - 8, part.labels) for part in (train, test)]
    settings = choose_settings(train, test)["kind"]
    plain = [ProbeSamples(part.inputs.astype(np.float64), part.labels) for part in (train, test)]
    assert scores(*moved, settings=settings) == pytest.approx(scores(*plain, settings=settings), abs=0.03)


def test_settings_are_chosen_on_validation_samples_alone() -> None:
    """Training samples alone would ask for one neighbour; validation samples with noisy labels for many."""
    train = blobs(90, noise=4.0)
    choice = choose_settings(train, blobs(300, noise=4.0))
    assert choice["kind"]["knn"]["n_neighbors"] > 1
    assert set(choice["kind"]) == set(CLASSIFIERS)
    assert choice["kind"]["forest"] == {"n_estimators": 30}


def test_a_class_absent_from_train_counts_as_wrong() -> None:
    train, test = blobs(120), blobs(90)
    known = train.labels["kind"] != 2
    without = ProbeSamples(train.inputs[known], {"kind": train.labels["kind"][known]})
    share = float(np.mean(test.labels["kind"] != 2))
    for value in scores(without, test).values():
        assert 0 < value <= share


def test_a_single_class_is_always_predicted() -> None:
    train, test = blobs(40), blobs(60)
    single = ProbeSamples(train.inputs, {"kind": np.ones(40, np.int64)})
    third = 1 / 3  # of three classes one is answered rightly, whatever their shares
    assert scores(single, test) == pytest.approx(dict.fromkeys(CLASSIFIERS, third))
    assert dict(majority_accuracies(single, test)) == pytest.approx({"kind": third})


def test_accuracy_is_balanced() -> None:
    """By hand: 9 samples of a class of which 6 are right, 1 of another that is wrong."""
    train = ProbeSamples(np.array([[0.0], [0.1], [5.0], [5.1]]), {"rare": np.array([0, 0, 1, 1])})
    inputs = np.array([[0.0]] * 6 + [[5.0]] * 3 + [[0.0]])
    test = ProbeSamples(inputs, {"rare": np.array([0] * 9 + [1])})
    settings: dict[str, dict[str, object]] = {"knn": {"n_neighbors": 1}, "tree": {"min_samples_leaf": 1}}
    settings |= {"forest": {"n_estimators": 5}, "svm": {"C": 1.0}, "logistic": {"C": 1.0}}
    assert scores(train, test, settings) == pytest.approx(dict.fromkeys(CLASSIFIERS, (6 / 9 + 0) / 2))
    assert dict(majority_accuracies(train, test)) == {"rare": 0.5}


def test_constant_features() -> None:
    train, test = blobs(90), blobs(60)
    padded = [
        ProbeSamples(np.hstack([part.inputs, np.ones((len(part.inputs), 2))]), part.labels) for part in (train, test)
    ]
    assert min(scores(*padded).values()) > 0.9
    constant = [ProbeSamples(np.ones_like(part.inputs), part.labels) for part in (train, test)]
    assert all(0 <= value <= 0.6 for value in scores(*constant).values())


def test_few_samples_have_few_neighbours() -> None:
    assert 0 <= scores(blobs(6), blobs(9))["knn"] <= 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(value: float) -> None:
    bad = blobs(30)
    bad.inputs[4, 2] = value
    with pytest.raises(DGRError, match="NaN or infinite"):
        choose_settings(bad, blobs(30))
    with pytest.raises(DGRError, match="NaN or infinite"):
        scores(blobs(30), bad, {name: {} for name in CLASSIFIERS})
    with pytest.raises(DGRError, match="at least one sample"):
        scores(blobs(30), blobs(0), {name: {} for name in CLASSIFIERS})


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up data set with two tasks, and two finished runs: one with snapshots, one with separate encoders."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    data = Path("data/digits")
    data.mkdir(parents=True)
    labels = {split: generator.integers(0, 3, (2, count)) for split, count in SIZES.items()}
    for split, count in SIZES.items():
        np.save(data / f"{split}_images.npy", generator.integers(0, 256, (count, 4, 4), dtype=np.uint8))
        for task, values in zip(("left", "right"), labels[split], strict=True):
            np.save(data / f"{split}_{task}.npy", values)
    tasks = [{"name": name, "kind": "classification", "classes": 3} for name in ("left", "right")]
    write_manifest(data, config={"kind": "multimnist"}, tasks=tasks)

    def z(split: str, strength: float, width: int) -> np.ndarray:
        shape = (SIZES[split], width)
        z = 0.2 * generator.standard_normal(shape)
        z[:, :3] += strength * np.eye(3)[labels[split][0]]
        z[:, -3:] += strength * np.eye(3)[labels[split][1]]
        return z.astype(np.float32)

    for key, width, snapshots in ((KEY, WIDTH, ("", "@0", "@1")), (UNTUNED, 2 * WIDTH, ("",))):
        large = Path("trained/toy", key)
        large.mkdir(parents=True)
        for seed in (0, 1):
            folder = Path("runs/toy/train", key, f"seed-{seed}")
            folder.mkdir(parents=True)
            arrays = {s + e: z(s, 0.1 if e == "@0" else 1.0, width) for e in snapshots for s in SIZES}
            np.savez(large / f"seed-{seed}.npz", **arrays)
            write_json(folder / "metrics.json", {"identity": {"regularizer": "none"}, "final": {"epoch": 4}})
        write_manifest(Path("runs/toy/train", key))
        write_manifest(large)
    place = {"suite": "toy", "dataset": "digits", "kind": "multimnist", "train_samples": 50, "draws": 4}
    architecture = {"name": "conv", "channels": [2], "width": WIDTH, "hidden": 5, "activation": "relu"}
    probed = {**place, "architecture": architecture, "seeds": [0, 1]}
    plan = {"probes": {KEY: probed, UNTUNED: probed}, "baselines": {"toy-digits": place}}
    Path("paper_configs").mkdir()
    Path("plan.json").write_text(json.dumps(plan))
    return tmp_path


def test_probe_stage(workplace: Path) -> None:
    assert workplace
    probe(KEY)
    path = Path("runs/toy/probe", f"{KEY}.json")
    first = path.read_bytes()
    record = json.loads(first)
    cells = [(row["seed"], row["given"], row["task"], row["classifier"]) for row in record["rows"]]
    assert len(cells) == len(set(cells)) == 2 * 2 * len(CLASSIFIED) * 5
    assert {cell[1] for cell in cells} == {"representation", "untrained"}
    assert {cell[2] for cell in cells} == set(CLASSIFIED)
    means = {
        given: np.mean([row["value"] for row in record["rows"] if row["given"] == given and row["task"] == "left"])
        for given in ("representation", "untrained")
    }
    assert means["representation"] > 0.9 > means["untrained"]
    measured = [(row["seed"], row["epoch"], row["task"]) for row in record["universality"]]
    asked = {0: TASKS, 1: TASKS, 4: TASKS + NEW}
    assert measured == [(seed, epoch, task) for seed in (0, 1) for epoch in asked for task in asked[epoch]]
    losses = {row["epoch"]: row["refitted_loss"] for row in record["universality"] if row["task"] == "left"}
    assert losses[0] > 1 > 0.5 > losses[4]
    assert set(record["settings"]) == {"representation", "untrained"}
    probe(KEY)
    assert path.read_bytes() == first


def test_separate_encoders_are_probed_joined_and_measured_apart(workplace: Path) -> None:
    assert workplace
    probe(UNTUNED)
    record = json.loads(Path("runs/toy/probe", f"{UNTUNED}.json").read_text())
    assert {row["given"] for row in record["rows"]} == {"representation"}
    z = np.load(Path("trained/toy", UNTUNED, "seed-0.npz"))["test"]
    norms = [row["mean_norm"] for row in record["universality"][:2]]
    parts = (z[:, :WIDTH], z[:, WIDTH:])
    assert norms == pytest.approx([np.linalg.norm(part, axis=1).mean() for part in parts], rel=1e-5)
    joined = {row["task"]: row["mean_norm"] for row in record["universality"] if row["seed"] == 0}
    assert [joined[task] for task in NEW] == pytest.approx([np.linalg.norm(z, axis=1).mean()] * len(NEW), rel=1e-5)


def test_a_data_set_that_is_drawn_anew_is_read_as_drawn_for_the_seed(workplace: Path) -> None:
    assert workplace
    data = Path("data/digits")
    for seed in (0, 1):
        (data / f"seed-{seed}").mkdir()
        for path in data.glob("*.npy"):
            labels = np.load(path)
            np.save(data / f"seed-{seed}" / path.name, labels if seed == 0 else np.roll(labels, 1, axis=0))
    tasks = [{"name": name, "kind": "classification", "classes": 3} for name in TASKS]
    for path in data.glob("*.npy"):
        path.unlink()
    write_manifest(data, config={"kind": "multimnist"}, tasks=tasks, seeds=[0, 1])
    probe(KEY)
    record = json.loads(Path("runs/toy/probe", f"{KEY}.json").read_text())
    losses = {
        row["seed"]: row["refitted_loss"]
        for row in record["universality"]
        if (row["task"], row["epoch"]) == ("left", 4)
    }
    assert losses[0] < 0.5  # the representation is of the labels of seed 0
    assert losses[1] > 1
    baselines("toy-digits")
    edit_plan(seeds=[0, 3])
    with pytest.raises(DGRError, match="not for seed 3"):
        probe(KEY)


def test_labels_that_cannot_be_read(workplace: Path) -> None:
    assert workplace
    Path("data/digits/val_right.npy").unlink()
    tasks = [{"name": name, "kind": "classification", "classes": 3} for name in TASKS]
    write_manifest(Path("data/digits"), config={"kind": "multimnist"}, tasks=tasks)
    refused("the labels of 'right' on 'val' are not readable .*; run `python -m dgr prepare digits`")


def test_baselines_stage(workplace: Path) -> None:
    assert workplace
    baselines("toy-digits")
    rows = json.loads(Path("runs/toy/baselines/toy-digits.json").read_text())["rows"]
    asked = len(CLASSIFIED)
    assert [(row["given"], row["classifier"]) for row in rows[:asked]] == [("majority", "majority")] * asked
    assert len(rows) == asked + asked * 5
    assert rows[1]["value"] == pytest.approx(1 / 3)
    assert (rows[0]["task"], rows[1]["task"]) == TASKS


def edit_plan(**changes: object) -> None:
    path = Path("plan.json")
    plan = yaml.safe_load(path.read_text())
    plan["probes"][KEY] |= changes
    path.write_text(json.dumps(plan))


def refused(message: str) -> None:
    with pytest.raises(DGRError, match=message):
        probe(KEY)
    assert not Path("runs/toy/probe").exists()


def test_too_few_training_samples(workplace: Path) -> None:
    assert workplace
    edit_plan(train_samples=121)
    refused("seed 0, holds 120 samples, but train_samples asks for 121")


def test_missing_seed_and_unknown_key(workplace: Path) -> None:
    assert workplace
    edit_plan(seeds=[0, 7])
    refused(rf"seed-7.* is missing; make it with `python -m dgr train {KEY}`")
    with pytest.raises(DGRError, match="no entry 'toy'"):
        probe("toy")


def test_run_that_was_edited(workplace: Path) -> None:
    assert workplace
    Path("runs/toy/train", KEY, "seed-1/metrics.json").write_text("{}")
    refused("was edited")


def test_run_on_other_data(workplace: Path) -> None:
    assert workplace
    path = Path("trained/toy", KEY, "seed-0.npz")
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "val": arrays["val"][:-1]})
    write_manifest(Path("trained/toy", KEY))
    refused("'val' has 29 samples, but the data set 30")


def test_representation_that_is_not_finite(workplace: Path) -> None:
    assert workplace
    path = Path("trained/toy", KEY, "seed-0.npz")
    arrays = dict(np.load(path))
    arrays["train"][0, 0] = np.nan
    np.savez(path, **arrays)
    write_manifest(Path("trained/toy", KEY))
    refused("'train', is not finite float32")


def test_other_width_than_the_architecture(workplace: Path) -> None:
    assert workplace
    architecture = {"name": "conv", "channels": [2], "width": WIDTH + 1, "hidden": 5}
    edit_plan(architecture=architecture)
    refused(f"heads read {WIDTH + 1} numbers")


def test_tasks_that_are_no_classification(workplace: Path) -> None:
    assert workplace
    manifest = json.loads(Path("data/digits/manifest.json").read_text())
    manifest["tasks"][1]["kind"] = "depth"
    write_json(Path("data/digits/manifest.json"), manifest)
    refused("task 'right' of digits is depth")


def test_large_images_are_averaged_for_classifiers_without_an_encoder():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 65, 73), np.uint8)
    seen = _pixels(images)
    assert seen.shape == (2, 3, 21, 24)
    assert seen[1, 2, 4, 5] == pytest.approx(images[1, 2, 12:15, 15:18].mean() / 255, rel=1e-6)
    assert np.allclose(_pixels(images[..., :36, :36]), images[..., :36, :36] / 255)
