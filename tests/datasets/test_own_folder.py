"""Data sets of the user's own from a folder: what is read, and what is refused in one sentence, with nothing made."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import own_data
import pytest
import torch
from PIL import Image

from dgr.core.errors import DGRError
from dgr.core.files import read_manifest
from dgr.datasets.prepared import load
from dgr.datasets.preparing import prepare_dataset
from dgr.datasets.registry import parse_dataset

SHARES = {"shares": {"train": 0.5, "val": 0.25, "test": 0.25}, "seed": 3}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return own_data.write_folder(Path("mine"))


def config(**changes):
    return parse_dataset(own_data.block(**changes), "mine")


def arrays_for_images():
    return [line | {"file": line["file"].replace("png", "npy")} for line in own_data.lines()]


def compose(**changes):
    made = config(**changes)
    return made.compose(Path(made.path))


def test_every_sample_stands_in_its_split_with_its_labels(folder):
    splits, report, _ = compose()
    for split, arrays in splits.items():
        rows, tones, levels = own_data.expected(split)
        levels_seen = [own_data.brightness(row) for row in rows]
        assert arrays["images"].shape == (len(rows), 1, own_data.SIZE, own_data.SIZE)
        assert arrays["images"].dtype == np.uint8
        assert (arrays["images"] == np.reshape(levels_seen, (-1, 1, 1, 1))).all()
        np.testing.assert_array_equal(arrays["tone"], tones, strict=True)
        np.testing.assert_array_equal(arrays["level"], levels, strict=True)
    assert report["samples"] == {"train": 4, "val": 2, "test": 2}
    assert report["missing"] == {"tone": {"train": 1, "val": 0, "test": 0}, "level": {"train": 1, "val": 0, "test": 0}}
    assert report["copies"] == 0
    assert config().training_samples(None) == 4
    assert config(path="elsewhere").training_samples(None) is None


def test_it_is_prepared_with_what_is_missing_and_loaded(folder):
    prepare_dataset("mine", config(), Path("data"))
    assert [task.get("partial", False) for task in read_manifest(Path("data/mine"), "")["tasks"]] == [True, True]
    data = load("mine", Path("data"))
    assert [(task.name, task.kind, task.classes, task.partial) for task in data.tasks] == [
        ("tone", "classification", 2, True),
        ("level", "regression", 0, True),
    ]
    inputs, targets = data.splits["train"].batch(slice(0, 4))
    assert inputs.dtype == torch.float32
    assert inputs[:, 0, 0, 0].tolist() == pytest.approx([level / 255 for level in (10, 30, 50, 110)])
    assert targets["tone"].tolist() == [0, 1, -1, 1]
    assert data.splits["val"].targets["level"].tolist() == [[70.0], [130.0]]


@pytest.mark.parametrize("split", [{"column": "split"}, SHARES])
def test_the_order_of_lines_changes_nothing(folder, split):
    first, _, _ = compose(split=split)
    own_data.write_table(folder / "labels.csv", own_data.lines([5, 0, 7, 2, 6, 1, 4, 3]))
    second, _, _ = compose(split=split)
    for name in first:
        for array in first[name]:
            np.testing.assert_array_equal(first[name][array], second[name][array])


def test_bytes_in_one_split_and_fractions_in_another_are_refused(folder):
    for row in range(8):
        np.save(folder / f"im/{row}.npy", np.zeros(4, np.uint8 if own_data.SPLITS[row] == "test" else np.float32))
    own_data.write_table(folder / "labels.csv", arrays_for_images())
    with pytest.raises(DGRError, match=r"mine: inputs hold numbers of different kinds \(train float32, val float32"):
        compose(shape=[4])


def test_shares_are_drawn_with_their_seed(folder):
    first, again, other = (compose(split={**SHARES, "seed": seed})[0] for seed in (3, 3, 4))
    drawn = [
        {name: arrays["images"][:, 0, 0, 0].tolist() for name, arrays in part.items()} for part in (first, again, other)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert [len(rows) for rows in drawn[0].values()] == [4, 2, 2]
    assert sorted(level for levels in drawn[0].values() for level in levels) == [
        own_data.brightness(row) for row in range(8)
    ]


def test_colours_are_read_as_colours_or_made_grey(folder):
    picture = np.zeros((own_data.SIZE, own_data.SIZE, 3), np.uint8)
    picture[..., 0], picture[..., 2] = 200, 100
    Image.fromarray(picture).save(folder / "im/3.png")
    colours = compose(shape=[3, own_data.SIZE, own_data.SIZE])[0]["val"]["images"]
    assert colours[0, :, 2, 2].tolist() == [200, 0, 100]
    assert colours[1, :, 2, 2].tolist() == [130, 130, 130]
    assert compose()[0]["val"]["images"][0, 0, 2, 2] == Image.fromarray(picture).convert("L").getpixel((2, 2))


@pytest.mark.parametrize("shape", [[4], [2, 3], [2, 3, 4]])
@pytest.mark.parametrize("kind", [np.float64, np.int16, np.bool_])
def test_arrays_are_taken_as_they_are(folder, shape, kind):
    random, arrays = np.random.default_rng(0), {}
    for row in range(8):
        arrays[row] = (3 * random.standard_normal(shape)).astype(kind)
        np.save(folder / f"im/{row}.npy", arrays[row])
    own_data.write_table(folder / "labels.csv", arrays_for_images())
    images = compose(shape=shape)[0]["test"]["images"]
    assert images.dtype == np.float32
    expected = {1: (4, 1, 1), 2: (1, 2, 3), 3: (2, 3, 4)}[len(shape)]
    np.testing.assert_array_equal(
        images, np.stack([arrays[row].astype(np.float32).reshape(expected) for row in (4, 7)])
    )
    prepare_dataset("mine", config(shape=shape), Path("data"))
    inputs, _ = load("mine", Path("data")).splits["test"].batch(torch.tensor([1, 0]))
    np.testing.assert_array_equal(inputs.numpy(), images[::-1])


def test_numbers_and_columns_of_other_names(folder):
    rows = [
        {"path": line["file"], "type": f"{index % 3}.0", "notes": "ä, ö"} for index, line in enumerate(own_data.lines())
    ]
    own_data.write_table(folder / "über.csv", rows, encoding="utf-8-sig")  # as a spreadsheet saves it
    labels = [{"name": "sort", "column": "type", "kind": "classification", "classes": 3}]
    splits, _, _ = compose(labels=labels, split=SHARES, table="über.csv", file_column="path")
    seen = sorted(int(label) for arrays in splits.values() for label in arrays["sort"])
    assert seen == [0, 0, 0, 1, 1, 1, 2, 2]


def edited(*changes):
    """Changes some cells: row, column, value."""

    def damage(folder):
        rows = list(own_data.lines())
        for row, column, value in changes:
            rows[row][column] = value
        own_data.write_table(folder / "labels.csv", rows)

    return damage


def bomb(path):
    """A PNG whose header says 60,000×60,000 pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def saved(mode, size=own_data.SIZE):
    return lambda folder: Image.new(mode, (size, own_data.SIZE)).save(folder / "im/3.tif")


