"""The SLURM profile on a real SLURM of two nodes: each stage is a job with its limits, and the bytes are the same."""

from pathlib import Path

import pytest
from marked import MARK, gone, marked
from project_support import make_project, reproduced
from slurm_cluster import NODES, WAY_IN, cluster, missing, run_on_slurm
from trial_project import LOCKS, differences, stages, state

RUN = "mini-multimnist-conv-single_task-none"
TARGET = f"runs/mini/train/{RUN}/manifest.json"


@pytest.mark.skipif(bool(missing()), reason=f"SLURM is not installed; {WAY_IN}")
def test_jobs_of_a_cluster_make_the_same_bytes(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    here, there = reproduced(tmp_path_factory).root, make_project(tmp_path / "there").root
    before = state(there)
    with cluster() as slurm:
        said, jobs = run_on_slurm(there, slurm, TARGET)
    assert gone(slurm[MARK], 10), marked(slurm[MARK])
    recorded = stages(there)
    assert {address.partition(":")[2] for address in recorded} == {
        "prepare@multimnist",
        "training_code",
        f"train@{RUN}",
    }
    assert recorded.items() <= stages(here).items(), said
    wanted = {name: each for name, each in state(here).items() if name not in LOCKS}  # which have been compared
    added = {name: each for name, each in state(there).items() if before.get(name) != each and name not in LOCKS}
    assert added.items() <= wanted.items(), differences(wanted, added)
    assert {name for name in wanted if name.startswith("data/") or RUN in Path(name).parts} <= added.keys()
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
