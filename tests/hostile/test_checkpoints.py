"""Checkpoints and files of weights that hold something else, or more than they say."""

from __future__ import annotations

import io
import itertools
import pickle
import zipfile
from functools import cache
from pathlib import Path

import torch
from arrays import PICKLED, Canary
from drawing import hostile
from hypothesis import strategies as st
from mutations import UNREADABLE, damaged, put_in_place
from watched import answer, fresh_folder

from dgr.models.shared.backbones import _load as load_weights
from dgr.training.checkpoint import load_checkpoint, save_checkpoint


def saved(state: object, **options: object) -> bytes:
    """As torch writes it."""
    stream = io.BytesIO()
    torch.save(state, stream, **options)
    return stream.getvalue()


def packed_anew(content: bytes, changes: dict[str, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    """With other members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", packed) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name.rpartition("/")[2], old.read(name)), compresslevel=1)
    return stream.getvalue()


@cache
def good() -> bytes:
    """Of the run ``r``."""
    with fresh_folder():
        save_checkpoint(Path("c.pt"), "r", {"model": torch.nn.Linear(2, 2).state_dict(), "epoch": 3})
        return Path("c.pt").read_bytes()


def bombs() -> list[bytes]:
    """What is no checkpoint of ours."""
    deep: object = []
    for _ in range(300):
        deep = [deep]
    return [
        b"",
        PICKLED,
        saved(Canary()),
        saved({"identity": "r", "model": Canary()}),
        saved(Canary(), _use_new_zipfile_serialization=False),
        saved({"identity": "r"}, _use_new_zipfile_serialization=False),
        packed_anew(good(), {"data.pkl": PICKLED}),
        packed_anew(good(), {"data.pkl": pickle.dumps(print)}),
        packed_anew(good(), {"data.pkl": b"\x80\x02" + b"(" * 100_000 + b"."}),
        packed_anew(good(), {"data.pkl": b"\x80\x02U\xff."}),
        packed_anew(good(), {"data.pkl": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f."}),
        packed_anew(good(), {"0": b""}),
        packed_anew(good(), {"0": bytes(2**28)}, zipfile.ZIP_DEFLATED),
        packed_anew(good(), {}, zipfile.ZIP_LZMA),
        saved([]),
        saved(3),
        saved({"identity": None}),
        saved({"identity": "x" * 100_000}),
        saved({"identity": "\x1b[31m\n"}),
        saved({"identity": deep}),
        saved(deep),
        saved(torch.zeros(1).expand(10**12)),
        good()[:-40],
        zipfile_of({"a": b"x"}),
    ]


def zipfile_of(members: dict[str, bytes]) -> bytes:
    """A plain archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@hostile(
    st.tuples(st.sampled_from(["checkpoint", "weights"]), st.deferred(lambda: damaged([good()]))),
    drawn=60,
    seeds=itertools.product(("checkpoint", "weights"), [*bombs(), *UNREADABLE]),
)
def test_checkpoints_are_used_or_refused_in_a_sentence(case: tuple[str, bytes | str]) -> None:
    kind, content = case
    with fresh_folder():
        path = Path("c.pt")
        put_in_place(path, content) if isinstance(content, str) else path.write_bytes(content)
        network = torch.nn.Linear(2, 2)
        read = {
            "checkpoint": lambda: load_checkpoint(path, "r"),
            "weights": lambda: load_weights(network, path, "a network", "fetch it again"),
        }[kind]
        answer(f"file: {kind}", read, "c.pt")
