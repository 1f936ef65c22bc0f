from types import SimpleNamespace

import pytest
import torch

from dgr.regularizers.shared.precision import full_precision


@pytest.mark.parametrize("torch_is_old", [False, True])
def test_tf32_is_off_inside_and_as_before_afterwards(monkeypatch, torch_is_old):
    """No GPU is needed to look at the switches; those before torch 2.9 are stood in for."""
    switch, coarse, full = ("allow_tf32", True, False) if torch_is_old else ("fp32_precision", "tf32", "ieee")
    product, convolution = SimpleNamespace(**{switch: coarse}), SimpleNamespace(**{switch: coarse})
    monkeypatch.setattr(torch.backends.cuda, "matmul", product)
    monkeypatch.setattr(torch.backends, "cudnn", convolution if torch_is_old else SimpleNamespace(conv=convolution))
    with full_precision("cuda"):
        assert getattr(product, switch) == getattr(convolution, switch) == full
    assert getattr(product, switch) == getattr(convolution, switch) == coarse
