"""A sample is run again with the pipeline's commands, and every number is compared with the committed one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from project_support import warm
from verified_support import PLAIN, SUITE, TUNED, dgr_commands, edit_csv, run_git

from dgr.config.plan_file import read_plan
from dgr.core.errors import DGRError
from dgr.verification import verify
from dgr.verification.drawing import Unit, units
from dgr.verification.findings import Finding
from dgr.verification.locked_files import check_lock
from dgr.verification.made_again import read_again
from dgr.verification.numbers_again import compare_again
from dgr.verification.places import make_places
from dgr.verification.record_files import RecordFile
from dgr.verification.rerunning import prepare_data, run_again
from dgr.verification.verify import check_files, choose_units, verify_suite


@pytest.fixture(scope="module")
def again(verified: Path, tmp_path_factory: pytest.TempPathFactory) -> list[RecordFile]:
    """One unit of each kind, made again in a place of its own."""
    scratch = tmp_path_factory.mktemp("scratch")
    with chdir(verified):
        plan = read_plan()
        tuning, sweep = next(units(plan, SUITE, "tuning")), next(units(plan, SUITE, "sweep"))
        chosen = [Unit("run", TUNED, 1), Unit("baselines", "mini-multimnist"), Unit("embedding", SUITE), tuning, sweep]
        places = make_places(plan, SUITE, chosen, scratch, "cpu")
        (scratch / "data").symlink_to(verified / "data")
        phases = zip(*(place.phases for place in places), strict=True)
        dgr_commands(
            (place.folder, " ".join(command))
            for phase in phases
            for place, commands in zip(places, phase, strict=True)
            for command in commands
        )
        return read_again(places, SUITE)


def test_a_run_gives_the_same_numbers_to_the_last_bit(checkout: Path, again: list[RecordFile]) -> None:
    assert {file.name for file in again} == {
        *("provenance", "runs", "histories", "answers", "sources", "probes", "universality", "tuning", "sweeps"),
        "embedding",
    }
    found = compare_again(SUITE, again, exact=True)
    assert found.problems == []
    assert found.compared > 300
    assert found.notes == [f"{found.compared:,} identical, 0 within tolerance, 0 outside"]


@pytest.mark.parametrize(
    "name",
    [
        "provenance",
        "runs",
        "histories",
        "answers",
        "sources",
        "probes",
        "universality",
        "tuning",
        "sweeps",
        "embedding",
    ],
)
def test_a_forged_number_is_found_where_all_else_fits(checkout: Path, again: list[RecordFile], name: str) -> None:
    """The forger has mended tables, page and lock: nothing but the re-run can tell."""
    file = next(file for file in again if file.name == name)
    key = dict(zip(file.key, next(iter(file.rows)), strict=True))
    column = "value" if "value" in next(iter(file.rows.values())) else list(next(iter(file.rows.values())))[-1]

    def forge(frame: pd.DataFrame) -> pd.DataFrame:
        counted = frame.assign(sample=frame.groupby("regularizer").cumcount().astype(str)) if "sample" in key else frame
        ours = (counted[list(key)].replace({"seed": {"1.0": "1", "0.0": "0"}}) == pd.Series(key)).all(axis=1)
        assert ours.sum() == 1
        return frame.assign(**{column: frame[column].where(~ours, "0.987654")})

    edit_csv(name, forge)
    found = compare_again(SUITE, again, exact=True)
    assert len(found.problems) == 1
    assert f"{name}.csv has 1 numbers that came out differently" in found.problems[0]
    assert "again" in found.problems[0]
    assert "0.987654" in found.problems[0]


def test_a_row_that_is_not_committed_is_missed(checkout: Path, again: list[RecordFile]) -> None:
    edit_csv("probes", lambda frame: frame[~frame["seed"].str.startswith("1")])
    assert any(
        "probes.csv lacks the row multimnist conv" in problem for problem in compare_again(SUITE, again, True).problems
    )


def test_where_bits_may_differ_small_differences_pass_and_large_ones_do_not(
    checkout: Path, again: list[RecordFile]
) -> None:
    def scattered(by: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
        def edit(frame: pd.DataFrame) -> pd.DataFrame:
            signs = [1 - 2 * (row % 2) for row in range(len(frame))]
            values = frame["value"].astype(float) * [1 + by * sign for sign in signs]
            return frame.assign(value=values.map(repr))

        return edit

    edit_csv("runs", scattered(1e-9))
    near = compare_again(SUITE, again, exact=False)
    assert not any("came out differently" in problem for problem in near.problems)
    assert " 0 within tolerance" not in near.notes[0]
    assert compare_again(SUITE, again, exact=True).result == "failed"
    edit_csv("runs", scattered(0.5))
    assert "runs.csv has " in compare_again(SUITE, again, exact=False).problems[0]


def test_the_command_says_passed_writes_its_report_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = ["verify", SUITE, "--key", PLAIN, "--seed", "1", "--scratch", str(scratch)]
    place = os.environ | {"DGR_WARM": warm().address}  # which spares it the loading of libraries
    done = subprocess.run(
        [sys.executable, "-m", "dgr", *arguments], env=place, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "numbers made again" in done.stdout
    report = Path("verification.md").read_text(encoding="utf-8")
    assert report.startswith("# Verification of suite mini: passed\n\n- Date: 20")
    assert f"- run {PLAIN}, seed 1" in report
    assert "|r_s - c_s| <= max(K * sd_s" in report
    assert list(scratch.iterdir()) == []
    assert run_git(Path(), "status", "--porcelain") == ""


def test_the_command_fails_with_status_1_and_names_what_is_wrong(
    checkout: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "check_files", lambda suite, *_, **__: [check_lock(suite)])  # of which one fails
    edit_csv("probes", lambda frame: frame.assign(value=["0.9", *frame["value"][1:]]))
    assert command("verify", SUITE, "--sample", "0") == 1
    report = Path("verification.md").read_text(encoding="utf-8")
    assert report.startswith("# Verification of suite mini: failed\n")
    assert "- results/mini/records/probes.csv is not the file that dvc.lock knows." in report
    assert "## What was run again\n\nNothing." in report


def test_the_files_of_other_suites_are_checked_where_that_is_asked_for(
    checkout: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "check_files", lambda *_, **__: [Finding("files")])
    monkeypatch.setattr(verify, "other_suites", lambda suite: [f"beside-{suite}"])
    monkeypatch.setattr(verify, "check_other", lambda name, _: Finding(f"committed files of {name}", 9, ["a is b."]))
    assert command("verify", SUITE, "--sample", "0") is None
    assert command("verify", SUITE, "--sample", "0", "--others") == 1
    report = Path("verification.md").read_text(encoding="utf-8")
    assert "| committed files of beside-mini | 9 | failed |  |" in report
    assert "## committed files of beside-mini\n\n- a is b.\n" in report


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nini"], "Unknown suite 'nini'; did you mean 'mini'?"),
        (["mini", "--key", "x"], "Suite 'mini' has no record 'x'"),
        (["mini", "--key", PLAIN, "--seed", "9"], f"{PLAIN} has no seed 9; it has 0, 1."),
        (["mini", "--seed", "1"], "--seed 1 is a seed of one record; name it with --key KEY"),
        (["mini", "--sample", "0", "--scratch", "nowhere"], "Cannot write nowhere: No such file or directory"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    checkout: Path, command: Callable[..., Any], arguments: list[str], message: str
) -> None:
    assert message in command("verify", *arguments)
    assert not Path("verification.md").exists()


def test_a_failing_run_stops_with_its_own_sentence(checkout: Path, tmp_path: Path) -> None:
    plan = read_plan()
    (place,) = make_places(plan, SUITE, [Unit("run", PLAIN, 0)], tmp_path, "cpu")
    (tmp_path / "data").mkdir()
    with pytest.raises(
        DGRError, match=rf"`python -m dgr train {PLAIN} --device cpu` failed when it was run again: data"
    ):
        run_again([place], 2)


def test_data_that_must_be_fetched_is_named(checkout: Path, tmp_path: Path) -> None:
    plan = read_plan()
    plan["fetched_datasets"] |= {"multimnist": plan["datasets"].pop("multimnist")}
    places = make_places(plan, SUITE, [Unit("run", PLAIN, 0)], tmp_path, "cpu")
    with pytest.raises(
        DGRError, match=r"data/multimnist is not here.* check the committed files alone with --sample 0"
    ):
        prepare_data(places, tmp_path, 1)


def test_an_interrupted_verification_leaves_no_report(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "prepare_data", lambda *_: [])
    monkeypatch.setattr(verify, "run_again", interrupt)
    Path("verification.md").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        verify_suite(SUITE, choose_units(SUITE, 1, 0, None, None, False), tmp_path, Path("verification.md"))
    assert Path("verification.md").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["checkout"]
    assert run_git(Path(), "status", "--porcelain") == ""


def test_a_full_scratch_folder_is_one_sentence(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(DGRError, match=r"Cannot write .*scratch: No space left on device; free or unlock that place"):
        check_files(SUITE, tmp_path / "scratch", exact=True)


def test_every_record_of_a_page_shows_its_command(checkout: Path) -> None:
    page = Path("results/mini/audit.html").read_text(encoding="utf-8")
    for key in (PLAIN, TUNED):
        assert f"python -m dgr verify mini --key {key} --seed 0" in page
    assert "python -m dgr verify mini --key mini-multimnist-conv-strength --seed 0" in page
