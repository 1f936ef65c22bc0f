"""Whatever is damaged is noticed by who reads it next, named, and mended by what the message says."""

from pathlib import Path

import pytest
from damages import cases, make_base, tried


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("base")
    make_base(root)
    return root


@pytest.mark.parametrize(("kind", "damage"), list(cases()))
def test_damage_is_noticed_named_and_mended(kind: str, damage: str, base: Path, tmp_path: Path) -> None:
    tried(kind, damage, base, tmp_path / "copy")
