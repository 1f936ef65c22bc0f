import subprocess
import sys

import pytest
import torch

from dgr.core import device
from dgr.core.device import choose_device, free_gpu
from dgr.core.errors import DGRError

GPUS = ["GPU-one", "GPU-two"]


def held_by_another_process(folder, names):
    """The GPU that a process of its own gets and keeps until it is told to end."""
    script = (
        "from pathlib import Path; from dgr.core.device import free_gpu;"
        f"print(free_gpu({names}, Path({str(folder)!r})), flush=True); input()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def test_stages_at_the_same_time_get_different_gpus(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "_held", [])
    process, first = held_by_another_process(tmp_path, GPUS)
    second = free_gpu(GPUS, tmp_path)
    third = free_gpu(GPUS, tmp_path)
    process.communicate("\n")
    assert (first, second) == (0, 1)
    assert third == 0, "all are held, so the first is shared"
    assert free_gpu(GPUS, tmp_path) == 0
    assert len(device._held) == 2, "given back when the other process ended, and now held here"
    for file in device._held:
        file.close()


def test_a_gpu_that_is_not_there_cannot_be_asked_for():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(DGRError, match="'cuda' was asked for, but torch finds no GPU"):
        choose_device("cuda")
    with pytest.raises(DGRError, match="Unknown device 'gpu'"):
        choose_device("gpu")
