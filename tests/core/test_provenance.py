"""What a record says of where its numbers come from."""

import pytest
import torch

from dgr.core import origin
from dgr.core.provenance import gpu_numerics


@pytest.fixture
def settings():
    deterministic = torch.are_deterministic_algorithms_enabled()
    kernels = (torch.backends.cudnn.conv, torch.backends.cuda.matmul)
    before = [kernel.fp32_precision for kernel in kernels]
    yield
    for kernel, precision in zip(kernels, before, strict=True):
        kernel.fp32_precision = precision
    torch.use_deterministic_algorithms(deterministic)


def test_a_gpu_record_says_how_precise_and_how_repeatable_its_numbers_are(settings, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr("dgr.core.provenance._cudnn_version", lambda: 91002)
    torch.use_deterministic_algorithms(True)
    assert gpu_numerics() == "cuda 12.8, cudnn 91002, deterministic, convolutions tf32, products ieee"
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision = "ieee", "tf32"
    assert gpu_numerics() == "cuda 12.8, cudnn 91002, convolutions ieee, products tf32"


def test_these_words_stand_in_a_gpu_run_and_in_no_other(monkeypatch):
    assert "convolutions" not in origin.origin(torch.device("cpu"), 1.0)["numerics"]
    monkeypatch.setattr(origin, "device_name", lambda device: "a GPU")
    monkeypatch.setattr(origin, "peak_memory", lambda device: 0)
    made = origin.origin(torch.device("cuda"), 1.0)
    assert made["device"] == "a GPU"
    assert made["numerics"] == f"native ({gpu_numerics()})"
    assert set(made["versions"]) >= {"torch", "python"}
