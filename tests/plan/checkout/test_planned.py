"""A plan that was current is not made again to compare, until something changes that it could depend on."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from project_support import ROOT

from dgr.core.paths import CONFIGS, DEFAULT_SUITE, HASHES, PLAN, SHARED, STAGES
from dgr.plan.checkout import planned, stage_lock

KEY = "mini-multimnist-conv-single_task-none"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The suites whose plans were made to compare, in processes that are not started."""
    found: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        found.append(command[-1])
        return subprocess.CompletedProcess(command, 0, stderr="")

    monkeypatch.setattr(stage_lock.subprocess, "run", run)
    return found


@pytest.mark.usefixtures("project")
def test_it_is_asked_again_after_each_change_and_once(
    asked: list[str], command: Callable[..., object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def type_it() -> list[str]:
        asked.clear()
        command("collect", "nothing")
        command("train", f"{KEY}x")
        return list(asked)

    assert type_it() == [], "the fixture has noted it"
    (tmp_path / STAGES.name).write_bytes((ROOT / STAGES).read_bytes())
    assert type_it() == [SHARED.name, DEFAULT_SUITE]
    for path in (CONFIGS / "mini/T1.yaml", CONFIGS / "sources.yaml", PLAN, HASHES):
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        assert DEFAULT_SUITE in type_it(), path
        assert type_it() == []
        path.write_bytes(before)
        type_it()
    code = tmp_path / "package/methods"
    code.mkdir(parents=True)
    (code / "mine.py").touch()
    monkeypatch.setattr(planned, "_PACKAGE", tmp_path / "package")
    assert type_it() == [SHARED.name, DEFAULT_SUITE]
    assert type_it() == []
    (code / "mine.py").write_text("x = 1\n")
    assert type_it() == [SHARED.name, DEFAULT_SUITE]


@pytest.mark.usefixtures("project")
def test_where_it_cannot_be_noted_it_is_asked_each_time(asked: list[str], command: Callable[..., object]) -> None:
    for path in Path(".snakemake/planned").iterdir():
        path.unlink()
        path.mkdir()
    for _ in range(2):
        command("train", f"{KEY}x")
    assert asked == [DEFAULT_SUITE] * 2


@pytest.mark.usefixtures("project")
def test_a_plan_that_is_not_current_is_not_noted(command: Callable[..., object]) -> None:
    PLAN.write_text(PLAN.read_text() + "\n")
    for _ in range(2):
        assert "plan.json is not current" in str(command("train", KEY))
