"""NYUv2 as single pictures: every array against its files, on made ones and on the copy at 72×96 where it is."""

import tarfile

import numpy as np
import pytest
from made_nyu import TEST, THIRTEEN, TRAIN, picture, save, save_all, save_lists
from PIL import Image
from real_sources import real
from scipy.io import loadmat

from dgr.core.errors import DGRError
from dgr.datasets.kinds.nyuv2_png import Config, fits_mirrored
from dgr.datasets.prepared import load
from dgr.datasets.preparing import prepare_dataset

REAL = real("nyuv2_small")


def settings(**changes):
    chosen = {"kind": "nyuv2_png", "source": "nyuv2_small", "height": 24, "width": 32, "validation_share": 0.25}
    return Config(**chosen | {"seed": 1} | changes)


@pytest.fixture
def place(tmp_path):
    return save_all(tmp_path / "NYUv2")


def members(seed=1):
    """Numbers of the files of each split: those of the lists less one, the validation pictures drawn."""
    train = [number - 1 for number in TRAIN]
    val = sorted(np.random.default_rng(seed).permutation(train).tolist()[:2])
    return {"train": [n for n in train if n not in val], "val": val, "test": [number - 1 for number in TEST]}


def expected_classes(labels):
    """Pixel by pixel, from the 40-class number that is the file's value and one."""
    return np.array([[-1 if label == 39 else int(THIRTEEN[label]) - 1 for label in row] for row in labels])


def test_every_pixel_of_every_split_is_that_of_its_files(place):
    splits, report, _ = settings().compose(place)
    for split, numbers in members().items():
        arrays = splits[split]
        assert {name: (array.dtype.name, array.shape) for name, array in arrays.items()} == {
            "images": ("uint8", (len(numbers), 3, 24, 32)),
            "segmentation": ("int8", (len(numbers), 24, 32)),
            "depth": ("float32", (len(numbers), 1, 24, 32)),
        }
        for row, number in enumerate(numbers):
            layers = picture(number)
            with Image.open(place / f"nyu_images/{number}.jpg") as image:
                assert np.array_equal(arrays["images"][row].transpose(1, 2, 0), np.asarray(image))
            assert np.array_equal(arrays["segmentation"][row], expected_classes(layers["nyu_labels40"]))
            assert np.allclose(arrays["depth"][row, 0], layers["nyu_depths"] * 10.0 / 255, rtol=1e-6)
    one_pixel = pytest.approx(1 / (24 * 32))
    assert report["files"] == {"train": 6, "val": 2, "test": 4}
    assert all(shares == {"void": one_pixel, "invalid_depth": 0} for shares in report["shares"].values())
    assert report["copies"] == 0
    assert report["fit_better_mirrored"] == {"images": 0, "segmentation": 0, "depth": 0}


def test_a_smaller_size_averages_images_and_takes_the_nearest_label_and_depth(place):
    splits = settings(height=12, width=16).compose(place).splits
    whole = settings().compose(place).splits
    for split in splits:
        small, large = splits[split], whole[split]
        # Every new pixel is one of the four that it covers, and all three layers keep their place.
        for name in ("segmentation", "depth"):
            covered = large[name].reshape(-1, 12, 2, 16, 2).swapaxes(2, 3).reshape(-1, 12, 16, 4)
            assert (small[name].reshape(-1, 12, 16, 1) == covered).any(axis=-1).all()
        blocks = large["images"].reshape(-1, 3, 12, 2, 16, 2).mean(axis=(3, 5))
        inside = np.abs(small["images"] - blocks)[..., 1:-1, 1:-1]
        assert np.median(inside) < 1  # a triangle as wide as four pixels, and not only these two


def test_the_validation_split_depends_on_the_seed_only(place):
    first, again, other = (settings(seed=seed).compose(place).splits["val"]["depth"] for seed in (1, 1, 3))
    assert members(1) != members(3)
    assert np.array_equal(first, again)
    assert np.allclose(other[0, 0], picture(members(3)["val"][0])["nyu_depths"] / 25.5)


def test_it_is_prepared_and_read_for_training(place, tmp_path, monkeypatch):
    monkeypatch.setattr("dgr.datasets.preparing._place", lambda config: place)
    prepare_dataset("rooms", settings(), tmp_path / "data")
    data = load("rooms", tmp_path / "data")
    assert [task.name for task in data.tasks] == ["segmentation", "depth"]
    inputs, targets = data.splits["train"].batch(slice(0, 2))
    assert inputs.shape == (2, 3, 24, 32)
    assert targets["segmentation"].min() == -1
    assert 0 < targets["depth"].min() < targets["depth"].max() < 10


def mirrored(place, name, numbers=range(12)):
    for number in numbers:
        save(place, number, {name: picture(number)[name][:, ::-1].copy()})


@pytest.mark.parametrize("name", ["nyu_images", "nyu_labels40", "nyu_depths"])
def test_a_layer_that_is_mirrored_against_the_others_is_named(place, name):
    mirrored(place, name)
    with pytest.raises(DGRError, match=rf"/{name} does not fit the other layers: 12 of 12 pictures would if they were"):
        settings().compose(place)


def test_one_mirrored_picture_in_twelve_is_found(place):
    mirrored(place, "nyu_depths", [7])
    with pytest.raises(DGRError, match=r"/nyu_depths does not fit the other layers: 1 of 12"):
        settings().compose(place)


def test_all_layers_may_be_mirrored(place):
    for name in ("nyu_images", "nyu_labels40", "nyu_depths"):
        mirrored(place, name)
    assert settings().compose(place).report["fit_better_mirrored"] == {"images": 0, "segmentation": 0, "depth": 0}


