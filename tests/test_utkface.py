import hashlib
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dgr.core.dataset_config import UTKFaceConfig
from dgr.core.errors import DGRError
from dgr.datasets import prepared
from dgr.datasets.prepared import load, prepare
from dgr.datasets.utkface import compose, read_labels

SIZE = 8
SHARES = {"train": 0.5, "val": 0.25, "test": 0.25}
REAL = Path(os.environ.get("DGR_SOURCES", Path(__file__).parents[2] / "shared/data/utkface64")) / "UTKFace.tar.gz"
REAL_SHA256 = "1896ebee291467abcef2dd791452b4e920b2f8a341d33c6e303111a497605a52"


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


def write_archive(path, files, folder="UTKFace/"):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(folder + name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def settings(path, **changes):
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "0" * 64
    chosen = {"kind": "utkface", "source": path.name, "sha256": digest, "image_size": SIZE, "shares": SHARES, "seed": 1}
    return UTKFaceConfig(**chosen | changes)


@pytest.fixture
def archive(tmp_path):
    return write_archive(tmp_path / "faces.tar.gz", FILES)


@pytest.mark.parametrize(
    ("age", "bin_"), [(1, 0), (10, 0), (11, 1), (20, 1), (50, 4), (51, 5), (60, 5), (61, 6), (116, 6), (120, 6)]
)
def test_age_bins_are_closed_on_the_right(age, bin_):
    assert read_labels(f"{age}_1_4_2017.jpg.chip.jpg") == (bin_, 1, 4)


@pytest.mark.parametrize("name", ["1_0_5_x.jpg.chip.jpg", "1_2_0_x.jpg.chip.jpg", "121_0_0_x.jpg.chip.jpg", "x.jpg"])
def test_names_without_three_labels(name):
    assert read_labels(name) is None


def test_splits_hold_each_face_once_with_its_labels(archive):
    splits, report = compose(settings(archive), archive)
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


def test_a_folder_gives_what_the_archive_gives_in_any_order(archive, tmp_path):
    folder = tmp_path / "chips"
    folder.mkdir()
    for name, content in reversed(FILES.items()):
        (folder / name).write_bytes(content)
    of_archive, of_folder = (compose(settings(path), path) for path in (archive, folder))
    assert of_archive[1] == of_folder[1]
    for split in SHARES:
        assert all(np.array_equal(of_archive[0][split][name], of_folder[0][split][name]) for name in ("images", "age"))


def test_another_size_is_scaled(archive):
    splits, _ = compose(settings(archive, image_size=4), archive)
    assert splits["train"]["images"].shape == (10, 3, 4, 4)


@pytest.mark.parametrize(
    ("files", "changes", "message"),
    [
        (FILES, {"sha256": "1" * 64}, r"faces\.tar\.gz has SHA-256 .*, but 1111.* is expected; fetch it again"),
        ({**FILES, "1_0_0_a.jpg.chip.jpg": face(1)[:-100]}, {}, r"1_0_0_a\.jpg\.chip\.jpg in .* is not a whole image"),
        ({**FILES, "1_0_0_a.jpg.chip.jpg": b"text"}, {}, r"1_0_0_a\.jpg\.chip\.jpg in .* is not a whole image"),
        ({"readme.jpg": face(1)}, {}, "holds no file named AGE_GENDER_RACE"),
        ({"1_0_0_a.jpg.chip.jpg": face(1)}, {}, "has 1 faces, of which split 'train' gets none"),
    ],
)
def test_damaged_sources_are_named(tmp_path, files, changes, message):
    path = write_archive(tmp_path / "faces.tar.gz", files)
    with pytest.raises(DGRError, match=message):
        compose(settings(path, **changes), path)


def test_a_truncated_or_foreign_archive_is_refused(archive):
    for content in (archive.read_bytes()[:-200], b"no archive"):
        archive.write_bytes(content)
        with pytest.raises(DGRError, match=r"faces\.tar\.gz cannot be read as an archive"):
            compose(settings(archive), archive)


def test_nothing_is_written_outside_by_an_evil_archive(tmp_path):
    path = write_archive(tmp_path / "faces.tar.gz", {f"../../{name}": content for name, content in FILES.items()}, "")
    before = sorted(tmp_path.rglob("*"))
    compose(settings(path), path)
    assert sorted(tmp_path.rglob("*")) == before
    assert not list(tmp_path.parent.glob("*.chip.jpg"))


def test_prepared_faces_are_mapped_and_scaled(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(prepared, "SOURCES", tmp_path)
    prepare("faces", settings(archive), tmp_path / "data")
    data = load("faces", tmp_path / "data")
    expected, _ = compose(settings(archive), archive)
    assert [(task.name, task.classes) for task in data.tasks] == [("age", 7), ("gender", 2), ("race", 5)]
    (inputs,) = data.splits["val"].inputs(100)
    assert inputs.shape == (6, 3, SIZE, SIZE)
    assert np.array_equal((inputs * 255).round().numpy(), expected["val"]["images"])
    assert np.array_equal(data.splits["val"].targets["race"].numpy(), expected["val"]["race"])


def test_a_missing_source_says_where_to_put_it(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(prepared, "SOURCES", tmp_path / "elsewhere")
    with pytest.raises(DGRError, match=r"elsewhere/faces\.tar\.gz is missing; put it there, or .* DGR_SOURCES"):
        prepare("faces", settings(archive), tmp_path / "data")
    assert not list((tmp_path / "data").iterdir())


@pytest.mark.parametrize("shares", [{"train": 0.5, "val": 0.5}, {"train": 0.5, "val": 0.3, "test": 0.3}])
def test_shares_must_be_whole(archive, shares):
    with pytest.raises(ValueError, match="add up to 1"):
        settings(archive, shares=shares)


@pytest.mark.skipif(not REAL.exists(), reason="needs the UTKFace chips at 64×64; name their folder as DGR_SOURCES")
def test_the_real_chips():
    config = settings(REAL, sha256=REAL_SHA256, image_size=64, shares={"train": 0.7, "val": 0.1, "test": 0.2})
    splits, report = compose(config, REAL)
    assert report["files"] == 23707
    assert report["odd_names"] == 3
    assert sum(len(arrays["age"]) for arrays in splits.values()) == report["faces"]
    assert {name: int(splits["train"][name].max()) for name in ("age", "gender", "race")} == {
        "age": 6,
        "gender": 1,
        "race": 4,
    }
