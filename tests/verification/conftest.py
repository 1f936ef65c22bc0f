import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from verified_support import verified_once


@pytest.fixture(scope="session")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny suite after its runs; copied, never changed."""
    return verified_once(tmp_path_factory)


@pytest.fixture
def checkout(verified: Path, tmp_path: Path) -> Iterator[Path]:
    """A clean checkout of it, the working directory: neither data nor runs."""
    ignored = shutil.ignore_patterns("data", "runs", "unfinished")
    root = shutil.copytree(verified, tmp_path / "checkout", ignore=ignored)
    before = Path.cwd()
    os.chdir(root)
    yield root
    os.chdir(before)
