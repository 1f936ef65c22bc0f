import tracemalloc

import numpy as np
import pytest
import torch

from dgr.core.errors import DGRError
from dgr.datasets.kinds.nyuv2 import Config

HEIGHT, WIDTH = 6, 8
COUNTS = {"train": 12, "val": 3}


def settings(**changes):
    chosen = {"kind": "nyuv2", "source": "nyuv2", "height": HEIGHT, "width": WIDTH, "validation_share": 0.25, "seed": 1}
    return Config(**chosen | changes)


def picture(seed, height=HEIGHT, width=WIDTH):
    """Files of one number, as published, with one void, one invalid depth and one zero normal."""
    generator = np.random.default_rng(seed)
    normal = generator.normal(size=(height, width, 3))
    files = {
        "image": generator.integers(0, 256, (height, width, 3)) / 255,
        "label": generator.integers(0, 13, (height, width)),
        "depth": generator.uniform(0.5, 10, (height, width, 1)),
        "normal": normal / np.linalg.norm(normal, axis=-1, keepdims=True),
    }
    files["label"][0, 1] = -1
    files["depth"][1, 2] = 0
    files["normal"][2, 3] = 0
    return files


def write(folder, number, files):
    for name, values in files.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        np.save(folder / name / f"{number}.npy", values)


def write_all(source, counts=COUNTS, **size):
    for side, count in counts.items():
        for number in range(count):
            write(source / side, number, picture(number + 100 * (side == "val"), **size))
    return source


@pytest.fixture
def source(tmp_path):
    return write_all(tmp_path / "nyuv2")


def expected_numbers(seed=1):
    val = sorted(np.random.default_rng(seed).permutation(12)[:3].tolist())
    return {"train": [n for n in range(12) if n not in val], "val": val, "test": [100, 101, 102]}


def test_every_pixel_of_every_split_is_that_of_its_file(source):
    splits, report, _ = settings().compose(source)
    assert {split: len(arrays["images"]) for split, arrays in splits.items()} == {"train": 9, "val": 3, "test": 3}
    for split, seeds in expected_numbers().items():
        arrays = splits[split]
        types = {name: (array.dtype.name, array.shape[1:]) for name, array in arrays.items()}
        assert types == {
            "images": ("uint8", (3, HEIGHT, WIDTH)),
            "segmentation": ("int8", (HEIGHT, WIDTH)),
            "depth": ("float32", (1, HEIGHT, WIDTH)),
            "normals": ("float32", (3, HEIGHT, WIDTH)),
        }
        for row, seed in enumerate(seeds):
            files = picture(seed)
            for channel in range(3):
                assert np.array_equal(arrays["images"][row, channel] / 255, files["image"][..., channel])
                assert np.allclose(arrays["normals"][row, channel], files["normal"][..., channel], atol=1e-6)
            assert np.array_equal(arrays["segmentation"][row], files["label"])
            assert np.array_equal(arrays["depth"][row, 0], files["depth"][..., 0].astype(np.float32))
            assert arrays["segmentation"][row, 0, 1] == -1
            assert arrays["depth"][row, 0, 1, 2] == 0
            assert arrays["normals"][row, :, 2, 3].tolist() == [0, 0, 0]
    assert report["files"] == {"train": 9, "val": 3, "test": 3}
    one_pixel = pytest.approx(1 / (HEIGHT * WIDTH))
    for shares in report["shares"].values():
        assert shares == {"void": one_pixel, "invalid_depth": one_pixel, "invalid_normals": one_pixel}
    assert report["copies"] == 0
    assert "conversion" not in report


def test_shares_count_all_marked_pixels_of_a_split(source):
    files = picture(101)
    files["label"][:] = -1
    files["depth"][0] = 0
    write(source / "val", 1, files)
    _, report, _ = settings().compose(source)
    assert report["shares"]["test"]["void"] == pytest.approx((1 + 48 + 1) / (3 * 48))
    assert report["shares"]["test"]["invalid_depth"] == pytest.approx((1 + 8 + 1 + 1) / (3 * 48))


def test_an_odd_size_is_read_as_configured(tmp_path):
    source = write_all(tmp_path, height=7, width=9)
    splits, _, _ = settings(height=7, width=9).compose(source)
    assert splits["test"]["images"].shape == (3, 3, 7, 9)
    assert np.array_equal(splits["test"]["segmentation"][2], picture(102, 7, 9)["label"])
    with pytest.raises(
        DGRError, match=r"image/0\.npy has shape \(7, 9, 3\), but the configuration asks for \(6, 8, 3\)"
    ):
        settings().compose(source)