def without(column):
    def damage(folder):
        rows = [{name: cell for name, cell in line.items() if name != column} for line in own_data.lines()]
        own_data.write_table(folder / "labels.csv", rows)

    return damage


def text(content):
    return lambda folder: (folder / "labels.csv").write_bytes(content)


def linked(target):
    def damage(folder):
        (folder / "im/3.png").unlink()
        (folder / "im/3.png").symlink_to(target)

    return damage


def outside(folder):
    Image.new("L", (own_data.SIZE, own_data.SIZE)).save("secret.png")
    linked(Path("../../secret.png"))(folder)


BAD = {
    "a column less": (without("level"), r"mine/labels.csv has no column 'level'; known: file, tone, split"),
    "no split column": (without("split"), r"labels.csv has no column 'split'"),
    "a column twice": (text(b"file,tone,tone,level,split\n"), r"labels.csv has 2 columns 'tone'; keep one"),
    "no rows": (text(b"file,tone,level,split\n\n"), r"labels.csv has no row below its header"),
    "an empty file": (text(b""), r"labels.csv has no column 'file'"),
    "a short line": (text(b"file,tone,level,split\nim/0.png,dark\n"), r"labels.csv, line 2: there are 2 cells, but 4"),
    "Latin-1": (text("file,tone,level,split\nim/ä.png,dark,1,train\n".encode("latin-1")), r"is not UTF-8 at byte 25"),
    "an open quotation": (text(b'file,tone,level,split\n"im/0.png,dark,1,train\n'), r"labels.csv is no CSV file"),
    "no table": (
        lambda folder: (folder / "labels.csv").unlink(),
        r"`table` names 'labels.csv', but mine holds no such",
    ),
    "a table that is a pipe": (
        lambda folder: ((folder / "labels.csv").unlink(), os.mkfifo(folder / "labels.csv")),
        r"`table` names 'labels.csv', but mine holds no such file",
    ),
    "a missing file": (edited((3, "file", "im/9.png")), r"line 5, column 'file', names 'im/9.png', but mine holds no"),
    "no name": (edited((3, "file", "")), r"line 5, column 'file', names '', but mine holds no such file"),
    "a folder": (edited((3, "file", "im")), r"names 'im', but mine holds no such file"),
    "a name with a zero byte": (edited((3, "file", "im/\0.png")), r"but mine holds no such file|is no CSV file"),
    "a long name": (edited((3, "file", "x" * 5000)), r"names 'x+ … x*', but mine holds no such file"),
    "a name that leads out": (edited((3, "file", "../secret.png")), r"names '../secret.png', which lies outside mine"),
    "an absolute name": (edited((3, "file", "/etc/hostname")), r"names '/etc/hostname', which lies outside mine; put"),
    "a link that leads out": (outside, r"line 5, column 'file', names 'im/3.png', which lies outside mine"),
    "a link in a circle": (linked("3.png"), r"names 'im/3.png', but mine holds no such file"),
    "a link to nothing": (linked("none.png"), r"names 'im/3.png', but mine holds no such file"),
    "a name twice": (edited((3, "file", "im/0.png")), r"line 5, column 'file', names 'im/0.png', as line 2 does; keep"),
    "a file by two names": (edited((3, "file", "im/../im/./0.png")), r"names 'im/../im/./0.png', as line 2 does"),
    "no class": (edited((3, "tone", "darq")), r"line 5, column 'tone', holds 'darq', no class of 'tone'; did you mean"),
    "no number": (edited((3, "level", "bright")), r"line 5, column 'level', holds 'bright', but 'level' wants finite"),
    "not a number": (edited((3, "level", "nan")), r"holds 'nan', but 'level' wants finite numbers; leave empty"),
    "infinity": (edited((3, "level", "1e39")), r"holds '1e39', but 'level' wants finite numbers"),
    "an odd number": (edited((3, "level", "1_000")), r"holds '1_000', but 'level' wants finite numbers"),
    "no split": (
        edited((3, "split", "valid")),
        r"column 'split', holds 'valid', but a split is one of train, val, test",
    ),
    "an empty split": (
        edited((3, "split", "test"), (6, "split", "test")),
        r"labels.csv leaves split 'val' without a row",
    ),
    "one to train on": (
        edited(*((row, "split", "val") for row in (0, 1, 2))),
        r"mine: split 'train' has 1 samples, but needs at least 2",
    ),
    "no label in a split": (
        edited((3, "tone", ""), (6, "tone", "")),
        r"No sample of split 'val' has a target of .*'tone'",
    ),
    "another size": (saved("L", 7), r"mine/im/3.tif is of 6×7 pixels, but the configuration says 6×6; replace it"),
    "16 bits": (saved("I;16"), r"mine/im/3.tif has the mode I;16, but must be grey or RGB, of 8 bits, not transparent"),
    "transparent": (saved("RGBA"), r"mine/im/3.tif has the mode RGBA, but must be"),
    "half a file": (
        lambda folder: (folder / "im/3.png").write_bytes((folder / "im/3.png").read_bytes()[:50]),
        r"mine/im/3.png is not a whole image",
    ),
    "no image": (lambda folder: (folder / "im/3.png").write_text("hello"), r"mine/im/3.png is not a whole image"),
    "a huge header": (
        lambda folder: bomb(folder / "im/3.png"),
        r"im/3.png is (not a whole image|of 60000×60000 pixels)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_folder_is_one_sentence_and_leaves_nothing(folder, case):
    damage, message = BAD[case]
    damage(folder)
    if (folder / "im/3.tif").exists():
        edited((3, "file", "im/3.tif"))(folder)
    with pytest.raises(DGRError, match=message) as error:
        prepare_dataset("mine", config(), Path("data"))
    assert len(str(error.value).splitlines()) == 1
    assert list(Path("data").iterdir()) == []


ARRAYS = {
    "another shape": (np.zeros((4, 1)), r"im/3.npy has the shape \[4, 1\], but the configuration says \[4\]"),
    "a NaN": (np.array([0, np.nan, 0, 0]), "im/3.npy does not hold finite numbers alone"),
    "too large a number": (np.full(4, 1e39), "im/3.npy does not hold finite numbers alone"),
    "words": (np.array(["a", "b", "c", "d"]), "im/3.npy does not hold finite numbers alone"),
    "complex numbers": (np.zeros(4, complex), "im/3.npy does not hold finite numbers alone"),
    "bytes among fractions": (
        np.zeros(4, np.uint8),
        r"im/6.npy holds float32, but \S*im/3.npy holds uint8",
    ),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_a_bad_array_is_one_sentence(folder, case):
    values, message = ARRAYS[case]
    for row in range(8):
        np.save(folder / f"im/{row}.npy", np.zeros(4))
    np.save(folder / "im/3.npy", values)
    own_data.write_table(folder / "labels.csv", arrays_for_images())
    with pytest.raises(DGRError, match=message):
        compose(shape=[4])


def test_pickled_objects_are_never_loaded(folder):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    np.save(folder / "im/3.npy", np.array([Trap()]), allow_pickle=True)
    edited((3, "file", "im/3.npy"))(folder)
    with pytest.raises(DGRError, match=r"im/3\.npy is not a readable array of numbers"):
        compose()


def test_an_image_where_vectors_are_said_is_refused(folder):
    with pytest.raises(DGRError, match=r"im/\d.png is no .npy file, but no image has the configured shape \[36\]"):
        compose(shape=[36])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "../mine"}, "a path must stay below its folder, without '..' and a leading '/', but it is '../mine'"),
        ({"path": "/mine"}, "but it is '/mine'"),
        ({"table": "../labels.csv"}, "table: a path must stay below its folder"),
        ({"shape": []}, "shape: List should have at least 1 item"),
        ({"shape": [1, 2, 3, 4]}, "shape: List should have at most 3 items"),
        ({"labels": []}, "labels: List should have at least 1 item"),
        ({"labels": [{"name": "images", "kind": "regression"}]}, "the task name 'images' is taken; call it something"),
        ({"labels": 2 * [{"name": "a", "kind": "regression"}]}, "the task name 'a' is taken"),
        ({"labels": [{"name": "a b", "kind": "regression"}]}, "String should match pattern"),
        ({"labels": [{"name": "a", "kind": "depth"}]}, "labels.0: Input tag 'depth' found using 'kind' does not match"),
        ({"labels": [{"name": "a", "kind": "classification"}]}, "classes: Field required"),
        (
            {"labels": [{"name": "a", "kind": "classification", "classes": ["x", "x"]}]},
            "names of classes must differ, and none may be empty",
        ),
        ({"split": {}}, "a split is either `column: NAME`, or `shares` of train, val and test with a `seed`"),
        ({"split": {"shares": {"train": 0.5, "val": 0.25, "test": 0.25}}}, "with a `seed`"),
        ({"split": {**SHARES, "column": "split"}}, "a split is either"),
        ({"split": {**SHARES, "shares": {"train": 0.5, "test": 0.5}}}, "shares must be those of train, val, test"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(changes, message):
    with pytest.raises(DGRError, match=message):
        config(**changes)


def test_names_that_torch_keeps_for_itself_are_refused(folder):
    labels = [{"name": "type", "column": "tone", "kind": "classification", "classes": list(own_data.TONES)}]
    with pytest.raises(DGRError, match="A task cannot be named 'type', as torch does; call it another, and name its"):
        compose(labels=labels)


def test_a_share_too_small_for_a_sample_is_refused(folder):
    split = {"shares": {"train": 0.9, "val": 0.05, "test": 0.05}, "seed": 0}
    with pytest.raises(DGRError, match=r"labels.csv leaves split 'test' without a row; give it some of the 8"):
        compose(split=split)
