"""Files from the future are dated now, since Snakemake takes what it has just made for out of date beside them."""

import os
import time
from pathlib import Path

import pytest

from dgr.core.errors import DGRError
from dgr.plan.checkout.time_stamps import mend_time_stamps

DAY = 86400.0


def dated(path: Path, moment: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (moment, moment))
    return path


def test_what_is_from_the_future_is_dated_now_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    now = time.time()
    old = dated(tmp_path / "src/old.py", now - DAY)
    new = [dated(tmp_path / name, now + DAY) for name in ("src/b.py", "data/d/a.npy")]
    hidden = dated(tmp_path / ".git/index", now + DAY)
    (tmp_path / "nowhere").symlink_to("not-there")
    assert list(mend_time_stamps()) == [
        "2 files were dated in the future, such as data/d/a.npy; they are dated now instead."
    ]
    assert all(now - 1 < path.stat().st_mtime <= time.time() for path in new)
    assert old.stat().st_mtime == pytest.approx(now - DAY)
    assert hidden.stat().st_mtime == pytest.approx(now + DAY)
    assert list(mend_time_stamps()) == []


def test_a_file_that_cannot_be_dated_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dated(tmp_path / "a.csv", time.time() + DAY)

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refused)
    with pytest.raises(DGRError, match=r"a\.csv is dated in the future, .*not permitted.*; set the clock, or let"):
        list(mend_time_stamps())
