"""The SLURM profile on a real SLURM of two nodes: each stage is a job with its limits, and the bytes are the same."""

import shutil
import subprocess
from pathlib import Path

import pytest
from marked import MARK, gone, marked
from slurm_cluster import NODES, WAY_IN, cluster, missing, run_on_slurm
from trial_project import differences, environment, make_small, state

RUN = "mini-multimnist-conv-single_task-none"
TARGET = f"runs/mini/train/{RUN}/manifest.json"


@pytest.mark.skipif(bool(missing()), reason=f"SLURM is not installed; {WAY_IN}")
def test_jobs_of_a_cluster_make_the_same_bytes(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    make_small(here)
    shutil.copytree(here, there, symlinks=True)
    subprocess.run(["snakemake", "--cores", "2", TARGET], cwd=here, env=environment(here, "here"), check=True)
    with cluster() as slurm:
        said, jobs = run_on_slurm(there, slurm, TARGET)
    assert gone(slurm[MARK], 10), marked(slurm[MARK])
    assert differences(state(here), state(there)) == [], said
    assert [job["state"] for job in jobs] == ["COMPLETED"] * 3, said
    assert {job["node"] for job in jobs} <= set(NODES)
    train = next(job for job in jobs if job["comment"].startswith("rule_train_"))
    assert train["gpu"] == "gres:gpu:1"
    assert train["time"] == "2-00:00:00"  # no times of a step are known
    assert 4000 < int(train["memory"].removesuffix("M")) < 4100  # 64 small pictures


def test_a_cluster_that_is_not_there_is_told_with_the_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "sbatch" in missing()
    assert "slurm-wlm" in WAY_IN
