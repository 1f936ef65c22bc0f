"""Every file of ``models/encoders``: the representation it gives, heads that fit it, and mistakes in its block."""

from importlib.util import find_spec

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn

from dgr.config.parsing import Strict, parse
from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.models.model import build_model
from dgr.models.registry import ENCODERS, AnyArchitecture, VectorArchitecture

TASKS = (Task("first", "classification", 3), Task("second", "classification", 5))
DENSE = {"backbone": "small", "channels": [4, 8], "head_channels": 4}
ASPP = {"channels": [4, 8], "head_channels": 4, "rates": [2]}
BLOCKS = {
    "conv": {"channels": [2, 4], "width": 6, "hidden": 5},
    "resnet18": {"pretrained": False, "hidden": 5},
    "resnet50": {"pretrained": False, "hidden": 5},
    "split": DENSE,
    "mtan": DENSE,
    "split_aspp": ASPP,
    "mtan_aspp": ASPP,
}
IMAGES = (3, 32, 32)


class Block(Strict):
    architecture: AnyArchitecture


class Probed(Strict):
    architecture: VectorArchitecture


def architecture(name, **changes):
    return TypeAdapter(AnyArchitecture).validate_python({"name": name, **BLOCKS[name], **changes})


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("name", ENCODERS)
def test_heads_read_what_the_encoder_gives(name, separate):
    if name.startswith("resnet") and find_spec("torchvision") is None:
        pytest.skip("needs torchvision")
    config = architecture(name)
    model = build_model(config, TASKS, IMAGES, separate, seed=0)
    z = model.encoder(torch.rand(2, *IMAGES))
    assert z.shape[1] == config.head_width * (len(TASKS) if separate or config.has_parts else 1)
    assert (z.ndim == 2) == config.gives_vectors
    for task in TASKS:
        assert model.heads[task.name](z).shape[:2] == (2, task.classes)
    assert isinstance(ENCODERS.declared(name, "LABEL"), str)


@pytest.mark.parametrize("shape", [(1, 6, 9), (5, 1, 1), (3, 7, 2)])
def test_small_convolutions_read_any_height_and_width(shape):
    model = build_model(architecture("conv"), TASKS, shape, separate=False, seed=0)
    assert model.encoder(torch.rand(2, *shape)).shape == (2, 6)


def test_pooling_that_leaves_nothing_is_named():
    with pytest.raises(DGRError, match=r"pooling 4 leaves nothing of inputs \[1, 3, 9\]; lower it"):
        build_model(architecture("conv", pooling=4), TASKS, (1, 3, 9), separate=False, seed=0)


def test_batch_normalisation_stands_between_each_convolution_and_its_relu():
    plain, normal = (
        build_model(architecture("conv", batch_norm=on), TASKS, IMAGES, separate=False, seed=0).encoder
        for on in (False, True)
    )
    kinds = [type(layer) for layer in normal]
    assert kinds == [*[nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2, nn.Flatten, nn.Linear, nn.ReLU]
    assert [kind for kind in kinds if kind is not nn.BatchNorm2d] == [type(layer) for layer in plain]
    assert normal[0].bias is None, "batch normalisation takes it away again"
    assert plain[0].bias is not None
    x = torch.rand(16, *IMAGES)
    after = normal.train()[:2](x)
    torch.testing.assert_close(after.mean(dim=(0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(after.var(dim=(0, 2, 3), correction=0), torch.ones(2), atol=1e-2, rtol=0)
    assert normal[1].num_batches_tracked == 1
    normal.eval()(x)
    assert normal[1].num_batches_tracked == 1


@pytest.mark.parametrize("name", ENCODERS)
def test_a_block_is_dumped_as_it_was_read(name):
    block = Block(architecture=architecture(name)).model_dump(mode="json")
    assert block["architecture"]["name"] == name
    assert next(iter(block["architecture"])) == "name"
    assert block["architecture"].items() >= BLOCKS[name].items()
    assert Block(**block) == Block(architecture=architecture(name))


def test_the_models_of_one_seed_are_equal_and_torchs_random_state_is_left_alone():
    state = torch.get_rng_state()
    models = [
        build_model(architecture("conv"), TASKS, IMAGES, separate, seed) for separate, seed in ((0, 1), (1, 1), (0, 2))
    ]
    shared, own, other = (list(model.encoder.parameters()) for model in models)
    assert all(torch.equal(a, b) for a, b in zip(shared, own[: len(shared)], strict=True))
    assert not torch.equal(shared[0], other[0])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"name": "convv"}, "here: architecture: Unknown encoder 'convv'; did you mean 'conv'?"),
        (
            {},
            f"here: architecture: the encoder has no name; known: {', '.join(sorted(BLOCKS))}.",
        ),
        ("conv", "here: architecture: Input should be a valid dictionary"),
        ({"name": ["conv"]}, "here: architecture: Unknown encoder"),
        ({"name": "conv", **BLOCKS["conv"], "widht": 3}, "architecture: unknown key 'widht'; did you mean 'width'?"),
        ({"name": "conv", **BLOCKS["conv"], "width": 0}, "architecture.width: Input should be greater than 0"),
        ({"name": "split", **DENSE, "rates": [1]}, "the backbone 'small' needs channels"),
    ],
)
def test_mistakes_are_named(block, message):
    with pytest.raises(DGRError) as caught:
        parse(Block, {"architecture": block}, "here")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_gives_no_vectors_cannot_be_probed():
    parse(Probed, {"architecture": {"name": "conv", **BLOCKS["conv"]}}, "here")
    with pytest.raises(DGRError, match="classifiers need one vector a sample, which the encoder 'split' does not give"):
        parse(Probed, {"architecture": {"name": "split", **DENSE}}, "here")
