"""The small backbone under DeepLabV3's heads: what it is made of, and what size of z can matter to it."""

from importlib.util import find_spec

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from dgr.core.task import Task
from dgr.models.model import build_model
from dgr.models.registry import AnyArchitecture
from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm

TASKS = (Task("segmentation", "segmentation", 13), Task("depth", "depth"))
BLOCK = {"channels": [8, 16, 32], "head_channels": 16, "rates": [2, 4]}
both = pytest.mark.parametrize("name", ["split_aspp", "mtan_aspp"])
needs_torchvision = pytest.mark.skipif(find_spec("torchvision") is None, reason="needs torchvision")


def model(name):
    config = TypeAdapter(AnyArchitecture).validate_python({"name": name, **BLOCK})
    return build_model(config, TASKS, (3, 36, 48), separate=False, seed=0).double()


def batch():
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(4, 3, 36, 48, generator=generator, dtype=torch.float64)
    labels = torch.randint(-1, 13, (4, 36, 48), generator=generator)
    return images, [labels, 10 * torch.rand(4, 1, 36, 48, generator=generator, dtype=torch.float64)]


@needs_torchvision
@both
def test_maps_have_a_quarter_of_the_size_and_every_head_its_rates(name):
    made = model(name)
    z = made.encoder(batch()[0])
    assert z.shape == (4, 32 * (1 if name == "split_aspp" else 2), 9, 12)
    for head in made.heads.values():
        dilations = {m.dilation for m in head.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (3, 3)}
        assert dilations == {(1, 1), (2, 2), (4, 4)}


@needs_torchvision
@both
def test_the_penalty_does_not_change_when_z_is_rescaled(name):
    # Each branch of the pyramid begins with a convolution and batch normalisation.
    made = model(name)
    images, targets = batch()
    with torch.no_grad():
        z = made.encoder(images)
    penalty = DummyGradientNorm(list(made.heads.values()), [task.criterion for task in TASKS], 1.0, seed=0)
    one, ten = (penalty((scale * z).requires_grad_(), targets).item() for scale in (1.0, 10.0))
    assert one > 0
    assert ten == pytest.approx(one, rel=1e-2)  # up to the ε of batch normalisation


@both
@pytest.mark.parametrize("missing", ["channels", "rates"])
def test_both_channels_and_rates_are_asked_for(name, missing):
    block = {key: value for key, value in BLOCK.items() if key != missing}
    with pytest.raises(ValidationError, match=missing):
        TypeAdapter(AnyArchitecture).validate_python({"name": name, **block})
