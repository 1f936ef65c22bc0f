"""The models of the papers' image data sets: backbones, encoders, task attention, heads."""

import copy
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from dgr import DGRError, DummyGradientNorm, MultiTaskModel
from dgr.core.torchvision_import import load_torchvision
from dgr.models.shared.attention import MTANEncoder
from dgr.models.shared.backbones import resnet_backbone, small_backbone
from dgr.models.shared.dense_heads import deeplab_head, small_dense_head
from dgr.models.shared.heads import SliceHead, mlp_head
from dgr.models.shared.image_encoders import PooledEncoder, Standardize

TASKS = 3
WIDTHS = [8, 12, 16]
needs_torchvision = pytest.mark.skipif(find_spec("torchvision") is None, reason="needs torchvision")
kinds = pytest.mark.parametrize("kind", ["small", pytest.param("resnet18", marks=needs_torchvision)])
SIZES = [((64, 64), (16, 16)), ((33, 47), (9, 12)), ((7, 5), (2, 2))]


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def backbone(kind):
    return small_backbone(3, WIDTHS) if kind == "small" else resnet_backbone(18, dilated=True)


def million(parameters):
    return round(sum(parameter.numel() for parameter in parameters) / 1e6, 1)


def maps_of(network, images):
    """torchvision's own forward pass, up to the last stage."""
    images = network.maxpool(network.relu(network.bn1(network.conv1(images))))
    return network.layer4(network.layer3(network.layer2(network.layer1(images))))


def finely_sampled(made, coarse, step, images):
    """The maps of a dilated backbone, and those of its strided twin, which are every ``step``-th of them."""
    made, coarse = made.double().eval(), coarse.double().eval()
    coarse.load_state_dict(made.state_dict())
    return made(images)[..., ::step, ::step], coarse(images)


@pytest.mark.parametrize(("size", "expected"), SIZES)
def test_the_small_backbone_keeps_a_quarter_of_the_size(size, expected):
    made = small_backbone(2, WIDTHS)
    assert made.widths == tuple(WIDTHS)
    assert made(torch.rand(2, 2, *size)).shape == (2, WIDTHS[-1], *expected)


def test_later_stages_of_the_small_backbone_are_dilated():
    made = small_backbone(3, [*WIDTHS, 20])
    strided = small_backbone(3, [*WIDTHS, 20])
    for stage in strided.stages[2:]:
        for convolution in (block[0] for block in stage):
            convolution.dilation = convolution.padding = (1, 1)
        stage[0][0].stride = (2, 2)
    ours, theirs = finely_sampled(made, strided, 4, torch.rand(2, 3, 33, 47, dtype=torch.float64))
    assert theirs.shape == (2, 20, 3, 3)
    torch.testing.assert_close(ours, theirs)


