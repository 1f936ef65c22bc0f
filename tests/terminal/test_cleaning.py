"""What runs made goes, and it is said; what is committed stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dgr.core.errors import DGRError
from dgr.plan.checkout.at_work import ENGINE, release, take
from dgr.terminal.cleaning import clean_results

ROOT = Path(__file__).parents[2]
GONE = (
    *("runs/mini/train/a/seed-0/metrics.json", "data/d/x.npy", "trained/mini/a/seed-0.pt", "unfinished/a/seed-0.pt"),
    *("logs/train/a.log", ".snakemake/log/x", ".dvc/cache/files/ab", "results/mini-seeds-0-1/tables/T1.csv"),
    *("figures/mini-seeds-0-1/F1.png", "suites/mini-seeds-0-1/plan.json", "reproduction.md"),
)
KEPT = (
    *("results/mini/records/runs.csv", "results/mini/tuning/a.json", "figures/mini/F1.png", "suites/cost/plan.json"),
    *("dvc.lock", "sources/utkface/a.jpg", "dgr-runs.tar.gz", ".dvc/config", ".venv/installed", "paper_configs/a.yaml"),
)


@pytest.fixture
def checkout(tmp_path):
    for name in (*GONE, *KEPT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("12345")
    return tmp_path


def there(checkout):
    return {str(path.relative_to(checkout)) for path in checkout.rglob("*") if path.is_file()}


def test_what_runs_made_goes_and_is_named_and_the_rest_stays(checkout):
    lines = list(clean_results(checkout))
    assert there(checkout) == set(KEPT)
    assert "removed runs (1 file, 0.0 MB)" in lines
    assert "removed suites/mini-seeds-0-1 (1 file, 0.0 MB)" in lines
    assert sum(line.startswith("removed ") for line in lines) == len(GONE)
    assert next(clean_results(checkout)) == "Nothing to remove: no run has made anything here."


def test_nothing_is_removed_beside_a_run_that_goes_on(checkout):
    for name in (ENGINE, "train@a"):
        held = take(name, ["a", "command"], checkout)
        before = there(checkout) - {f".locks/{name}.lock"}
        with pytest.raises(DGRError, match=rf"at work here is process {os.getpid()} \(`a command`\)"):
            list(clean_results(checkout))
        assert there(checkout) - {f".locks/{name}.lock"} == before
        release(held)


def test_what_a_killed_snakemake_locked_is_no_hindrance(checkout):
    (checkout / ".snakemake/locks").mkdir()
    (checkout / ".snakemake/locks/0.output.lock").touch()
    list(clean_results(checkout))
    assert not (checkout / ".snakemake").exists()


def test_nothing_is_removed_elsewhere(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(DGRError, match="There is no paper_configs in"):
        list(clean_results(tmp_path))
    assert (tmp_path / "runs").exists()


def test_make_clean_results_needs_no_environment(checkout):
    """Only Python's own library: no torch, no environment made for it."""
    for name in ("Makefile", "src"):
        (checkout / name).symlink_to(ROOT / name)
    only = checkout / "python"
    only.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    only.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        ["make", "clean-results", f"PYTHON={only}"], cwd=checkout, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "removed runs (1 file" in done.stdout
    assert not (checkout / "runs").exists()
    assert (checkout / "dvc.lock").exists()


def test_everything_it_removes_is_ignored_by_git():
    names = [name for name in GONE if not name.startswith("suites/")]  # a plan, which `dgr plan` would remove as well
    done = subprocess.run(["git", "check-ignore", *names], cwd=ROOT, capture_output=True, text=True)
    assert set(names) - set(done.stdout.split()) == set()
