"""Pictures and arrays that somebody puts where the project reads them."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import arrays
import numpy as np
import own_data
import pictures
from drawing import hostile
from hypothesis import strategies as st
from mutations import UNREADABLE, damaged, put_in_place
from watched import answer, fresh_folder

from dgr.datasets.input_files import read_array, read_arrays, read_image
from dgr.datasets.registry import parse_dataset
from dgr.measurements.representation_file import load_representation

CHIP = "20_0_1_2017.jpg.chip.jpg"
FACES = {
    "kind": "utkface",
    "source": "x",
    "image_size": 8,
    "shares": {"train": 0.5, "val": 0.25, "test": 0.25},
    "seed": 0,
}
SAMPLE = np.zeros((8, 3), np.float32)
VECTORS = own_data.block(
    kind="arrays", path="mine.npz", shape=[3], labels=[{"name": "tone", "kind": "classification", "classes": 2}]
)
ROWS = {
    "inputs.npy": arrays.good(SAMPLE),
    "tone.npy": arrays.good(np.arange(8) % 2),
    "split.npy": arrays.good(np.array(own_data.SPLITS)),
}


def _faces() -> object:
    for age in range(1, 9):
        Path(f"{age}_0_1_2017.jpg.chip.jpg").write_bytes(pictures.good("JPEG") + bytes([age]))
    return parse_dataset(FACES, "faces").compose(Path())


def _folder() -> object:
    for row in own_data.ROWS:
        name = Path(f"im/{row}.png")
        if row:
            name.write_bytes(pictures.good())
    own_data.write_table(Path("labels.csv"), own_data.lines())
    return parse_dataset(own_data.block(), "mine").compose(Path())


PICTURES: dict[str, tuple[str, Callable[[], object]]] = {
    "picture": ("a.png", lambda: read_image(Path("a.png"))),
    "face": (CHIP, _faces),
    "picture of a folder": ("im/0.png", _folder),
}
ARRAYS: dict[str, tuple[str, Callable[[], object]]] = {
    "array": ("a.npy", lambda: read_array(Path("a.npy"))),
    "array in an archive": ("inputs.npy", lambda: _arrays("inputs.npy")),
    "labels in an archive": ("tone.npy", lambda: _arrays("tone.npy")),
    "splits in an archive": ("split.npy", lambda: _arrays("split.npy")),
    "representation": ("train.npy", lambda: _representation()),
}


def _arrays(name: str) -> object:
    Path("mine.npz").write_bytes(arrays.npz(ROWS | {name: Path(name).read_bytes()}))
    return parse_dataset(VECTORS, "mine").compose(Path("mine.npz"))


def _representation() -> object:
    members = {f"{split}.npy": arrays.good(SAMPLE) for split in ("train", "val", "test")}
    Path("z.npz").write_bytes(arrays.npz(members | {"train.npy": Path("train.npy").read_bytes()}))
    return load_representation(Path("z.npz"), "train it again")


def try_at(kind: str, table: dict[str, tuple[str, Callable[[], object]]], content: bytes | str) -> None:
    name, read = table[kind]
    with fresh_folder():
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, str):
            put_in_place(path, content)
        else:
            path.write_bytes(content)
        answer(f"file: {kind}", read, path.name, "mine.npz", "z.npz")


GOOD_PICTURES = [pictures.good(form, mode="RGB") for form in pictures.FORMATS]
ANY_PICTURE = st.sampled_from(list(PICTURES))


@hostile(
    st.tuples(ANY_PICTURE, st.sampled_from(pictures.BOMBS) | damaged(GOOD_PICTURES)),
    drawn=100,
    seeds=[(kind, each) for kind in PICTURES for each in (*pictures.BOMBS, *UNREADABLE)],
)
def test_pictures_are_used_or_refused_in_a_sentence(case: tuple[str, bytes | str]) -> None:
    kind, content = case
    try_at(kind, PICTURES, content)


GOOD_ARRAYS = [arrays.good(SAMPLE), arrays.good(np.arange(8)), arrays.good(np.array(own_data.SPLITS))]
HEADERS = st.builds(
    lambda kind, shape, order, content: arrays.npy(arrays.told(kind, shape, order), content),
    st.sampled_from(arrays.TYPES) | st.text(max_size=4),
    st.sampled_from(arrays.SHAPES) | st.lists(st.integers(-2, 9), max_size=4).map(tuple),
    st.sampled_from([True, False, None, 1, "C"]),
    st.binary(max_size=64),
)


@hostile(
    st.tuples(st.sampled_from(list(ARRAYS)), HEADERS | damaged(GOOD_ARRAYS)),
    drawn=100,
    seeds=[(kind, each) for kind in ARRAYS for each in arrays.BOMBS] + [("array", each) for each in UNREADABLE],
)
def test_arrays_are_used_or_refused_in_a_sentence(case: tuple[str, bytes | str]) -> None:
    try_at(case[0], ARRAYS, case[1])


ARCHIVES = [
    arrays.npz({"inputs.npy": arrays.npy(arrays.told("<f4", (2**26,)), bytes(2**28))}),
    arrays.npz({"inputs.npy": arrays.good()}).replace(
        struct.pack("<I", len(arrays.good())), struct.pack("<I", 2**31 - 1)
    ),
    arrays.npz({}),
    arrays.npz(ROWS)[:-30],
    arrays.npz(ROWS, zipfile.ZIP_LZMA),
    b"PK\5\6" + bytes(18),
    arrays.PICKLED,
]


@hostile(st.sampled_from(ARCHIVES) | damaged([arrays.npz(ROWS)]), drawn=40, seeds=[*ARCHIVES, *UNREADABLE])
def test_archives_of_arrays_are_used_or_refused_in_a_sentence(content: bytes | str) -> None:
    with fresh_folder():
        put_in_place(Path("mine.npz"), content) if isinstance(content, str) else Path("mine.npz").write_bytes(content)
        answer("file: archive of arrays", lambda: read_arrays(Path("mine.npz"), ["inputs"]), "mine.npz")
