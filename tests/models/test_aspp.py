"""The small backbone under pyramids of dilated convolutions: what a head computes, and from how far."""

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch.nn.functional import conv2d

from dgr.core.task import Task
from dgr.models.model import build_model
from dgr.models.registry import AnyArchitecture

TASKS = (Task("segmentation", "segmentation", 13), Task("depth", "depth"))
BLOCK = {"channels": [8, 16, 32], "head_channels": 16, "rates": [1, 2, 4]}
both = pytest.mark.parametrize("name", ["split_aspp", "mtan_aspp"])


def model(name):
    config = TypeAdapter(AnyArchitecture).validate_python({"name": name, **BLOCK})
    return build_model(config, TASKS, (3, 36, 48), separate=False, seed=0).double()


@both
def test_maps_have_a_quarter_of_the_size(name):
    z = model(name).encoder(torch.rand(4, 3, 36, 48, dtype=torch.float64))
    assert z.shape == (4, 32 * (1 if name == "split_aspp" else 2), 9, 12)


@both
@pytest.mark.parametrize("outputs", [1, 13])
def test_a_head_is_the_sum_of_its_branches(name, outputs):
    torch.manual_seed(0)
    head = TypeAdapter(AnyArchitecture).validate_python({"name": name, **BLOCK}).head(outputs).double()
    z = torch.randn(2, 32, 9, 12, dtype=torch.float64)
    expected = torch.zeros(2, outputs, 9, 12, dtype=torch.float64)
    parameters = iter(head.parameters())
    for rate in BLOCK["rates"]:
        kernel, bias, mixture, last = (next(parameters) for _ in range(4))
        assert kernel.shape == (16, 32, 3, 3)
        hidden = conv2d(z, kernel, bias, padding=rate, dilation=rate).clamp_min(0)
        expected += torch.einsum("oc,bchw->bohw", mixture[..., 0, 0], hidden) + last[:, None, None]
    torch.testing.assert_close(head(z), expected)
    assert next(parameters, None) is None


def test_a_head_sees_as_far_as_its_largest_rate():
    z = torch.zeros(1, 32, 15, 15, requires_grad=True)
    config = TypeAdapter(AnyArchitecture).validate_python({"name": "split_aspp", **BLOCK})
    config.head(1)(z + 1)[0, 0, 7, 7].backward()
    rows = z.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten().tolist()
    assert rows == [3, 5, 6, 7, 8, 9, 11]


@both
@pytest.mark.parametrize("missing", ["channels", "rates"])
def test_both_channels_and_rates_are_asked_for(name, missing):
    block = {key: value for key, value in BLOCK.items() if key != missing}
    with pytest.raises(ValidationError, match=missing):
        TypeAdapter(AnyArchitecture).validate_python({"name": name, **block})