@needs_torchvision
@pytest.mark.parametrize(("dilated", "size"), [(True, (33, 47)), (True, (64, 64)), (False, (33, 47))])
def test_resnets_keep_an_eighth_of_the_size_if_dilated(dilated, size):
    made = resnet_backbone(18, dilated)
    stride = 8 if dilated else 32
    assert made.widths == (64, 128, 256, 512)
    assert made(torch.rand(2, 3, *size)).shape == (2, 512, -(-size[0] // stride), -(-size[1] // stride))


@needs_torchvision
def test_a_dilated_resnet18_is_the_strided_one_on_a_finer_grid():
    made, strided = resnet_backbone(18, dilated=True), resnet_backbone(18, dilated=False)
    ours, theirs = finely_sampled(made, strided, 4, torch.rand(1, 3, 97, 65, dtype=torch.float64))
    assert theirs.shape == (1, 512, 4, 3)
    torch.testing.assert_close(ours, theirs)


@needs_torchvision
def test_resnet50_is_dilated_as_torchvision_does_and_mtan_counts_as_published():
    made = resnet_backbone(50, dilated=True)
    twin = load_torchvision().models.resnet50(replace_stride_with_dilation=[False, True, True])
    for name, part in zip(("conv1", "bn1"), made.stem, strict=False):
        setattr(twin, name, part)
    for index, stage in enumerate(made.stages):
        getattr(twin, f"layer{index + 1}").load_state_dict(stage.state_dict())
    images = torch.rand(1, 3, 33, 47)
    with torch.no_grad():
        torch.testing.assert_close(made.eval()(images), maps_of(twin.eval(), images))
    encoder = MTANEncoder(made, TASKS)
    attention = [p for task in range(TASKS) for p in encoder.attention_parameters(task)]
    assert made.widths == (256, 512, 1024, 2048)
    assert million(made.parameters()) == 23.5
    assert million([*made.parameters(), *encoder.hand_on.parameters()]) == 31.4
    assert million(attention) == 12.5
    assert million(encoder.parameters()) == 44.0


@needs_torchvision
def test_weights_come_back_from_a_file(tmp_path):
    network = load_torchvision().models.resnet18().eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    torch.manual_seed(1)
    made = resnet_backbone(18, dilated=False, weights=tmp_path / "weights.pth").eval()
    images = torch.rand(2, 3, 33, 47)
    assert torch.equal(made(images), maps_of(network, images))


@needs_torchvision
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"weights\.pth with the weights of ResNet-50 is missing; run `python -m dgr fetch resnet50_imagenet`\."),
        (b"", r"weights\.pth is truncated or not a file of weights"),
        (b"<html>not found</html>", r"weights\.pth is truncated or not a file of weights"),
        ({"conv1.weight": nn.Identity()}, r"weights\.pth is truncated or not a file of weights"),
        ({"conv1.weight": torch.zeros(64, 3, 7, 7)}, r"does not hold the weights of ResNet-50 \(.*Missing key.*fetch"),
        ({"conv1.weight": torch.zeros(64, 1, 7, 7)}, r"does not hold the weights of ResNet-50 \("),
        ({1: torch.zeros(1)}, r"does not hold the weights of ResNet-50 \("),
        ([torch.zeros(1)], r"does not hold the weights of ResNet-50 \("),
    ],
)
def test_unfit_weights_are_one_sentence(tmp_path, content, message, monkeypatch):
    # The file is at fault whatever the network: a ResNet-18 in its place is made in a tenth of the time.
    models = load_torchvision().models
    monkeypatch.setattr(models, "resnet50", models.resnet18)
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(DGRError, match=message) as caught:
        resnet_backbone(50, dilated=False, weights=path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(path))


def test_standardize_in_float64():
    images = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    module = Standardize([0.1, 0.2, 0.3], [0.5, 2, 4]).double()
    expected = torch.stack(
        [(images[:, 0] - 0.1) / 0.5, (images[:, 1] - 0.2) / 2, (images[:, 2] - 0.3) / 4],
        dim=1,
    )
    torch.testing.assert_close(module(images), expected, rtol=0, atol=1e-6)
    assert module(images).dtype == torch.float64
    assert not module.state_dict()
    assert not list(module.parameters())


def test_pooling_is_the_mean_over_all_positions():
    made = small_backbone(3, WIDTHS).double().eval()
    images = torch.rand(2, 3, 33, 47, dtype=torch.float64)
    maps = made(images).detach().numpy()
    pooled = PooledEncoder(made)(images)
    assert pooled.shape == (2, WIDTHS[-1])
    torch.testing.assert_close(pooled, torch.tensor(maps.reshape(2, WIDTHS[-1], -1).mean(axis=-1)))


@kinds
@pytest.mark.parametrize("size", [(64, 64), (33, 47)])
def test_mtan_joins_one_representation_a_task(kind, size):
    made = backbone(kind)
    images = torch.rand(2, 3, *size)
    batch, width, *grid = made(images).shape
    assert MTANEncoder(made, TASKS)(images).shape == (batch, TASKS * width, *grid)


def test_mtan_multiplies_each_tasks_mask_with_the_last_stage():
    encoder = MTANEncoder(small_backbone(3, WIDTHS), TASKS).double().eval()
    images = torch.rand(2, 3, 33, 47, dtype=torch.float64)
    biases = [-1.0, 0.5, 2.0]
    for of_task, bias in zip(encoder.attention, biases, strict=True):
        normalization = of_task[-1][4]
        nn.init.zeros_(normalization.weight)
        nn.init.constant_(normalization.bias, bias)
    maps = encoder.backbone(images)
    expected = torch.cat([maps / (1 + torch.tensor(-bias).exp().item()) for bias in biases], dim=1)
    torch.testing.assert_close(encoder(images), expected, rtol=1e-6, atol=1e-9)