def test_intensities_are_rounded_to_the_nearest_byte(source):
    files = picture(0)
    files["image"][0, :4, 0] = [0.4 / 255, 0.6 / 255, 254.6 / 255, 1.0005]
    write(source / "val", 0, files)
    splits, _, _ = settings().compose(source)
    assert splits["test"]["images"][0, 0, 0, :4].tolist() == [0, 1, 255, 255]


def test_normals_are_brought_to_unit_length(source):
    files = picture(0)
    files["normal"][0, 0] = [0, 0.3, -0.4]
    write(source / "val", 0, files)
    splits, _, _ = settings().compose(source)
    assert splits["test"]["normals"][0, :, 0, 0].tolist() == pytest.approx([0, 0.6, -0.8])


@pytest.mark.parametrize("kind", [np.float64, np.int64, np.int8])
def test_labels_may_be_stored_as_any_kind_of_number(source, kind):
    files = picture(0)
    write(source / "val", 0, files | {"label": files["label"].astype(kind)})
    splits, _, _ = settings().compose(source)
    assert np.array_equal(splits["test"]["segmentation"][0], files["label"])


def test_the_validation_split_depends_on_the_seed_only(source):
    first, again, other = (settings(seed=seed).compose(source)[0] for seed in (1, 1, 2))
    assert expected_numbers(1) != expected_numbers(2)
    for split in first:
        assert all(np.array_equal(first[split][name], again[split][name]) for name in first[split])
    assert np.array_equal(other["val"]["segmentation"][0], picture(expected_numbers(2)["val"][0])["label"])


def test_a_picture_that_stands_in_two_splits_is_counted(source):
    write(source / "val", 0, picture(4))
    assert settings().compose(source)[1]["copies"] == 1


def test_targets_are_what_the_tasks_accept(source):
    splits, _, _ = settings().compose(source)
    assert [(task.name, task.kind, task.classes) for task in settings().tasks] == [
        ("segmentation", "segmentation", 13),
        ("depth", "depth", 0),
        ("normals", "normals", 0),
    ]
    for task in settings().tasks:
        targets = torch.from_numpy(splits["train"][task.name])
        task.check_targets(targets, "train")
        perfect = (
            100 * torch.nn.functional.one_hot(targets.long().clamp(min=0), 13).movedim(-1, 1).float()
            if task.classes
            else targets
        )
        assert task.loss(perfect, targets).item() == pytest.approx(0, abs=1e-6)


