import types

import pytest
import torch

from dgr.core import gpu_claims
from dgr.core.device import choose_device
from dgr.core.errors import DGRError


def test_a_gpu_that_is_not_there_cannot_be_asked_for():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(DGRError, match="'cuda' was asked for, but torch finds no GPU"):
        choose_device("cuda")
    with pytest.raises(DGRError, match="Unknown device 'gpu'"):
        choose_device("gpu")


def test_a_stage_claims_what_it_needs_on_a_gpu_and_asks_for_nothing_on_a_cpu(monkeypatch, tmp_path):
    gpu = types.SimpleNamespace(uuid="GPU-one", total_memory=100)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: gpu)
    monkeypatch.setattr(gpu_claims.claim, "__defaults__", (tmp_path,))
    monkeypatch.setattr(gpu_claims, "_own", own := [])
    assert choose_device("cpu", lambda: pytest.fail("nobody asks")) == torch.device("cpu")
    assert choose_device("auto", lambda: 70) == torch.device("cuda", 0)
    assert [claim.size for claim in own] == [70]
    own[0].file.close()
