"""What docs/penalty.md says of torch's versions is what tests/project/compatibility has seen."""

import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compatibility(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tests/project/compatibility"))
    import record
    import run

    yield record, run
    for name in ("record", "run"):
        del sys.modules[name]


def test_the_pages_sentence_is_made_from_the_record(compatibility):
    record, _ = compatibility
    assert record.sentence(record.rows()) in (ROOT / "docs/penalty.md").read_text(encoding="utf-8")


def test_every_version_has_run_every_check_and_the_oldest_is_of_the_oldest_series_allowed(compatibility):
    record, run = compatibility
    rows = record.rows()
    for version in {row["torch"] for row in rows}:
        assert [row["check"] for row in rows if row["torch"] == version] == list(run.CHECKS)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    torch = next(each for each in map(Requirement, project["dependencies"]) if each.name == "torch")
    allowed = [record.number(each.version) for each in torch.specifier if each.operator == ">="]
    oldest = record.number(rows[0]["torch"])  # a patch of the series that is allowed
    assert allowed == [oldest[:2]]


def test_a_failed_check_is_named_and_a_new_run_replaces_the_versions_old_one(compatibility):
    record, _ = compatibility
    versions = {"torch": "2.4.1", "lightning": "2.6.5", "python": "3.11.7"}
    old = record.new_rows(versions, {"loop": True, "DDP": False})
    newer = record.new_rows({**versions, "torch": "2.14.1"}, {"loop": True, "DDP": True})
    both = record.merged(newer, old)
    assert [row["torch"] for row in both] == ["2.4.1", "2.4.1", "2.14.1", "2.14.1"]
    assert record.sentence(both).endswith(": loop, DDP. Failed: DDP with 2.4.1.")
    mended = record.merged(both, record.new_rows(versions, {"loop": True, "DDP": True}))
    assert len(mended) == 4
    assert record.sentence(mended).endswith(": loop, DDP. All passed.")
