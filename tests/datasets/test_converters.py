import errno
import inspect
import sys

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from dgr.core.errors import DGRError
from dgr.datasets import cityscapes_original, nyuv2_original
from dgr.datasets.kinds import cityscapes, nyuv2
from dgr.datasets.nyuv2_original import Intrinsics, normals_from_depth

SIZE = (6, 8)
ORIGINAL = (12, 16)
CAMERA = Intrinsics(fx=20.0, fy=25.0, cx=7.3, cy=5.1)
FORTY = [3, 1, 40, 2, 7]  # of the label ids 1 … 5
THIRTEEN = [(k * 5) % 13 + 1 for k in range(40)]  # of the classes 1 … 40
TRAIN, TEST = [4, 1, 6, 2], [5, 3]  # of the pictures 1 … 7


def halved(values):
    """The nearest original pixel of each new one: the second of every two, (i + 1/2) · 2 = 2i + 1."""
    return values[1::2, 1::2]


def tent(length):
    """Bilinear halving: weights 1, 3, 3, 1 around each new pixel, cut off and renewed at the border."""
    weights = np.zeros((length // 2, length))
    for i in range(length // 2):
        for offset, weight in zip((-1, 0, 1, 2), (1, 3, 3, 1), strict=True):
            if 0 <= 2 * i + offset < length:
                weights[i, 2 * i + offset] = weight
    return weights / weights.sum(axis=1, keepdims=True)


def smoothed(image):
    return np.einsum("ia,jb,abc->ijc", tent(image.shape[0]), tent(image.shape[1]), image.astype(float))


def configuration(kind):
    height, width = SIZE
    return kind.Config(
        kind=kind.__name__.rpartition(".")[2], source="s", height=height, width=width, validation_share=0.25, seed=0
    )


def temporary_files(folder):
    return [path for path in folder.iterdir() if path.name.startswith(".")]


class OriginalNYUv2:
    """The original's files, small, and what they say."""

    def __init__(self, folder, samples=7):
        generator = np.random.default_rng(0)
        self.folder = folder
        self.images = generator.integers(0, 256, (samples, *ORIGINAL, 3)).astype(np.uint8)
        self.depths = generator.uniform(1, 9, (samples, *ORIGINAL)).astype(np.float32)
        self.depths[:, 3, 5] = 0
        self.labels = generator.integers(0, 6, (samples, *ORIGINAL)).astype(np.uint16)
        self.write()
        names = np.empty(40, object)
        names[:] = "name"
        savemat(folder / "splits.mat", {"trainNdxs": np.c_[np.uint16(TRAIN)], "testNdxs": np.c_[np.uint16(TEST)]})
        savemat(folder / "classMapping40.mat", {"mapClass": np.uint8([FORTY]), "className": names})
        thirteen = {"labels13": np.uint8([THIRTEEN]), "className": names}
        savemat(folder / "class13Mapping.mat", {"classMapping13": thirteen}, do_compression=True)

    def write(self, **changes):
        """MATLAB stores the first axis innermost, so that HDF5 shows all axes in reverse."""
        values = {"images": self.images.transpose(1, 2, 3, 0), "depths": self.depths.transpose(1, 2, 0)}
        values |= {"labels": self.labels.transpose(1, 2, 0)} | changes
        with h5py.File(self.folder / "labeled.mat", "w") as file:
            for name, array in values.items():
                if array is not None:
                    file.create_dataset(name, data=array.T)

    def convert(self, **changes):
        given = {"original": "labeled.mat", "target": "made", "splits": "splits.mat"}
        given |= {"classes40": "classMapping40.mat", "classes13": "class13Mapping.mat"}
        paths = {name: self.folder / value for name, value in given.items()}
        nyuv2_original.convert_original_nyuv2(**paths | {"intrinsics": CAMERA, "size": SIZE} | changes)
        return self.folder / "made"


@pytest.fixture
def original_nyuv2(tmp_path):
    return OriginalNYUv2(tmp_path)


def test_nyuv2_is_converted_pixel_by_pixel(original_nyuv2):
    made = original_nyuv2.convert()
    assert sorted(path.name for path in made.iterdir()) == ["conversion.json", "train", "val"]
    for side, indices in {"train": TRAIN, "val": TEST}.items():
        assert sorted(path.name for path in (made / side / "label").iterdir()) == [
            f"{n}.npy" for n in range(len(indices))
        ]
        for number, index in enumerate(indices):
            image, label, depth, normal = (
                np.load(made / side / name / f"{number}.npy") for name in ("image", "label", "depth", "normal")
            )
            ids = halved(original_nyuv2.labels[index - 1])
            for i, j in np.ndindex(SIZE):
                expected = -1 if ids[i, j] == 0 else THIRTEEN[FORTY[ids[i, j] - 1] - 1] - 1
                assert label[i, j] == expected
            assert depth.shape == (*SIZE, 1)
            assert np.array_equal(depth[..., 0], halved(original_nyuv2.depths[index - 1]))
            assert depth[1, 2, 0] == 0
            # Pillow rounds to bytes after each of both directions.
            assert np.abs(image * 255 - smoothed(original_nyuv2.images[index - 1])).max() < 1.01
            assert np.array_equal(normal, halved(normals_from_depth(original_nyuv2.depths[index - 1], CAMERA)))


def test_converted_nyuv2_is_read_and_its_normals_are_marked_as_ours(original_nyuv2):
    splits, report, _ = configuration(nyuv2).compose(original_nyuv2.convert())
    assert report["files"] == {"train": 3, "val": 1, "test": 2}
    assert np.array_equal(splits["test"]["depth"][1, 0], halved(original_nyuv2.depths[TEST[1] - 1]))
    assert "reconstructed from depth" in report["conversion"]["normals"]
    assert report["conversion"]["intrinsics"] == {"fx": 20.0, "fy": 25.0, "cx": 7.3, "cy": 5.1}
    assert set(report["conversion"]["sha256"]) == {
        "labeled.mat",
        "splits.mat",
        "classMapping40.mat",
        "class13Mapping.mat",
    }
    lengths = np.linalg.norm(splits["test"]["normals"], axis=1)
    assert np.allclose(lengths[lengths > 0], 1)
    assert (lengths > 0).any()
    assert not lengths[:, -1].any()  # the last row is the original's outermost


def test_nyuv2_is_made_at_the_published_size_by_default():
    assert inspect.signature(nyuv2_original.convert_original_nyuv2).parameters["size"].default == (288, 384)
    depth = np.arange(480 * 640, dtype=np.float32).reshape(480, 640)
    made = nyuv2_original.scaled(depth, (288, 384))
    assert made.shape == (288, 384)
    assert made[0, :4].tolist() == [0, 2, 4, 5]  # (i + 1/2) · 5/3 = 0.83, 2.5, 4.17, 5.83
    assert made[:4, 0].tolist() == [0, 1280, 2560, 3200]


PLANES = [(0, 0, -1), (0.3, -0.4, -0.9), (-0.5, 0.2, -0.6), (0, -0.8, -0.6)]


def plane(normal, distance=4.0):
    """Depth of the plane n·P = −distance."""
    v, u = np.mgrid[: ORIGINAL[0], : ORIGINAL[1]]
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(ORIGINAL)], axis=-1)
    return -distance / (rays @ np.array(normal, float))


@pytest.mark.parametrize("normal", PLANES)
def test_a_planes_depth_gives_the_planes_normal(normal):
    depth = plane(normal)
    assert (depth > 0).all()
    normals = normals_from_depth(depth, CAMERA)
    assert np.allclose(normals[1:-1, 1:-1], np.array(normal) / np.linalg.norm(normal), atol=1e-6)
    border = np.ones(ORIGINAL, bool)
    border[1:-1, 1:-1] = False
    assert not normals[border].any()


def test_unknown_depth_leaves_its_own_and_four_normals_out():
    depth = plane(PLANES[1])
    depth[5, 6] = 0
    missing = ~normals_from_depth(depth, CAMERA)[1:-1, 1:-1].any(axis=-1)
    assert {(i + 1, j + 1) for i, j in np.argwhere(missing)} == {(5, 6), (4, 6), (6, 6), (5, 5), (5, 7)}


def with_splits(train, test):
    return lambda o: savemat(o.folder / "splits.mat", {"trainNdxs": np.c_[train], "testNdxs": np.c_[test]})


def with_label(value):
    def damage(original):
        original.labels[3, 0, 0] = value
        original.write()

    return damage


def with_depth(value):
    def damage(original):
        original.depths[3, 0, 0] = value
        original.write()

    return damage


def cut(name, kept):
    def damage(original):
        path = original.folder / name
        path.write_bytes(path.read_bytes()[:kept])

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda o: (o.folder / "labeled.mat").unlink(),
            r"labeled\.mat is no readable MATLAB 7\.3 file .*; fetch it again",
        ),
        (lambda o: (o.folder / "labeled.mat").write_text("text"), r"labeled\.mat is no readable MATLAB 7\.3 file"),
        (cut("labeled.mat", 5000), r"labeled\.mat is no readable MATLAB 7\.3 file"),
        (lambda o: o.write(depths=None), r"labeled\.mat holds arrays of shapes .*; give nyu_depth_v2_labeled\.mat"),
        (lambda o: o.write(depths=o.depths.transpose(2, 1, 0)), r"labeled\.mat holds arrays of shapes"),
        (lambda o: o.write(images=o.images[..., 0].transpose(1, 2, 0)), r"labeled\.mat holds arrays of shapes"),
        (lambda o: o.write(images=o.images.transpose(1, 2, 3, 0) / 255), r"at picture 4 has images of type float64"),
        (with_label(6), r"labeled\.mat at picture 4 has label 6 beyond the mapping's last, 5; give a longer"),
        (with_depth(np.nan), r"labeled\.mat at picture 4 has .* depths that are no metres"),
        (with_depth(-1), r"labeled\.mat at picture 4 has .* depths that are no metres"),
        (with_splits([1, 2], [3, 8]), r"splits\.mat holds no 'testNdxs' of whole numbers 0…7; give the file that does"),
        (with_splits([1, 2], [2, 3]), r"splits\.mat must name pictures from 1, each once"),
        (with_splits([0, 1], [2, 3]), r"splits\.mat must name pictures from 1, each once"),
        (with_splits([1, 2], []), r"splits\.mat must name pictures from 1, each once, and some for each side"),
        (lambda o: savemat(o.folder / "splits.mat", {"a": 1}), r"splits\.mat holds no 'trainNdxs'"),
        (cut("splits.mat", 200), r"splits\.mat is no readable MATLAB file"),
        (cut("class13Mapping.mat", 150), r"class13Mapping\.mat is no readable MATLAB file"),
        (lambda o: (o.folder / "class13Mapping.mat").unlink(), r"class13Mapping\.mat is no readable MATLAB file"),
        (
            lambda o: savemat(o.folder / "class13Mapping.mat", {"classMapping13": {"labels13": [14]}}),
            r"class13Mapping\.mat holds no 'classMapping13' of whole numbers 0…13",
        ),
        (
            lambda o: savemat(o.folder / "classMapping40.mat", {"mapClass": [41]}),
            r"classMapping40\.mat holds no 'mapClass' of whole numbers 0…40",
        ),
    ],
)
def test_a_wrong_original_is_named_and_nothing_is_left_half_made(original_nyuv2, damage, message):
    damage(original_nyuv2)
    before = sorted(original_nyuv2.folder.iterdir())
    with pytest.raises(DGRError, match=message):
        original_nyuv2.convert()
    assert sorted(original_nyuv2.folder.iterdir()) == before


