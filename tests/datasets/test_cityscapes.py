import numpy as np
import pytest
import torch
from PIL import Image

from dgr.core.errors import DGRError
from dgr.datasets.kinds.cityscapes import Config, label_and_part_ids

HEIGHT, WIDTH = 6, 8
IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)  # road, sidewalk, building, …, bicycle
CLASS_OF_ID = {label: class_ for class_, label in enumerate(IDS)}
PEOPLE, VEHICLES = (24, 25), (26, 27, 28)


def part_of(label, part):
    """The ten classes, as the data set's notes name them."""
    if label in PEOPLE:
        return {1: "torso", 2: "head", 3: "arms", 4: "legs"}.get(part)
    if label in VEHICLES:
        return {1: "windows", 2: "wheels", 3: "lights", 4: "plate", 5: "chassis"}.get(part)
    return None


PARTS = [None, "torso", "head", "arms", "legs", "windows", "wheels", "lights", "plate", "chassis"]


def settings(**changes):
    chosen = {
        "kind": "cityscapes",
        "source": "c",
        "height": HEIGHT,
        "width": WIDTH,
        "validation_share": 0.25,
        "seed": 1,
    }
    return Config(**chosen | changes)


def picture(seed, height=HEIGHT, width=WIDTH):
    generator = np.random.default_rng(seed)
    shape = (height, width)
    labels = generator.integers(1, 34, shape)
    uids = labels * 100_000 + generator.integers(0, 1000, shape) * 100 + generator.integers(0, 7, shape)
    files = {
        "image": generator.integers(0, 256, (*shape, 3)).astype(np.uint8),
        "seg": generator.permutation(np.arange(height * width) % 34).reshape(shape).astype(np.uint8),
        "part_seg": uids.astype(np.int32),
        "depth": generator.integers(2, 2**16, shape).astype(np.uint16),
    }
    files["part_seg"][0, :4] = [23, 26, 26002, 2401002]
    files["depth"][1, 1:4] = [0, 1, 65535]
    return files


def write(folder, number, files):
    for name, values in files.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(folder / name / f"{number}.{'tif' if name == 'part_seg' else 'png'}")


def write_all(source, **size):
    for side, count in {"train": 12, "val": 3}.items():
        for number in range(count):
            write(source / side, number, picture(number + 100 * (side == "val"), **size))
    return source


@pytest.fixture
def source(tmp_path):
    return write_all(tmp_path / "cityscapes")


def test_every_pixel_of_every_split_is_that_of_its_file(source):
    splits, report, _ = settings().compose(source)
    val = sorted(np.random.default_rng(1).permutation(12)[:3].tolist())
    numbers = {"train": [n for n in range(12) if n not in val], "val": val, "test": [100, 101, 102]}
    for split, seeds in numbers.items():
        arrays = splits[split]
        types = {name: (array.dtype.name, array.shape) for name, array in arrays.items()}
        assert types == {
            "images": ("uint8", (len(seeds), 3, HEIGHT, WIDTH)),
            "segmentation": ("int8", (len(seeds), HEIGHT, WIDTH)),
            "parts": ("int8", (len(seeds), HEIGHT, WIDTH)),
            "disparity": ("float32", (len(seeds), 1, HEIGHT, WIDTH)),
        }
        for row, seed in enumerate(seeds):
            files = picture(seed)
            for i, j in np.ndindex(HEIGHT, WIDTH):
                assert arrays["images"][row, :, i, j].tolist() == files["image"][i, j].tolist()
                assert arrays["segmentation"][row, i, j] == CLASS_OF_ID.get(files["seg"][i, j], -1)
                value = int(files["depth"][i, j])
                assert arrays["disparity"][row, 0, i, j] == (0 if value == 0 else np.float32((value - 1) / 1024))
                uid = str(files["part_seg"][i, j])
                part = part_of(int(uid[:-5]), int(uid[-2:])) if len(uid) > 5 else None
                assert PARTS[arrays["parts"][row, i, j]] == part
    assert report["files"] == {"train": 9, "val": 3, "test": 3}
    assert report["shares"]["test"] == {
        "void": pytest.approx(
            np.mean([label not in CLASS_OF_ID for k in range(3) for label in picture(k)["seg"].flat])
        ),
        "invalid_disparity": pytest.approx(1 / 48),
        "zero_disparity": pytest.approx(1 / 48),
    }
    assert report["copies"] == 0