def test_edges_tell_whether_a_layer_is_mirrored():
    values = np.zeros((4, 9))
    values[:, 3:] = 5
    other = np.where(values > 0, 1.0, 7.0)
    assert not fits_mirrored(values, other)
    assert fits_mirrored(values, other[:, ::-1])


def spoilt(name, change, number=5):
    def spoil(place):
        values = change(picture(number)[name])
        save(place, number, {name: values})

    return spoil


def with_label_40(labels):
    labels[3, 3] = 40
    return labels


WRONG = {
    "an image of another size": (
        spoilt("nyu_images", lambda image: image[:-2]),
        r"nyu_images/5\.jpg has uint8 values of shape \(22, 32, 3\), but uint8 of \(24, 32, 3\) is expected; replace",
    ),
    "labels of another size": (spoilt("nyu_labels40", lambda labels: labels[:, 1:]), r"nyu_labels40/5\.png has uint8"),
    "a grey image": (spoilt("nyu_images", lambda image: image[..., 0]), r"nyu_images/5\.jpg has .*\(24, 32\), but"),
    "depth in 16 bits": (spoilt("nyu_depths", lambda depth: depth.astype(np.uint16)), r"nyu_depths/5\.png has uint16"),
    "a label outside its set": (spoilt("nyu_labels40", with_label_40), r"5\.png holds label 40, but labels are 0…39"),
    "a missing picture": (lambda place: (place / "nyu_depths/5.png").unlink(), r"nyu_depths/5\.png is missing, but"),
    "no picture": (lambda place: (place / "nyu_images/5.jpg").write_bytes(b"x"), r"5\.jpg is not a whole image"),
    "a half picture": (
        lambda place: (place / "nyu_labels40/5.png").write_bytes((place / "nyu_labels40/5.png").read_bytes()[:60]),
        r"5\.png is not a whole image",
    ),
    "a split of fewer": (lambda place: save_lists(place, train=TRAIN[1:]), r"splits\.mat must name each of the 12 pic"),
    "a picture on both sides": (lambda place: save_lists(place, test=(1, *TEST[1:])), r"names 8 and 4, not these"),
    "a split from 0": (lambda place: save_lists(place, train=[n - 1 for n in TRAIN]), r"splits\.mat must name each"),
    "no list of pictures": (lambda place: (place / "splits.mat").write_bytes(b"x" * 200), r"is no readable MATLAB"),
    "no list of classes": (
        lambda place: (place / "class13Mapping.mat").unlink(),
        r"class13Mapping\.mat is no readable",
    ),
    "another list of classes": (
        lambda place: save_lists(place, thirteen=np.minimum(THIRTEEN, 12)),
        r"class13Mapping\.mat does not lead from 40 classes to all of 1…13",
    ),
    "a list of names": (
        lambda place: save_lists(place, thirteen=np.array(["a"] * 40, object)),
        r"holds no list 'classMapping13' of whole numbers",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_sentence_and_nothing_is_left(case, place, tmp_path, monkeypatch):
    spoil, message = WRONG[case]
    spoil(place)
    monkeypatch.setattr("dgr.datasets.preparing._place", lambda config: place)
    with pytest.raises(DGRError, match=message) as caught:
        prepare_dataset("rooms", settings(), tmp_path / "data")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "data").iterdir())


def test_nothing_is_enlarged(place):
    with pytest.raises(DGRError, match=r"has 24×32 pixels, fewer than the 48×64 that are configured, and nothing is"):
        settings(height=48, width=64).compose(place)


needs_copy = pytest.mark.skipif(not REAL.exists(), reason="needs NYUv2 at 72×96; name its folder as DGR_DATA_MIRROR")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    with tarfile.open(REAL) as archive:
        archive.extractall(folder, filter="data")
    return folder / "NYUv2"


@needs_copy
def test_the_real_pictures_keep_the_official_split_and_their_values(copy):
    splits, report, _ = settings(height=72, width=96, validation_share=0.1, seed=0).compose(copy)
    assert report["files"] == {"train": 715, "val": 80, "test": 654}
    assert report["copies"] == 0
    assert sum(report["fit_better_mirrored"].values()) < 10
    numbers = np.sort(loadmat(copy / "splits.mat")["testNdxs"].ravel().astype(int) - 1)
    for row in (0, 200, 653):
        name = f"{numbers[row]}.png"
        labels, depth = (
            np.asarray(Image.open(copy / folder / name)).astype(int) for folder in ("nyu_labels40", "nyu_depths")
        )
        assert np.array_equal(splits["test"]["segmentation"][row], expected_classes(labels))
        assert np.abs(splits["test"]["depth"][row, 0] - depth / 25.5).max() < 1e-5
    seen = np.unique(np.concatenate([arrays["segmentation"].ravel() for arrays in splits.values()]))
    assert seen.tolist() == list(range(-1, 13))
    assert {split: round(shares["void"], 3) for split, shares in report["shares"].items()} == {
        "train": 0.178,
        "val": 0.195,
        "test": 0.175,
    }


@needs_copy
def test_a_mirrored_layer_of_the_real_pictures_is_named(copy, tmp_path):
    (tmp_path / "nyu_depths").mkdir()
    for name in ("nyu_images", "nyu_labels40", "splits.mat", "class13Mapping.mat"):
        (tmp_path / name).symlink_to(copy / name)
    for path in (copy / "nyu_depths").iterdir():
        with Image.open(path) as depth:
            depth.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "nyu_depths" / path.name)
    with pytest.raises(DGRError, match=r"nyu_depths does not fit the other layers: 14\d\d of 1449 pictures"):
        settings(height=36, width=48, validation_share=0.1).compose(tmp_path)