def test_mtan_follows_its_formula_through_two_stages():
    encoder = MTANEncoder(small_backbone(3, [8, 12]), 1).double().eval()
    images = torch.rand(2, 3, 33, 47, dtype=torch.float64)
    (one, two), (first, second) = encoder.attention[0], encoder.backbone.stages
    early = first[0](encoder.backbone.stem(images))
    late = first[1](early)
    (block,) = encoder.hand_on
    attended = one(early) * late
    residual = attended
    for layer in block.residual:
        residual = layer(residual)
    full = (residual + block.projection(attended)).clamp_min(0)
    assert full.shape[2:] == (17, 24)
    # Maxima of squares of 2×2, of what is left of them at the odd edge.
    padded = nn.functional.pad(full, (0, 0, 0, 1), value=-1.0)
    handed_on = padded.unflatten(2, (9, 2)).unflatten(4, (12, 2)).amax(dim=(3, 5))
    early = second[0](late)
    expected = two(torch.cat([early, handed_on], dim=1)) * second[1](early)
    torch.testing.assert_close(encoder(images), expected)


@kinds
def test_a_tasks_loss_leaves_the_other_tasks_attention_alone(kind):
    encoder = MTANEncoder(backbone(kind), TASKS)
    width = encoder.backbone.widths[-1]
    representation = encoder(torch.rand(2, 3, 33, 47))
    for task in range(TASKS):
        encoder.zero_grad()
        head = SliceHead(small_dense_head(width, 1, 4), task * width, (task + 1) * width)
        prediction = head(representation)
        mse_loss(prediction, torch.randn_like(prediction)).backward(retain_graph=True)
        for other in range(TASKS):
            reached = [bool(p.grad.any()) for p in encoder.attention_parameters(other)]
            assert any(reached) if other == task else not any(reached)
        # The first stage's module is reached through what it hands on.
        assert any(bool(p.grad.any()) for p in encoder.attention[task][0].parameters())
        assert any(bool(p.grad.any()) for p in encoder.backbone.parameters())


def test_the_parts_of_mtan_are_disjoint_and_complete():
    encoder = MTANEncoder(small_backbone(3, WIDTHS), TASKS)
    parts = [encoder.attention_parameters(task) for task in range(TASKS)]
    parts += [list(encoder.backbone.parameters()), list(encoder.hand_on.parameters())]
    together = [id(p) for part in parts for p in part]
    assert len(together) == len(set(together))
    assert set(together) == {id(p) for p in encoder.parameters()}


def heads_on(width, sliced):
    """A head of each kind; behind each other's slices where the representation is joined."""
    heads = {
        "deeplab": lambda: deeplab_head(width, 4, channels=6, rates=(1, 2)),
        "small": lambda: small_dense_head(width, 2, 5),
    }
    if find_spec("torchvision") is None:
        del heads["deeplab"]
    made = {name: head() for name, head in heads.items()}
    if not sliced:
        return made
    return {name: SliceHead(head, k * width, (k + 1) * width) for k, (name, head) in enumerate(made.items())}


@kinds
@pytest.mark.parametrize("attention", [True, False])
def test_shared_and_head_parameters_are_disjoint_and_complete(kind, attention):
    made = backbone(kind)
    heads = heads_on(made.widths[-1], sliced=attention)
    model = MultiTaskModel(MTANEncoder(made, len(heads)) if attention else made, heads)
    groups = [model.shared_parameters(), *(model.head_parameters(name) for name in heads)]
    together = [id(p) for group in groups for p in group]
    assert len(together) == len(set(together))
    assert set(together) == {id(p) for p in model.parameters()}
    assert all(group for group in groups)
    grid = made(torch.rand(2, 3, 33, 47)).shape[2:]
    predictions = model(torch.rand(2, 3, 33, 47))
    assert {name: tuple(p.shape) for name, p in predictions.items()} == {
        name: (2, 4 if name == "deeplab" else 2, *grid) for name in heads
    }


@needs_torchvision
def test_the_deeplab_head_is_torchvisions():
    theirs = load_torchvision().models.segmentation.deeplabv3.DeepLabHead(8, 5).eval()
    ours = deeplab_head(8, 5).eval()
    ours.load_state_dict(theirs.state_dict())
    maps = torch.rand(2, 8, 5, 7)
    assert torch.equal(ours(maps), theirs(maps))
    dilations = [branch[0].dilation[0] for branch in ours[0].convs[1:4]]
    assert dilations == [12, 24, 36]