def test_known_pixels(source):
    splits, _, _ = settings().compose(source)
    assert splits["test"]["parts"][0, 0, :4].tolist() == [0, 0, 0, 2]  # sky, car, car without parts, a person's head
    assert splits["test"]["disparity"][0, 0, 1, 1:4].tolist() == [0, 0, 65534 / 1024]


def test_known_labels(source):
    files = picture(100)
    road, sky, person, car, bicycle, caravan, unlabelled = 7, 23, 24, 26, 33, 29, 0
    files["seg"][0, :7] = [road, sky, person, car, bicycle, caravan, unlabelled]
    write(source / "val", 0, files)
    splits, _, _ = settings().compose(source)
    assert splits["test"]["segmentation"][0, 0, :7].tolist() == [0, 10, 11, 13, 18, -1, -1]


def test_every_uid_is_taken_apart_into_its_digits():
    sids = list(range(34))
    uids = sids + [s * 1000 + i for s in sids[1:] for i in (0, 1, 47, 999)]
    uids += [s * 100_000 + i * 100 + p for s in sids[1:] for i in (0, 1, 47, 999) for p in (0, 1, 5, 99)]
    digits = [str(uid) for uid in uids]
    lengths = [0 if len(d) < 3 else 3 if len(d) < 6 else 5 for d in digits]
    labels, parts = label_and_part_ids(np.array(uids))
    assert labels.tolist() == [int(d[: len(d) - n]) for d, n in zip(digits, lengths, strict=True)]
    assert parts.tolist() == [int(d[-2:]) if n == 5 else 0 for d, n in zip(digits, lengths, strict=True)]


def test_an_odd_size_is_read_as_configured(tmp_path):
    source = write_all(tmp_path, height=7, width=9)
    splits, _, _ = settings(height=7, width=9).compose(source)
    assert np.array_equal(splits["test"]["images"][2], picture(102, 7, 9)["image"].transpose(2, 0, 1))
    with pytest.raises(
        DGRError, match=r"image/0\.png has shape \(7, 9, 3\), but the configuration asks for \(6, 8, 3\)"
    ):
        settings().compose(source)


def test_targets_are_what_the_tasks_accept(source):
    splits, _, _ = settings().compose(source)
    assert [(task.name, task.kind, task.classes) for task in settings().tasks] == [
        ("segmentation", "segmentation", 19),
        ("parts", "segmentation", 10),
        ("disparity", "disparity", 0),
    ]
    for task in settings().tasks:
        targets = torch.from_numpy(splits["train"][task.name])
        task.check_targets(targets, "train")
        prediction = torch.zeros(len(targets), task.outputs, HEIGHT, WIDTH)
        # Without any knowledge: every class is as likely, or every disparity is 0.
        valid = targets[targets > 0].double()
        expected = np.log(task.classes) if task.classes else valid.mean().item()
        assert task.loss(prediction, targets).item() == pytest.approx(expected, rel=1e-5)


def damaged(name, change, number=7):
    def damage(source):
        (path,) = (source / "train" / name).glob(f"{number}.*")
        with Image.open(path) as image:
            values = change(np.array(image))
        Image.fromarray(values).save(path)

    return damage


def put(name, value):
    def change(values):
        values[0, 0] = value
        return values

    return damaged(name, change)