@pytest.mark.parametrize("camera", [(0, 0, 0, 0), (20.0, -25.0, 7.3, 5.1), (20.0, 25.0, float("nan"), 5.1)])
def test_what_is_no_camera_is_refused(original_nyuv2, camera):
    before = sorted(original_nyuv2.folder.iterdir())
    with pytest.raises(DGRError, match=r"Camera '[^']*' is none; give fx fy cx cy in pixels"):
        original_nyuv2.convert(intrinsics=Intrinsics(*camera))
    assert sorted(original_nyuv2.folder.iterdir()) == before


@pytest.mark.parametrize(("name", "lost"), [("label", "labels"), ("depth", "depths"), ("normal", "depths")])
def test_a_side_without_a_pixel_of_a_task_is_refused(original_nyuv2, name, lost):
    values = getattr(original_nyuv2, lost)
    kept = values[TEST[0] - 1, 3, 3]
    values[[index - 1 for index in TEST]] = 0
    if name == "normal":
        values[TEST[0] - 1, 3, 3] = kept  # a depth, and no neighbour to it
    original_nyuv2.write()
    with pytest.raises(DGRError, match=f"No pixel of side 'val' has a {name}; check .*labeled.mat"):
        original_nyuv2.convert()
    assert not (original_nyuv2.folder / "made").exists()


