"""Data sets of the user's own from an .npz file."""

import io
import zipfile
from pathlib import Path

import numpy as np
import own_data
import pytest

from dgr.core.errors import DGRError
from dgr.datasets.prepared import load
from dgr.datasets.preparing import prepare_dataset
from dgr.datasets.registry import parse_dataset

WIDTH = 3
INPUTS = np.arange(8 * WIDTH, dtype=np.float32).reshape(8, WIDTH)
TONE = np.array([-1 if row == 2 else row % 2 for row in own_data.ROWS])
LEVEL = np.array([np.nan if row == 5 else own_data.brightness(row) for row in own_data.ROWS])
GOOD = {"inputs": INPUTS, "tone": TONE, "level": LEVEL, "split": np.array(own_data.SPLITS)}
LABELS = [{"name": "tone", "kind": "classification", "classes": 2}, {"name": "level", "kind": "regression"}]


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def prepare(arrays, **changes):
    if isinstance(arrays, dict):
        np.savez_compressed("mine.npz", **arrays)
    block = own_data.block(kind="arrays", path="mine.npz", shape=[WIDTH], labels=LABELS, **changes)
    config = parse_dataset(block, "mine")
    prepare_dataset("mine", config, Path("data"))
    return config, load("mine", Path("data"))


def test_rows_stand_in_their_splits_in_their_order():
    config, data = prepare(GOOD)
    for split, part in data.splits.items():
        rows, tones, levels = own_data.expected(split)
        np.testing.assert_array_equal(part.images.numpy(), INPUTS[rows].reshape(-1, WIDTH, 1, 1), strict=True)
        np.testing.assert_array_equal(part.targets["tone"].numpy(), tones)
        np.testing.assert_array_equal(part.targets["level"].numpy(), levels)
    assert config.training_samples(None) == 4
    assert [task.partial for task in data.tasks] == [True, True]


@pytest.mark.parametrize(
    "changes",
    [
        {"tone": TONE[:, None], "level": LEVEL.astype(np.float32)},
        {"tone": np.where(TONE < 0, np.nan, TONE)},
        {"tone": TONE.astype(np.float32)},
        {"level": np.where(np.isnan(LEVEL), "", LEVEL.astype(str))},
    ],
)
def test_labels_may_be_columns_fractions_or_words(changes):
    _, data = prepare(GOOD)
    _, other = prepare(GOOD | changes)
    for split in data.splits:
        for task in ("tone", "level"):
            np.testing.assert_array_equal(data.splits[split].targets[task], other.splits[split].targets[task])


def test_names_of_classes_and_bytes():
    images = np.arange(8 * WIDTH, dtype=np.uint8).reshape(8, WIDTH)
    names = np.array([*own_data.TONES, "", *own_data.TONES, *own_data.TONES, "light"])
    labels = [{"name": "tone", "kind": "classification", "classes": list(own_data.TONES)}]
    np.savez("mine.npz", inputs=images, tone=names, split=np.array(own_data.SPLITS))
    block = own_data.block(kind="arrays", path="mine.npz", shape=[WIDTH], labels=labels)
    splits, _, _ = parse_dataset(block, "mine").compose(Path("mine.npz"))
    assert splits["train"]["tone"].tolist() == [0, 1, -1, 0]
    assert splits["train"]["images"].dtype == np.uint8


def test_shares_draw_the_same_rows_each_time():
    shares = {"split": {"shares": {"train": 0.5, "val": 0.25, "test": 0.25}, "seed": 1}}
    drawn = [prepare(GOOD, **shares)[1] for _ in range(2)]
    first, second = ([part.images[:, 0, 0, 0].tolist() for part in data.splits.values()] for data in drawn)
    assert first == second
    assert sorted(value for part in first for value in part) == INPUTS[:, 0].tolist()


def damaged(**changes):
    return {name: array for name, array in (GOOD | changes).items() if array is not None}