def cut(name, share):
    def damage(source):
        (path,) = (source / "train" / name).glob("7.*")
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            cut("image", 0.5),
            r"train/image/7\.png is not a whole image \(.*\); replace it",
        ),
        (cut("image", 0), r"train/image/7\.png is not a whole image"),
        (cut("seg", 0.7), r"train/seg/7\.png is not a whole image"),
        (cut("depth", 0.6), r"train/depth/7\.png is not a whole image"),
        (cut("part_seg", 0.3), r"train/part_seg/7\.tif is not a whole image"),
        (cut("part_seg", 0.9), r"train/part_seg/7\.tif is not a whole image"),
        (damaged("image", lambda image: image[..., 0]), r"image/7\.png has shape \(6, 8\), but .* \(6, 8, 3\)"),
        (damaged("image", lambda image: image[:5]), r"image/7\.png has shape \(5, 8, 3\)"),
        (damaged("seg", lambda seg: np.stack([seg] * 3, axis=-1)), r"seg/7\.png has shape \(6, 8, 3\)"),
        (damaged("seg", lambda seg: seg > 9), r"seg/7\.png holds bool, but numbers are expected"),
        (put("seg", 34), r"seg/7\.png holds values from 0 to 34, but they must lie in 0…33"),
        (put("seg", 255), r"seg/7\.png holds values from 0 to 255, but they must lie in 0…33"),
        (damaged("depth", lambda depth: (depth >> 8).astype(np.uint8)), r"depth/7\.png holds 8 bits a pixel"),
        (put("part_seg", -1), r"part_seg/7\.tif holds values from -1 to .*, but they must lie in"),
        (
            put("part_seg", 3_400_000),
            r"part_seg/7\.tif holds values from \d+ to 3400000, but they must lie in 0…3399999",
        ),
        (put("part_seg", 240), r"part_seg/7\.tif holds 240, which is no Panoptic-Parts uid"),
        (put("part_seg", 34), r"part_seg/7\.tif holds 34, which is no Panoptic-Parts uid"),
        (put("part_seg", 34_001), r"part_seg/7\.tif holds 34001, which is no Panoptic-Parts uid"),
        (damaged("part_seg", lambda uids: uids.astype(np.float32)), r"part_seg/7\.tif holds float32, but numbers"),
        (lambda s: (s / "train/part_seg/7.tif").unlink(), r"part_seg/7\.tif is missing, but \S*image/7\.png is there"),
        (lambda s: (s / "train/depth/12.png").touch(), r"image/12\.png is missing, but \S*depth/12\.png is there"),
        (lambda s: (s / "train/seg").rename(s / "train/label"), r"train/seg cannot be listed"),
    ],
)
def test_damage_is_named_with_the_way_out(source, damage, message):
    damage(source)
    with pytest.raises(DGRError, match=message):
        settings().compose(source)


def outcome(source):
    """What is read, or the sentence that says why not."""
    try:
        return settings().compose(source)[0]["train"], ""
    except DGRError as error:
        return None, str(error)


@pytest.mark.parametrize("name", ["image", "part_seg"])
def test_no_cut_goes_unnoticed(source, name):
    (path,) = (source / "train" / name).glob("7.*")
    content = path.read_bytes()
    whole, _ = outcome(source)
    refused = 0
    for kept in range(0, len(content), 7):
        path.write_bytes(content[:kept])
        arrays, sentence = outcome(source)
        if arrays is None:
            refused += 1
            assert f"{path} is not a whole image" in sentence
        else:  # what is cut off was no pixel
            assert all(np.array_equal(arrays[array], whole[array]) for array in whole)
    assert refused > 0.8 * len(content) / 7


def test_a_compressed_tif_is_read_as_well(source):
    uids = picture(100)["part_seg"]
    Image.fromarray(uids).save(source / "val/part_seg/0.tif", compression="tiff_lzw")
    assert settings().compose(source)[0]["test"]["parts"][0, 0, 3] == 2
