"""Records of a finished suite, JSON and CSV, as the next command reads them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from csv_bombs import BOMBS as CSV_BOMBS
from drawing import hostile
from hypothesis import strategies as st
from json_bombs import BOMBS as JSON_BOMBS
from mutations import UNREADABLE, changed, damaged, put_in_place
from record_files import CSV, JSON, Kind, listed_anew, make_suite
from watched import answer, fresh_folder

Case = tuple[str, bytes | str]


@pytest.fixture(scope="module", autouse=True)
def suite(tiny_data: Path) -> Iterator[dict[str, bytes]]:
    """Its files by kind, good ones; the suite is the working directory of the whole module."""
    with fresh_folder() as folder:
        make_suite(folder)
        shutil.copytree(tiny_data / "multimnist", folder / "data/tiny")
        yield {name: kind.path.read_bytes() for name, kind in (JSON | CSV).items()}


def try_in_place(kind: Kind, content: bytes | str, label: str) -> str:
    """Put something in a file's place, let it be read, and put the file back."""
    changing = [kind.path, *(kind.path.parents[level] / "manifest.json" for level in (0, 1) if kind.listed)]
    before = {path: path.read_bytes() for path in changing}
    try:
        if isinstance(content, str):
            put_in_place(kind.path, content)
        else:
            kind.path.write_bytes(content)
            if kind.listed:
                listed_anew(kind.path)
        return answer(label, kind.read, kind.path.name, kind.path.parent.name, *filter(None, [kind.told]))
    finally:
        if kind.path.is_dir() and not kind.path.is_symlink():
            kind.path.rmdir()
        kind.path.unlink(missing_ok=True)
        for path, good in before.items():
            path.write_bytes(good)


def test_the_suite_is_used_as_it_is(suite: dict[str, bytes]) -> None:
    for name, kind in (JSON | CSV).items():
        if name != "plan":
            assert try_in_place(kind, suite[name], f"records: {name}") == ""


@hostile(
    st.tuples(st.sampled_from(list(JSON)), st.data()),
    drawn=120,
)
def test_json_is_used_or_refused_in_a_sentence(suite: dict[str, bytes], case: tuple[str, st.DataObject]) -> None:
    name, data = case
    trees = changed([json.loads(suite[name])]).map(lambda tree: json.dumps(tree).encode())
    try_in_place(JSON[name], data.draw(trees | damaged([suite[name]])), f"JSON: {name}")


@hostile(st.tuples(st.sampled_from(list(CSV)), st.data()), drawn=60)
def test_csv_is_used_or_refused_in_a_sentence(suite: dict[str, bytes], case: tuple[str, st.DataObject]) -> None:
    name, data = case
    try_in_place(CSV[name], data.draw(damaged([suite[name]])), f"CSV: {name}")


@pytest.mark.parametrize("name", JSON)
def test_what_is_no_record_is_refused(name: str) -> None:
    for content in (*JSON_BOMBS, *UNREADABLE):
        try_in_place(JSON[name], content, f"JSON: {name}")


@pytest.mark.parametrize("name", CSV)
def test_what_is_no_table_is_refused(name: str) -> None:
    for content in (*CSV_BOMBS, *UNREADABLE):
        try_in_place(CSV[name], content, f"CSV: {name}")