def close_to_zero(prediction, target):
    return mse_loss(prediction, torch.zeros_like(prediction))


HEADS = {
    "deeplab": (lambda: deeplab_head(6, 4, channels=8, rates=(1, 2)), cross_entropy, (3, 6, 5, 7)),
    "small": (lambda: small_dense_head(6, 2, 5), close_to_zero, (3, 6, 5, 7)),
    "sliced": (lambda: SliceHead(small_dense_head(4, 2, 5), 2, 6), close_to_zero, (3, 6, 5, 7)),
    "relu_logits": (lambda: mlp_head(6, 8, 4, relu_logits=True), cross_entropy, (3, 6)),
}


@pytest.mark.parametrize("estimator", ["exact", "finite_difference"])
@pytest.mark.parametrize("name", [pytest.param("deeplab", marks=needs_torchvision), "small", "sliced", "relu_logits"])
def test_the_penalty_works_with_every_head(name, estimator):
    make, loss, shape = HEADS[name]
    head = make()
    head(torch.rand(shape))
    before = copy.deepcopy(head.state_dict())
    maps = torch.rand(shape, requires_grad=True)
    target = torch.randint(4, (3, 5, 7) if len(shape) == 4 else (3,))
    penalty = DummyGradientNorm([head], [loss], estimator=estimator, epsilon=1e-2, seed=1)
    value = penalty(maps, [target])
    value.backward()
    assert value.isfinite()
    assert value > 0
    assert maps.grad.isfinite().all()
    assert maps.grad.abs().max() > 0
    assert all(torch.equal(before[key], tensor) for key, tensor in head.state_dict().items())
    assert all(parameter.grad is None for parameter in head.parameters())
    weights = zip(penalty.dummies.parameters(), head.parameters(), strict=True)
    assert not any(torch.equal(drawn, real) for drawn, real in weights if real.ndim > 1)


def test_relu_logits_are_the_others_cut_at_zero():
    plain = mlp_head(6, 8, 4)
    cut = mlp_head(6, 8, 4, relu_logits=True)
    cut.load_state_dict(plain.state_dict())
    maps = torch.randn(50, 6)
    assert (plain(maps) < 0).any()
    assert torch.equal(cut(maps), plain(maps).clamp(min=0))


def test_relu_logits_draw_the_same_weights():
    drawn = []
    for options in ({}, {"relu_logits": True}):
        torch.manual_seed(3)
        drawn.append(nn.utils.parameters_to_vector(mlp_head(6, 8, 4, **options).parameters()))
    assert torch.equal(*drawn)


def run_python(script):
    done = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


MODELS = """
import sys
import torch
import dgr
from dgr.core.torchvision_import import load_torchvision
from dgr.models import model
from dgr.models.encoders import mtan, resnet50, split
from dgr.models.shared import attention, backbones, dense_heads, heads, image_encoders
"""


@needs_torchvision
def test_torchvision_is_imported_only_when_asked_for_and_then_works():
    said = run_python(
        MODELS
        + """
print("torchvision" in sys.modules)
loaded = load_torchvision()
import torchvision.models
from torchvision.models import resnet18
from torchvision.transforms import v2
print(torchvision is loaded is load_torchvision())
print(resnet18().eval()(torch.rand(1, 3, 32, 32)).shape, v2.functional.horizontal_flip(torch.tensor([[1, 2]])))
"""
    )
    assert said[:3] == ["False", "True", "torch.Size([1, 1000]) tensor([[2, 1]])"]


def test_without_torchvision_the_small_models_work_and_the_others_say_what_to_do():
    said = run_python(
        MODELS
        + """
sys.modules["torchvision"] = None  # as if it were not installed
encoder = attention.MTANEncoder(backbones.small_backbone(3, [8, 12]), 2)
head = dense_heads.small_dense_head(12, 2, 4)
print(head(encoder(torch.rand(2, 3, 16, 16))[:, :12]).shape)
for make in (lambda: backbones.resnet_backbone(18, dilated=True), lambda: dense_heads.deeplab_head(8, 2)):
    try:
        make()
    except dgr.DGRError as error:
        print(error)
"""
    )
    assert said[0] == "torch.Size([2, 2, 4, 4])"
    assert len(said) == 4
    assert all("needs the package 'torchvision', which is not installed; run" in sentence for sentence in said[1:3])
