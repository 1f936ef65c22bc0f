"""A session on a GPU, rehearsed on a CPU: it ends in time and leaves what is worth bringing back."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from forked import warm

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks/gpu_session.py"
sys.path.insert(0, str(SCRIPT.parent))
from gpu_costs import as_markdown  # noqa: E402
from gpu_finished import main as finished  # noqa: E402
from gpu_session import data_of, stages  # noqa: E402
from timed_parts import ENDING, Part, Session  # noqa: E402

sys.path.remove(str(SCRIPT.parent))
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
QUICK = [sys.executable, "-c", ""]


def session(tmp_path, seconds):
    return Session(tmp_path / "out", seconds + ENDING, {}, lambda part: None)


def states(out):
    return {part["name"]: part["state"] for part in json.loads((out / "session.json").read_text())["parts"]}


def test_what_is_running_when_the_time_is_over_is_cut(tmp_path):
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    parts = [Part("first", SLEEP), Part("second", [sys.executable, "-c", stubborn]), Part("third", QUICK, "first")]
    started = session(tmp_path, 2)
    pids = []
    start = started._start
    started._start = lambda part: (start(part), pids.append(started.running[part.name][0].pid))
    started.run(parts, slots=2)
    assert states(tmp_path / "out") == {"first": "cut", "second": "cut", "third": "waiting"}
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_parts_wait_for_what_they_need_and_for_a_slot(tmp_path):
    log = tmp_path / "order"
    parts = [
        Part(name, [sys.executable, "-c", f"open({str(log)!r}, 'a').write({name!r})"], after)
        for name, after in (("b", "a"), ("a", ""), ("c", "b"))
    ]
    parts += [Part("d", [sys.executable, "-c", "raise SystemExit(1)"]), Part("e", QUICK, "d")]
    session(tmp_path, 60).run(parts, slots=1)
    assert log.read_text() == "abc"
    assert states(tmp_path / "out") == {"b": "done", "a": "done", "c": "done", "d": "failed", "e": "waiting"}


def test_what_waited_for_the_last_part_that_ran_is_run(tmp_path):
    session(tmp_path, 60).run([Part("a", QUICK), Part("b", QUICK, "a"), Part("c", QUICK, "b")])
    assert set(states(tmp_path / "out").values()) == {"done"}


def test_the_most_telling_cells_come_first(monkeypatch):
    monkeypatch.chdir(ROOT)
    names = [part.name.replace("faces_gpu-utkface64-", "") for part in stages("faces_gpu", "cuda")]
    assert len(names) == 32
    assert names[:5] == [
        "train:resnet18-equal_weighting-none",
        "tune:resnet18-equal_weighting-dgr",
        "tune:resnet18-equal_weighting-norm",
        "train:resnet18-equal_weighting-dgr",
        "train:resnet18-equal_weighting-norm",
    ]
    assert all("resnet18" in name for name in names[:16]), "the short part as a whole before the long one"
    for part in stages("faces_gpu", "cuda"):
        assert part.after in ("", f"tune:{part.name.partition(':')[2]}")


def test_data_that_is_not_there_is_fetched_and_made(monkeypatch, tmp_path):
    for name in ("suites", "paper_configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    fetch, prepare = data_of("faces_gpu", Path("faces.tar.gz"))
    assert fetch.command[3:] == ["fetch", "utkface64", "--from", "faces.tar.gz"]
    assert (prepare.command[3:], prepare.after) == (["prepare", "utkface64"], fetch.name)
    (tmp_path / "data/utkface64").mkdir(parents=True)
    (tmp_path / "data/utkface64/manifest.json").touch()
    assert data_of("faces_gpu", None) == []


def test_what_readers_see_of_a_gpu_is_made_from_its_records(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    records = ROOT / "results/faces_gpu/h200"
    assert as_markdown(json.loads((records / "costs.json").read_text())["rows"]) == (records / "costs.md").read_text()
    shutil.copytree(records, tmp_path / "h200")
    (tmp_path / "h200/finished.md").unlink()
    monkeypatch.setattr(sys, "argv", ["gpu_finished.py", str(tmp_path / "h200")])
    finished()
    assert (tmp_path / "h200/finished.md").read_text() == (records / "finished.md").read_text()


def rehearse(*options):
    command = (sys.executable, str(SCRIPT), "--suite", "mini", "--device", "cpu", "--slots", "2", "--small", *options)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1", "DGR_WARM": warm().address}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert not done.stderr, done.stderr
    return done


def test_a_rehearsal_in_two_pieces(project):
    plan = json.loads((project / "plan.json").read_text())
    kept = ("mini-multimnist-conv-equal_weighting-none", "mini-multimnist-conv-equal_weighting-dgr")
    for stage in ("runs", "tuned_runs", "tuning"):
        plan[stage] = {key: entry for key, entry in plan[stage].items() if key in kept}
    (project / "plan.json").write_text(json.dumps(plan))
    for file in (project / "paper_configs").glob("*.yaml"):  # which would say that the plan is not current
        file.unlink()
    rehearse("--seconds", "300", "--out", "one")
    first = states(project / "one")
    assert set(first.values()) == {"done"}
    assert list(first) == ["costs", *(part.name for part in stages("mini", "cpu"))]
    with (project / "one/costs.csv").open() as file:
        assert {"model", "case", "milliseconds", "ratio", "peak_mb"} <= set(next(csv.reader(file)))
    assert json.loads((project / "one/costs.json").read_text())["device"].startswith("cpu")
    rows = [
        [cell.strip() for cell in row.split("|")[1:4]] for row in (project / "one/costs.md").read_text().splitlines()
    ]
    assert ["nyuv2/split", "2", "DGR, exact"] in rows
    assert str(ROOT) not in (project / "one/session.json").read_text()
    # As if the first piece had been cut in its last training.
    told = json.loads((project / "one/session.json").read_text())
    last = told["parts"][-1]
    last["state"] = "cut"
    (project / "one/session.json").write_text(json.dumps(told))
    for folder in ("runs", "results", "unfinished"):  # the next machine has nothing but what was brought along
        shutil.rmtree(project / folder, ignore_errors=True)
    shutil.rmtree(project / "one/runs/mini/train" / last["name"].partition(":")[2])
    rehearse("--seconds", "300", "--out", "two", "--resume", "one")
    second = states(project / "two")
    assert second == {name: "done" for name in first if name != "costs"}
    assert [path.stem for path in (project / "two/logs").iterdir()] == [last["name"]], "the rest is not done again"
    assert len(plan["runs"] | plan["tuned_runs"]) == 2
    for key, run in (plan["runs"] | plan["tuned_runs"]).items():
        for seed in run["seeds"]:
            assert (project / f"two/runs/mini/train/{key}/seed-{seed}/metrics.json").is_file()
            assert (project / f"two/runs/shared/origins/mini/{key}/seed-{seed}.json").is_file()
    assert sum(path.stat().st_size for path in (project / "two").rglob("*") if path.is_file()) < 10**6
    (project / "two/session.json").write_text(json.dumps({"code": "another", "plan": "", "parts": []}))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--seconds", "20", "--out", "three", "--suite", "mini", "--resume", "two"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert "two was made with another code or plan; go on from its commit" in done.stderr
    assert done.returncode == 1
