"""What takes long to make and is only read, or copied and then changed: one worker of a test run makes it for all."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder ``name`` of this test run, made by whoever asks first.

    Args:
        factory: of pytest; its workers have folders of their own beside each other.
        make: fills an empty folder.
    """
    own = factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made-once" / name
    place.parent.mkdir(exist_ok=True)
    whole = place.with_name(f"{name}.whole")
    with FileLock(f"{place}.lock"):
        if not whole.exists():
            shutil.rmtree(place, ignore_errors=True)  # where it failed before
            place.mkdir()
            make(place)
            whole.touch()
    return place
