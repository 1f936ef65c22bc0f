import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dgr.config.sources import read_source
from dgr.core.errors import DGRError
from dgr.core.files import write_manifest
from dgr.datasets.fetch import fetch_source
from dgr.datasets.kinds.utkface import Config, read_labels
from dgr.datasets.prepared import load
from dgr.datasets.preparing import prepare_dataset

SIZE = 8
SHARES = {"train": 0.5, "val": 0.25, "test": 0.25}
REAL = Path(os.environ.get("DGR_DATA_MIRROR", Path(__file__).parents[3] / "shared/data")) / "utkface64/UTKFace.tar.gz"


def face(seed, size=SIZE):
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


FILES = {
    **{f"{age}_{age % 2}_{age % 5}_2017.jpg.chip.jpg": face(age) for age in range(5, 105, 5)},
    "30_0_1_copy.jpg.chip.jpg": face(500),
    "29_0_1_copy.jpg.chip.jpg": face(500),  # the same bin
    "30_0_2_odd.jpg.chip.jpg": face(501),
    "30_1_2_odd.jpg.chip.jpg": face(501),  # another gender
    "61_1_20170109142408075.jpg.chip.jpg": face(502),  # no race
    "0_0_0_2017.jpg.chip.jpg": face(503),  # age outside the bins
}


def write_chips(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def settings(**changes):
    return Config(**{"kind": "utkface", "source": "chips", "image_size": SIZE, "shares": SHARES, "seed": 1} | changes)


@pytest.fixture
def chips(tmp_path):
    return write_chips(tmp_path / "sources/chips", FILES)


@pytest.mark.parametrize(
    ("age", "bin_"), [(1, 0), (10, 0), (11, 1), (20, 1), (50, 4), (51, 5), (60, 5), (61, 6), (116, 6), (120, 6)]
)
def test_age_bins_are_closed_on_the_right(age, bin_):
    assert read_labels(f"{age}_1_4_2017.jpg.chip.jpg") == (bin_, 1, 4)
    assert read_labels(f"{age}_1_4_20170116000000000jpg.chip.jpg") == (bin_, 1, 4)


@pytest.mark.parametrize("name", ["1_0_5_x.jpg.chip.jpg", "1_2_0_x.jpg.chip.jpg", "121_0_0_x.jpg.chip.jpg", "x.jpg"])
def test_names_without_three_labels(name):
    assert read_labels(name) is None


def test_splits_hold_each_face_once_with_its_labels(chips):
    splits, report, _ = settings().compose(chips)
    assert report == {
        "files": 26,
        "odd_names": 2,
        "first_odd_names": ["0_0_0_2017.jpg.chip.jpg", "61_1_20170109142408075.jpg.chip.jpg"],
        "copies": 2,
        "contradicting_faces": 1,
        "faces": 21,
    }
    assert [len(arrays["images"]) for arrays in splits.values()] == [10, 6, 5]
    found = {}
    for arrays in splits.values():
        assert arrays["images"].shape[1:] == (3, SIZE, SIZE)
        for image, *labels in zip(arrays["images"], arrays["age"], arrays["gender"], arrays["race"], strict=True):
            assert found.setdefault(image.tobytes(), labels) is labels, "a face stands in two places"
    for name, content in FILES.items():
        labels = read_labels(name)
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).transpose(2, 0, 1).tobytes()
        if labels is None or content == face(501):
            assert pixels not in found, name
        else:
            assert found[pixels] == list(labels), name


def test_the_order_of_files_does_not_matter(chips, tmp_path):
    other = write_chips(
        tmp_path / "other", {f"nested{i}.jpg": face(i) for i in range(3)} | dict(reversed(FILES.items()))
    )
    one, two = settings().compose(chips), settings().compose(other)
    assert two[1]["odd_names"] == one[1]["odd_names"] + 3
    for split in SHARES:
        assert all(np.array_equal(one[0][split][name], two[0][split][name]) for name in ("images", "age"))


def test_the_authors_protocol_keeps_copies_and_validates_on_test(chips):
    splits, report, _ = settings(protocol="authors", shares={"train": 0.75, "test": 0.25}).compose(chips)
    assert report["faces"] == 24
    assert [len(splits[name]["images"]) for name in ("train", "val", "test")] == [18, 6, 6]
    assert np.array_equal(splits["val"]["images"], splits["test"]["images"])


def test_another_size_is_scaled(chips):
    splits, _, _ = settings(image_size=4).compose(chips)
    assert splits["train"]["images"].shape == (10, 3, 4, 4)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({**FILES, "1_0_0_a.jpg.chip.jpg": face(1)[:-100]}, r"1_0_0_a\.jpg\.chip\.jpg in .* is not a whole image"),
        ({**FILES, "1_0_0_a.jpg.chip.jpg": b"text"}, r"1_0_0_a\.jpg\.chip\.jpg in .* is not a whole image"),
        ({"readme.jpg": face(1)}, "holds no file named AGE_GENDER_RACE"),
        ({"1_0_0_a.jpg.chip.jpg": face(1)}, "has 1 faces, of which split 'train' gets none"),
    ],
)
def test_damaged_sources_are_named(tmp_path, files, message):
    folder = write_chips(tmp_path / "chips", files)
    with pytest.raises(DGRError, match=message):
        settings().compose(folder)


def test_prepared_faces_are_mapped_and_scaled(chips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_manifest(chips)
    prepare_dataset("faces", settings(), tmp_path / "data")
    data = load("faces", tmp_path / "data")
    expected, _, _ = settings().compose(chips)
    assert [(task.name, task.classes) for task in data.tasks] == [("age", 7), ("gender", 2), ("race", 5)]
    ((inputs, targets),) = data.splits["val"].batches(100)
    assert inputs.shape == (6, 3, SIZE, SIZE)
    assert np.array_equal((inputs * 255).round().numpy(), expected["val"]["images"])
    assert np.array_equal(targets["race"].numpy(), expected["val"]["race"])


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_source_that_is_not_whole_says_how_to_get_it(chips, tmp_path, monkeypatch, damage):
    monkeypatch.chdir(tmp_path)
    write_manifest(chips)
    shutil.rmtree(chips) if damage == "missing" else (chips / "30_0_2_odd.jpg.chip.jpg").write_bytes(face(1))
    with pytest.raises(DGRError, match=r"run `python -m dgr fetch chips`"):
        prepare_dataset("faces", settings(), tmp_path / "data")
    assert not list((tmp_path / "data").iterdir())


@pytest.mark.parametrize("shares", [{"train": 0.5, "val": 0.5}, {"train": 0.5, "val": 0.3, "test": 0.3}])
def test_shares_must_be_whole(shares):
    with pytest.raises(ValueError, match="add up to 1"):
        settings(shares=shares)


@pytest.mark.skipif(not REAL.exists(), reason="needs the UTKFace chips at 64×64; name their folder as DGR_DATA_MIRROR")
def test_the_real_chips(tmp_path):
    fetched = fetch_source(
        "utkface64", read_source(Path(__file__).parents[2] / "paper_configs", "utkface64"), tmp_path, REAL
    )
    splits, report, _ = settings(image_size=64, shares={"train": 0.7, "val": 0.1, "test": 0.2}).compose(fetched.folder)
    assert report["files"] == 23707
    assert report["odd_names"] == 3
    assert sum(len(arrays["age"]) for arrays in splits.values()) == report["faces"]
    assert {name: int(splits["train"][name].max()) for name in ("age", "gender", "race")} == {
        "age": 6,
        "gender": 1,
        "race": 4,
    }
