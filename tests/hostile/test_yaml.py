"""YAML of every kind that the project reads."""

from __future__ import annotations

from pathlib import Path

import torch  # noqa: F401 (or the first case would be charged with its memory)
from drawing import hostile
from hypothesis import strategies as st
from mutations import UNREADABLE, changed, damaged, put_in_place
from watched import answer, fresh_folder
from yaml_bombs import BOMBS
from yaml_files import KINDS, crafted, write

CASES = st.sampled_from(list(KINDS)).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.sampled_from(UNREADABLE)
        | changed(KINDS[name].trees(), odd_keys=True).map(write)
        | damaged([write(tree) for tree in KINDS[name].trees()]),
    )
)


# A bomb is the whole file, so that all kinds of suites are one. Each bomb is tried, so that none need be drawn.
READERS = {(kind.read, Path(kind.path).name): name for name, kind in KINDS.items()}
SEEDS = [*((name, bomb) for name in READERS.values() for bomb in BOMBS), *crafted()]


@hostile(CASES, drawn=150, seeds=SEEDS)
def test_yaml_is_used_or_refused_in_a_sentence(case: tuple[str, bytes | str]) -> None:
    name, content = case
    kind = KINDS[name]
    with fresh_folder() as folder:
        kind.lay_out(folder)
        path = folder / kind.path
        if isinstance(content, str):
            put_in_place(path, content)
        else:
            path.write_bytes(content)
        answer(f"YAML: {name}", kind.read, path.name, path.parent.name)