def test_no_more_memory_is_taken_than_the_arrays_need(tmp_path):
    source = write_all(tmp_path, {"train": 60, "val": 20}, height=48, width=64)
    tracemalloc.start()
    splits, _, _ = settings(height=48, width=64).compose(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.2 * sum(array.nbytes for arrays in splits.values() for array in arrays.values())


def changed(name, change):
    """Damage: the same file with other values."""

    def damage(source):
        path = source / "train" / name / "7.npy"
        values = np.load(path)
        path.unlink()
        np.save(path, change(values))

    return damage


def put(name, index, value):
    def change(values):
        values[index] = value
        return values

    return changed(name, change)


def test_a_picture_of_one_corner_has_normals_without_a_negative_component(source):
    path = source / "train/normal/7.npy"
    path.unlink()
    np.save(path, np.full((6, 8, 3), 3**-0.5))
    settings().compose(source)


def cut(path, kept):
    path.write_bytes(path.read_bytes()[:kept])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            put("image", (0, 0, 0), 1.5),
            r"train/image/7\.npy holds values from .* to 1\.5, but they must lie in .*; repl",
        ),
        (put("image", (0, 0, 0), -0.1), r"image/7\.npy holds values from -0\.1 to"),
        (put("image", (0, 0, 0), np.nan), r"image/7\.npy holds values from nan"),
        (
            changed("image", lambda image: (image * 255).astype(np.uint8)),
            r"image/7\.npy holds uint8, but fractions are",
        ),
        (
            changed("image", lambda image: image[..., 0]),
            r"image/7\.npy has shape \(6, 8\), but .* asks for \(6, 8, 3\)",
        ),
        (changed("image", lambda image: image.transpose(2, 0, 1)), r"image/7\.npy has shape \(3, 6, 8\)"),
        (put("label", (0, 0), 13), r"label/7\.npy holds values from -1 to 13, but they must lie in -1…12"),
        (put("label", (0, 0), -2), r"label/7\.npy holds values from -2 to"),
        (changed("label", lambda label: label * 0.5), r"label/7\.npy holds labels that are not whole numbers"),
        (changed("label", lambda label: label.astype(str)), r"label/7\.npy holds <U\d+, but numbers are expected"),
        (changed("label", lambda label: label > 3), r"label/7\.npy holds bool, but numbers"),
        (put("depth", (0, 0), np.nan), r"depth/7\.npy holds values from nan"),
        (put("depth", (0, 0), np.inf), r"depth/7\.npy holds values from 0 to inf"),
        (put("depth", (0, 0), -1), r"depth/7\.npy holds values from -1 to"),
        (
            changed("depth", lambda depth: depth[..., 0]),
            r"depth/7\.npy has shape \(6, 8\), but .* asks for \(6, 8, 1\)",
        ),
        (
            changed("depth", lambda depth: depth * 1000),
            r"depth/7\.npy holds values .*, but they must lie in 0…100 metres",
        ),
        (
            changed("normal", lambda normal: (normal + 1) / 2),
            r"normal/7\.npy holds normals without a negative component",
        ),
        (put("normal", (0, 0), 2), r"normal/7\.npy holds values from .* to 2"),
        (put("normal", (0, 0), np.nan), r"normal/7\.npy holds values from nan"),
        (
            lambda s: cut(s / "train/depth/7.npy", 300),
            r"depth/7\.npy is not a readable array of numbers .*; replace it",
        ),
        (lambda s: cut(s / "train/depth/7.npy", 0), r"depth/7\.npy is not a readable array"),
        (
            lambda s: (s / "train/depth/7.npy").unlink(),
            r"train/depth/7\.npy is missing, but \S*image/7\.npy is there \(12",
        ),
        (
            lambda s: (s / "train/image/7.npy").unlink(),
            r"train/image/7\.npy is missing, but \S*label/7\.npy is there \(11",
        ),
        (
            lambda s: np.save(s / "val/normal/3.npy", 0),
            r"val/image/3\.npy is missing, .* \(3 files in image, 4 in normal",
        ),
        (
            lambda s: (s / "val/image/3 (copy).npy").touch(),
            r"image/3 \(copy\)\.npy is not named by a plain number; rename",
        ),
        (lambda s: (s / "val/image/03.npy").touch(), r"image/03\.npy is not named by a plain number"),
        (
            lambda s: (s / "val").rename(s / "test"),
            r"val/image cannot be listed \(No such file.*\); put the data set's",
        ),
        (lambda s: (s / "val/label").rename(s / "val/labels"), r"val/label cannot be listed"),
    ],
)
def test_damage_is_named_with_the_way_out(source, damage, message):
    damage(source)
    with pytest.raises(DGRError, match=message):
        settings().compose(source)


def test_pickled_objects_are_never_loaded(source):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    path = source / "train/label/7.npy"
    path.unlink()
    np.save(path, np.array([Trap()]), allow_pickle=True)
    with pytest.raises(DGRError, match=r"label/7\.npy is not a readable array of numbers"):
        settings().compose(source)


def test_a_header_that_promises_too_much_takes_no_memory(source):
    path = source / "train/depth/7.npy"
    small, large = b"(6, 8, 1), }", b"(600000, 800000, 1), }"
    content = path.read_bytes().replace(small + b" " * (len(large) - len(small)), large)
    assert large in content
    path.write_bytes(content)
    with pytest.raises(DGRError, match=r"depth/7\.npy is not a readable array"):
        settings().compose(source)


def test_an_empty_folder_is_named(tmp_path):
    source = write_all(tmp_path)
    for path in source.glob("train/*/*.npy"):
        path.unlink()
    with pytest.raises(DGRError, match=r"train/image holds no \.npy files; put the data set there"):
        settings().compose(source)


@pytest.mark.parametrize(("share", "taken"), [(0.01, 0), (0.99, 12)])
def test_a_share_that_leaves_a_split_empty_is_refused(source, share, taken):
    with pytest.raises(DGRError, match=rf"has 12 pictures, of which validation_share {share} takes {taken}; choose"):
        settings(validation_share=share).compose(source)


def test_hidden_and_foreign_files_are_passed_over(source):
    (source / "train/image/._7.npy").touch()
    (source / "train/image/notes.txt").touch()
    assert settings().compose(source)[1]["files"]["train"] == 9