BAD = {
    "no inputs": (damaged(inputs=None), r"mine.npz has no array 'inputs'"),
    "no labels": (damaged(level=None), r"mine.npz has no array 'level'; did you mean|has no array 'level'; known"),
    "objects": (
        damaged(tone=np.array([{}] * 8)),
        r"mine.npz is not a readable .npz file \(tone.npy holds Python",
    ),
    "objects as inputs": (damaged(inputs=np.array([[None]] * 8)), r"inputs.npy holds Python objects\); replace it"),
    "fewer labels": (damaged(level=LEVEL[:7]), r"arrays have different lengths, \{'tone': 8, 'level': 7, 'split': 8\}"),
    "fewer inputs": (damaged(inputs=INPUTS[:7]), r"'inputs' has the shape \[7, 3\], but .* want \[8, 3\]"),
    "another shape": (damaged(inputs=INPUTS[:, :2]), r"'inputs' has the shape \[8, 2\], but"),
    "a NaN in the inputs": (damaged(inputs=INPUTS * np.nan), "'inputs' does not hold finite numbers alone"),
    "two labels a row": (
        damaged(level=np.zeros((8, 2))),
        r"'level' has the shape \[8, 2\] and holds float64, but",
    ),
    "one label in all": (damaged(level=np.float64(3)), r"'level' has the shape \[\] and holds float64, but labels"),
    "complex labels": (damaged(level=LEVEL.astype(complex)), r"holds complex128, but labels are one number"),
    "no class": (
        damaged(tone=TONE + 1),
        r"row \d, column 'tone', holds '2', but 'tone' has the classes 0 to 1",
    ),
    "half a class": (damaged(tone=TONE + 0.5), r"holds '0.5', but 'tone' has the classes"),
    "infinity": (damaged(level=LEVEL * np.inf), r"column 'level', holds 'inf', but 'level' wants finite numbers"),
    "no split": (
        damaged(split=np.array(["train"] * 7 + ["dev"])),
        r"row 7, column 'split', holds 'dev', but a split",
    ),
    "an empty split": (damaged(split=np.array(["train"] * 7 + ["val"])), r"mine.npz leaves split 'test' without a row"),
    "nothing": (
        {"inputs": np.zeros((0, 3)), "tone": TONE[:0], "level": LEVEL[:0], "split": np.array([], str)},
        "leaves",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_sentence_and_leaves_nothing(case):
    arrays, message = BAD[case]
    with pytest.raises(DGRError, match=message) as error:
        prepare(arrays)
    assert len(str(error.value).splitlines()) == 1
    assert "allow_pickle" not in str(error.value)
    assert list(Path("data").iterdir()) == []


def archive(**members):
    with zipfile.ZipFile("mine.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)


def saved(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "mine.npz is no .npz file; replace it"),
        (b"", "mine.npz is no .npz file"),
        (b"\x80\x04K\x01.", "mine.npz is no .npz file"),  # a pickle
        (saved(INPUTS), "mine.npz is no .npz file"),
    ],
)
def test_what_is_no_archive_is_refused(content, message):
    if content is not None:
        Path("mine.npz").write_bytes(content)
    with pytest.raises(DGRError, match=message):
        prepare(None)


def test_a_header_that_promises_too_much_takes_no_memory():
    small, large = b"(8, 3), }", b"(8000000, 3000000), }"
    content = saved(INPUTS).replace(small + b" " * (len(large) - len(small)), large)
    assert large in content
    archive(inputs=content, **{name: saved(array) for name, array in GOOD.items() if name != "inputs"})
    with pytest.raises(DGRError, match=r"\(inputs.npy does not hold what its header says\)"):
        prepare(None)


@pytest.mark.parametrize("kept", [20, 100, 400, 900])
def test_a_cut_archive_is_refused(kept):
    np.savez("mine.npz", **GOOD)
    content = Path("mine.npz").read_bytes()
    Path("mine.npz").write_bytes(content[:kept])
    with pytest.raises(DGRError, match=r"mine\.npz is no \.npz file"):
        prepare(None)


def test_damaged_bytes_are_noticed():
    np.savez("mine.npz", **GOOD)
    content = bytearray(Path("mine.npz").read_bytes())
    content[content.index(INPUTS.tobytes()) + 5] ^= 1
    Path("mine.npz").write_bytes(content)
    with pytest.raises(DGRError, match=r"mine.npz is not a readable .npz file \(Bad CRC-32 for file 'inputs.npy'\)"):
        prepare(None)
