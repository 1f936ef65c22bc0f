"""Whatever is damaged is noticed by who reads it next, named, and mended by what the message says.

Each kind of artefact with one or two kinds of damage; `make chaos` tries all.
"""

from pathlib import Path

import pytest
from damages import KINDS, cases, tried
from verified_support import verified_once

SOME = [case for number, case in enumerate(cases()) if number % 4 == 0]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return verified_once(tmp_path_factory)


@pytest.mark.parametrize(("kind", "damage"), SOME)
def test_damage_is_noticed_named_and_mended(kind: str, damage: str, base: Path, tmp_path: Path) -> None:
    tried(kind, damage, base, tmp_path / "copy")


def test_each_kind_and_each_damage_is_among_them() -> None:
    assert {kind for kind, _ in SOME} == set(KINDS)
    assert {damage for _, damage in SOME} == {damage for _, damage in cases()}
