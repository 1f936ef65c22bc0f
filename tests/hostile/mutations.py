"""From what is well to what is not: a value in a tree, or bytes of a file, changed in a way that somebody once met."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

TEXTS = [
    "",
    " ",
    "\0",
    "\n",
    "a\nb",
    "\x1b[31mred",
    "\u202e",
    "\ud800",
    "none",
    "x" * 100_000,
    "../../x",
    "/etc/passwd",
    "~",
    "$HOME",
]
NUMBERS = [
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**40,
    10**400,
    0.0,
    -0.5,
    1e-320,
    1e308,
    math.inf,
    -math.inf,
    math.nan,
]
OTHERS = [None, True, False, [], {}, [[]], [None], {"": ""}, {"name": "x"}, {"name": 3}, {"kind": []}, ["a", 1, None]]
SCALARS = (
    st.sampled_from([*TEXTS, *NUMBERS, None, True, False]) | st.text(max_size=8) | st.integers(-5, 5) | st.floats()
)
VALUES = (
    st.sampled_from(OTHERS)
    | SCALARS
    | st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=5,
    )
)
ODD_KEYS = [None, True, 3, 2.5, math.nan, date(2020, 1, 1), "", "a\nb", "x" * 10_000, b"bytes", (1, 2)]
"""What YAML lets a key be."""
Change = Callable[[Any], Any]


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values of a tree."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(each for key, value in inner for each in places(value, (*path, key)))]


@st.composite
def changed(draw: st.DrawFn, trees: list[Any], odd_keys: bool = False) -> Any:
    """One of the trees with one to three changes: a value replaced, left out, doubled, or another added."""
    tree = copy.deepcopy(draw(st.sampled_from(trees)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(tree)))
        if not path:
            if draw(st.integers(0, 9)) == 0:
                tree = copy.deepcopy(draw(VALUES))  # a later change must not reach what is drawn from
            continue
        block = tree
        for key in path[:-1]:
            block = block[key]
        last = path[-1]
        match draw(st.sampled_from(["replace"] * 4 + ["remove", "add", "deeper", "double"])):
            case "replace":
                block[last] = copy.deepcopy(draw(VALUES))
            case "remove":
                del block[last]
            case "deeper":
                block[last] = draw(st.sampled_from([[block[last]], {"name": block[last]}]))
            case "double" if isinstance(block, list):
                block.append(copy.deepcopy(block[last]))
            case "add" if isinstance(block, dict):
                key = draw(st.sampled_from(ODD_KEYS) if odd_keys else st.text(max_size=5))
                block[key] = copy.deepcopy(draw(VALUES))
    return tree


@st.composite
def damaged(draw: st.DrawFn, contents: list[bytes]) -> bytes:
    """One of the files cut off, with bytes changed, a stretch repeated, removed or replaced, or others behind it."""
    content = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        match draw(st.sampled_from(["cut", "set", "set", "set", "insert", "remove", "number"])):
            case "cut":
                del content[at:]
            case "set" if content:
                content[at] = draw(st.integers(0, 255))
            case "insert":
                content[at:at] = draw(st.binary(max_size=20))
            case "remove":
                del content[at : at + draw(st.integers(1, 40))]
            case "number":  # sizes stand in four or eight bytes
                content[at : at + 4] = draw(
                    st.sampled_from([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"])
                )
    return bytes(content)


UNREADABLE = ["folder", "dangling link", "link in a circle", "pipe", "endless device", "absent"]
"""What may stand in a file's place."""


def put_in_place(path: Path, what: str) -> None:
    """Put one of :data:`UNREADABLE` where a file should be."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    match what:
        case "folder":
            path.mkdir()
        case "dangling link":
            path.symlink_to("nowhere")
        case "link in a circle":
            path.symlink_to(path.name)
        case "pipe":
            os.mkfifo(path)
        case "endless device":
            path.symlink_to("/dev/zero")