def test_a_missing_h5py_is_named_with_the_way_to_install_it(original_nyuv2, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DGRError, match=r"read with h5py; run `pip install h5py`"):
        original_nyuv2.convert()


def test_what_is_there_already_is_not_touched(original_nyuv2):
    made = original_nyuv2.convert()
    (made / "val/label/0.npy").write_text("mine")
    with pytest.raises(DGRError, match=r"made exists already; remove it, or name another folder"):
        original_nyuv2.convert()
    assert (made / "val/label/0.npy").read_text() == "mine"


def test_a_full_disk_leaves_nothing(original_nyuv2, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(nyuv2_original, "write_json", fail)
    with pytest.raises(DGRError, match=r"Cannot write .*made: No space left on device; free or unlock"):
        original_nyuv2.convert()
    assert not (original_nyuv2.folder / "made").exists()
    assert not temporary_files(original_nyuv2.folder)


FRAMES = {
    "train": ["aachen/aachen_000000_000019", "aachen/aachen_000001_000019", "bochum/bochum_000000_000313"],
    "val": ["zurich/zurich_000002_000019"],
}
PACKAGES = {
    "leftImg8bit": "_leftImg8bit.png",
    "disparity": "_disparity.png",
    "gtFine": "_gtFine_labelIds.png",
    "gtFinePanopticParts": "_gtFinePanopticParts.tif",
}


def street(seed):
    generator = np.random.default_rng(seed)
    files = {
        "leftImg8bit": generator.integers(0, 256, (*ORIGINAL, 3)).astype(np.uint8),
        "disparity": generator.integers(0, 2**16, ORIGINAL).astype(np.uint16),
        "gtFine": generator.integers(0, 34, ORIGINAL).astype(np.uint8),
        "gtFinePanopticParts": np.full(ORIGINAL, 7, np.int32),
    }
    # A road with a sky, a car's window, its licence plate, a rider's leg, and a person without parts.
    halved(files["gtFinePanopticParts"])[0, :5] = [23, 2600101, 2601204, 2500004, 24003]
    return files


@pytest.fixture
def original_cityscapes(tmp_path):
    folder = tmp_path / "original"
    for seed, (side, frame) in enumerate((side, frame) for side, frames in FRAMES.items() for frame in frames):
        for package, values in street(seed).items():
            path = folder / package / side / f"{frame}{PACKAGES[package]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(path, **({"compression": "tiff_lzw"} if path.suffix == ".tif" else {}))
        (folder / "gtFine" / side / f"{frame}_gtFine_color.png").touch()
    (folder / "gtFine/test/berlin").mkdir(parents=True)
    return folder


def test_cityscapes_is_converted_pixel_by_pixel(original_cityscapes, tmp_path):
    cityscapes_original.convert_official_cityscapes(original_cityscapes, tmp_path / "made", SIZE)
    seed = 0
    for side, frames in FRAMES.items():
        made = tmp_path / "made" / side
        assert (made / "frames.txt").read_text().splitlines() == frames
        for number in range(len(frames)):
            files = street(seed)
            seed += 1
            image, depth, seg, parts = (
                np.asarray(Image.open(made / name))
                for name in (
                    f"image/{number}.png",
                    f"depth/{number}.png",
                    f"seg/{number}.png",
                    f"part_seg/{number}.tif",
                )
            )
            assert image.dtype == np.uint8
            assert np.abs(image - smoothed(files["leftImg8bit"])).max() < 1.01
            assert depth.dtype == np.uint16
            assert np.array_equal(depth, halved(files["disparity"]))
            assert np.array_equal(seg, halved(files["gtFine"]))
            assert np.array_equal(parts, halved(files["gtFinePanopticParts"]))


def test_converted_cityscapes_is_read(original_cityscapes, tmp_path):
    cityscapes_original.convert_official_cityscapes(original_cityscapes, tmp_path / "made", SIZE)
    config = configuration(cityscapes)
    splits, report, _ = config.compose(tmp_path / "made")
    assert report["files"] == {"train": 2, "val": 1, "test": 1}
    assert "bilinearly by this project" in report["conversion"]["images"]
    test = splits["test"]
    assert test["parts"][0, 0].tolist() == [0, 5, 8, 4, 0, 0, 0, 0]
    values = halved(street(3)["disparity"]).astype(float)
    assert np.allclose(test["disparity"][0, 0], np.where(values > 0, (values - 1) / 1024, 0))


def test_cityscapes_is_made_at_the_published_size_by_default():
    assert inspect.signature(cityscapes_original.convert_official_cityscapes).parameters["size"].default == (256, 512)


def without(name):
    return lambda folder: (folder / name).unlink()


def halve_file(name):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:200])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            without("disparity/train/bochum/bochum_000000_000313_disparity.png"),
            r"disparity\.png is missing, but \S*bochum_0",
        ),
        (without("leftImg8bit/train/aachen/aachen_000001_000019_leftImg8bit.png"), r"leftImg8bit\.png is missing, but"),
        (
            halve_file("gtFine/val/zurich/zurich_000002_000019_gtFine_labelIds.png"),
            r"labelIds\.png is not a whole image",
        ),
        (
            lambda folder: (folder / "gtFinePanopticParts").rename(folder / "parts"),
            r"gtFinePanopticParts/train holds no CITY/\*_gtFinePanopticParts\.tif files; put the official package",
        ),
        (
            lambda folder: Image.new("L", (4, 4)).save(
                folder / "gtFine/val/zurich/zurich_000002_000019_gtFine_labelIds.png"
            ),
            r"labelIds\.png is of size \(4, 4\), but \S*leftImg8bit\.png of \(12, 16\); replace it",
        ),
    ],
)
def test_a_wrong_cityscapes_is_named_and_nothing_is_left_half_made(original_cityscapes, tmp_path, damage, message):
    damage(original_cityscapes)
    with pytest.raises(DGRError, match=message):
        cityscapes_original.convert_official_cityscapes(original_cityscapes, tmp_path / "made", SIZE)
    assert [path.name for path in tmp_path.iterdir()] == ["original"]
