"""A regularizer that is loaded, copied, averaged, sharded, pickled or compiled remains the same penalty."""

import copy
import io
import itertools

import pytest
import torch
from regularizer_support import ESTIMATORS, TASKS, make_heads, make_problem, penalty_of
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from dgr import DGRError, DummyGradientNorm

SETTINGS = list(itertools.product(ESTIMATORS, [nn.GELU, nn.ReLU]))


@pytest.fixture(params=SETTINGS, ids=lambda setting: f"{setting[0]}-{setting[1].__name__}")
def made(request):
    """One regularizer, another with other dummies, and a batch."""
    estimator, activation = request.param
    heads = make_heads(activation)
    encoder, _, inputs, targets = make_problem()
    one, other = (penalty_of(heads, estimator=estimator, seed=seed) for seed in (0, 1))
    return one, other, encoder(inputs).detach().requires_grad_(), targets


def results(regularizer, z, targets):
    penalty = regularizer(z, targets)
    return penalty.detach(), torch.autograd.grad(penalty, z)[0]


@pytest.mark.parametrize("assign", [False, True])
def test_loaded(made, assign):
    one, other, z, targets = made
    expected = results(one, z, targets)
    assert other(z, targets) != expected[0]
    other.load_state_dict(one.state_dict(), assign=assign)
    torch.testing.assert_close(results(other, z, targets), expected)


@pytest.mark.parametrize("way", ["deepcopy", "averaged", "pickled", "converted"])
def test_copied(made, way):
    one, _, z, targets = made
    expected = results(one, z, targets)
    buffer = io.BytesIO()
    torch.save(one, buffer)
    buffer.seek(0)
    copied = {
        "deepcopy": lambda: copy.deepcopy(one),
        "averaged": lambda: AveragedModel(one).module,
        "pickled": lambda: torch.load(buffer, weights_only=False),
        "converted": lambda: copy.deepcopy(one).to(torch.device("cpu")).double(),
    }[way]()
    torch.testing.assert_close(results(copied, z, targets), expected)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.mul_(2)
    assert copied(z, targets) != expected[0]
    torch.testing.assert_close(results(one, z, targets), expected)


def test_averaged_with_a_model_and_called_with_other_parameters(made):
    one, other, z, targets = made
    averaged = AveragedModel(nn.ModuleList([one]))
    averaged.update_parameters(nn.ModuleList([one]))
    averaged.update_parameters(nn.ModuleList([other]))
    middle = copy.deepcopy(one)
    with torch.no_grad():
        for own, a, b in zip(middle.parameters(), one.parameters(), other.parameters(), strict=True):
            own.copy_((a + b) / 2)
    torch.testing.assert_close(results(averaged.module[0], z, targets), results(middle, z, targets))
    swapped = functional_call(one, dict(other.named_parameters()), (z, targets))
    torch.testing.assert_close(swapped.detach(), other(z, targets).detach())


def test_sharded_dummies_are_refused(made, tmp_path):
    one, _, z, targets = made
    distributed = pytest.importorskip("torch.distributed")
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import distribute_module

    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        distribute_module(one, init_device_mesh("cpu", (1,)))
        with pytest.raises(DGRError, match="sharded; keep the regularizer out of fully_shard"):
            one(z, targets)
    finally:
        distributed.destroy_process_group()


def test_heads_that_are_used_before_with_hooks_and_stored_activations():
    kept = []

    class Keeping(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.utils.parametrizations.weight_norm(nn.Linear(5, 3))

        def forward(self, z):
            self.last = {"in": [z], "out": self.layers(z)}
            return self.last["out"]

    head = Keeping()
    head.register_forward_hook(lambda module, inputs, output: kept.append(output))
    z = torch.randn(7, 5, requires_grad=True)
    head(z.clone())
    before = head.last["out"]
    regularizer = DummyGradientNorm([head], [cross_entropy])
    names = [set(vars(module)) for module in regularizer.modules()]
    regularizer(z, [torch.randint(3, (7,))]).backward()
    assert z.grad.abs().max() > 0
    assert head.last["out"] is before
    assert [set(vars(module)) for module in regularizer.modules()] == names
    assert not torch.is_tensor(regularizer.dummies[0].last["out"].grad_fn), "nothing of the call is left"
    copy.deepcopy(regularizer)


def test_nothing_of_a_call_is_left_in_the_dummies():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0
            self.register_buffer("mean", torch.zeros(5, dtype=torch.float64))
            self.layer = nn.Linear(5, 3).double()

        def forward(self, z):
            self.calls += 1
            self.seen = z
            self.mean.lerp_(z.detach().mean(0), 0.1)
            return self.layer(z - self.mean)

    for estimator in ESTIMATORS:
        regularizer = DummyGradientNorm([Counting()], [cross_entropy], estimator=estimator)
        z, targets = torch.randn(7, 5, dtype=torch.float64), [torch.randint(3, (7,))]
        assert regularizer(z, targets) == regularizer(z, targets)
        dummy = regularizer.dummies[0]
        assert (dummy.calls, hasattr(dummy, "seen"), dummy.mean.abs().max().item()) == (0, False, 0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("part", ["encoder and heads", "regularizer", "step"])
def test_compiled(part, estimator):
    """With the compiler's eager backend: the same frames are taken apart, and no C compiler is needed."""
    torch._dynamo.reset()
    encoder, heads, inputs, targets = make_problem()

    def step(encoder, heads, regularizer):
        z = encoder(inputs)
        loss = sum(cross_entropy(head(z), target) for head, target in zip(heads, targets, strict=True))
        return loss + regularizer(z, targets)

    def gradients(step, *parts):
        return torch.autograd.grad(step(*parts), list(encoder.parameters()))

    def compiled(what):
        return torch.compile(what, backend="aot_eager")

    settings = {"estimator": estimator, "epsilon": 1e-2, "seed": 0}
    expected = gradients(step, encoder, heads, penalty_of(heads, **settings))
    if part == "encoder and heads":
        made = [compiled(head) for head in heads]
        inside = nn.Sequential(compiled(heads[0]))
        ours = gradients(step, compiled(encoder), made, penalty_of([inside, made[1]], **settings))
    elif part == "regularizer":
        ours = gradients(step, encoder, heads, compiled(penalty_of(heads, **settings)))
    else:
        ours = gradients(compiled(step), encoder, heads, penalty_of(heads, **settings))
    torch.testing.assert_close(ours, expected)
    torch._dynamo.reset()


def test_state_continues_in_a_regularizer_with_another_stream():
    _, heads, _, targets = make_problem()
    z = torch.randn(7, 5, dtype=torch.float64)
    one = penalty_of(heads, resample=True)
    other = penalty_of(make_heads(), resample=True)
    one(z, targets)
    other.load_state_dict(one.state_dict())
    assert [one(z, targets).item() for _ in range(3)] == [other(z, targets).item() for _ in range(3)]
    assert len(heads) == TASKS
