"""The closed form of the exact penalty against double backward, in float64."""

import copy
from functools import partial

import pytest
import torch
from regularizer_support import TASKS, make_heads, penalty_of
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from dgr import DGRError, DummyGradientNorm, Task
from dgr.regularizers.shared.closed_form import closed_groups

BATCH, WIDTH, CLASSES = 7, 5, 3
WEIGHT = torch.tensor([0.5, 2.0, 1.0])
LOSSES = {
    "function": cross_entropy,
    "module": nn.CrossEntropyLoss(),
    "task": Task("a", "classification", CLASSES).loss,
    "summed": nn.CrossEntropyLoss(reduction="sum"),
    "weighted": nn.CrossEntropyLoss(weight=WEIGHT),
    "smoothed": nn.CrossEntropyLoss(label_smoothing=0.2),
    "all": nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.1, ignore_index=1),
    "weighted sum": nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.1, reduction="sum"),
    "squares": mse_loss,
    "square module": nn.MSELoss(),
    "sum of squares": nn.MSELoss(reduction="sum"),
}
HEADS = {
    "linear": lambda: nn.Linear(WIDTH, CLASSES),
    "two layers": lambda: nn.Sequential(nn.Linear(WIDTH, 6), nn.ReLU(), nn.Linear(6, CLASSES)),
    "cut": lambda: nn.Sequential(nn.Linear(WIDTH, 6), nn.ReLU(), nn.Linear(6, CLASSES), nn.ReLU()),
    "linear, cut": lambda: nn.Sequential(nn.Linear(WIDTH, CLASSES), nn.ReLU()),
    "with dropout": lambda: nn.Sequential(
        nn.Dropout(0.4), nn.Linear(WIDTH, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 3)
    ),
}


def by_double_backward(regularizer):
    """The same penalty, dummies and all, with the closed form switched off."""
    generic = copy.deepcopy(regularizer)
    generic._groups = []
    return generic


def assert_both_ways_agree(regularizer, z, targets):
    ours, reference = regularizer(z, targets), by_double_backward(regularizer)(z, targets)
    torch.testing.assert_close(ours, reference, rtol=1e-11, atol=0)
    gradients = [torch.autograd.grad(penalty, z)[0] for penalty in (ours, reference)]
    assert gradients[1].abs().max() > 1e-4
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-13)


def representation():
    return torch.randn(BATCH, WIDTH, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("norm", ["squared", "plain"])
@pytest.mark.parametrize("per_task", [False, True])
@pytest.mark.parametrize("num_dummies", [1, 3])
@pytest.mark.parametrize("ignored", [0, 2])
def test_closed_form_equals_double_backward(norm, per_task, num_dummies, ignored):
    torch.manual_seed(0)
    regularizer = penalty_of(make_heads(nn.ReLU), strength=0.7, norm=norm, per_task=per_task, num_dummies=num_dummies)
    assert [group.indices for group in regularizer._groups] == [list(range(TASKS * num_dummies))]
    targets = [torch.randint(CLASSES, (BATCH,)) for _ in range(TASKS)]
    targets[0][:ignored] = -100
    assert_both_ways_agree(regularizer, representation(), targets)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("head", HEADS)
def test_closed_form_of_every_loss_and_head(head, loss):
    torch.manual_seed(0)
    regularizer = DummyGradientNorm([HEADS[head]().double()], [LOSSES[loss]], norm="plain", num_dummies=2)
    assert [group.indices for group in regularizer._groups] == [[0, 1]]
    target = torch.randn(BATCH, CLASSES) if "square" in loss else torch.randint(CLASSES, (BATCH,))
    assert_both_ways_agree(regularizer, representation(), [target])


def test_heads_of_unequal_widths_and_others_add_up():
    torch.manual_seed(0)
    heads = [
        nn.Sequential(nn.Linear(WIDTH, 6), nn.ReLU(), nn.Linear(6, 4)),
        nn.Sequential(nn.Linear(WIDTH, 6), nn.GELU(), nn.Linear(6, 2)),
        nn.Linear(WIDTH, 2),
        nn.Sequential(nn.Linear(WIDTH, 6), nn.ReLU(), nn.Linear(6, 4)),
    ]
    losses = [cross_entropy, cross_entropy, mse_loss, nn.CrossEntropyLoss()]
    targets = [*(torch.randint(n, (BATCH,)) for n in (4, 2)), torch.randn(BATCH, 2), torch.randint(4, (BATCH,))]
    for norm in ("squared", "plain"):
        regularizer = DummyGradientNorm([head.double() for head in heads], losses, norm=norm, num_dummies=2)
        assert [group.indices for group in regularizer._groups] == [[0, 3, 4, 7], [2, 6]]
        assert_both_ways_agree(regularizer, representation(), targets)
        assert_both_ways_agree(regularizer, representation(), [None, *targets[1:]])


def test_a_saturated_head_gives_zero_not_nan():
    """Logits so large that every probability is 0 or 1: the gradient vanishes, and with it the penalty."""
    regularizer = penalty_of([head.double() for head in make_heads(nn.ReLU)], norm="plain")
    with torch.no_grad():
        for dummy in regularizer.dummies:
            dummy[2].weight.zero_()
            dummy[2].bias.copy_(torch.tensor([2000.0, 0.0, 0.0]))
    z = representation()
    penalty = regularizer(z, [torch.zeros(BATCH, dtype=torch.int64)] * TASKS)
    assert penalty.item() == 0
    assert torch.equal(torch.autograd.grad(penalty, z)[0], torch.zeros_like(z))


def hooked():
    head = HEADS["two layers"]()
    head[1].register_forward_hook(lambda module, inputs, output: 2 * output)
    return head


@pytest.mark.parametrize(
    "head",
    [
        lambda: nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 3)),
        lambda: nn.Sequential(nn.Linear(5, 6, bias=False), nn.ReLU(), nn.Linear(6, 3)),
        lambda: nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3), nn.Sigmoid()),
        lambda: nn.Sequential(nn.Linear(5, 6), nn.utils.parametrizations.weight_norm(nn.Linear(6, 3))),
        hooked,
    ],
)
def test_other_heads_take_double_backward(head):
    head = head()
    assert closed_groups([head], [cross_entropy]) == []
    assert DummyGradientNorm([head], [cross_entropy])(torch.randn(BATCH, WIDTH), [torch.randint(3, (BATCH,))]) > 0


def test_hooks_count():
    head, z, targets = hooked(), torch.randn(BATCH, WIDTH), [torch.randint(3, (BATCH,))]
    bare = copy.deepcopy(head)
    bare[1]._forward_hooks.clear()
    assert DummyGradientNorm([head], [cross_entropy])(z, targets) != DummyGradientNorm([bare], [cross_entropy])(
        z, targets
    )


def test_other_losses_and_targets_take_double_backward():
    others = [
        lambda p, t: cross_entropy(p, t),
        partial(cross_entropy),
        nn.CrossEntropyLoss(reduction="none"),
        nn.L1Loss(),
    ]
    assert [closed_groups(make_heads(nn.ReLU), [cross_entropy, loss])[0].indices for loss in others] == [[0]] * 4
    regularizer = penalty_of(make_heads(nn.ReLU))
    # Class probabilities are targets too, and no closed form is written for them.
    soft = [torch.full((BATCH, CLASSES), 1 / 3, dtype=torch.float64)] * TASKS
    assert regularizer(representation(), soft) > 0


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("label", [-1, CLASSES])
def test_a_label_that_is_no_class_is_refused(label, closed):
    regularizer = penalty_of(make_heads(nn.ReLU))
    regularizer = regularizer if closed else by_double_backward(regularizer)
    targets = [torch.full((BATCH,), label)] * TASKS
    with pytest.raises(DGRError, match=rf"label of task 0 is no class .*{label}.*; give labels from 0"):
        regularizer(representation(), targets)


def test_class_weights_count_as_they_are_at_the_call():
    loss = nn.CrossEntropyLoss(weight=WEIGHT.clone())
    regularizer, z = DummyGradientNorm([HEADS["two layers"]()], [loss], seed=0), torch.randn(BATCH, WIDTH)
    target = [torch.arange(BATCH) % 3]
    before = regularizer(z, target)
    loss.weight[0] = 9.0
    assert regularizer(z, target) != before
    torch.testing.assert_close(regularizer(z, target), by_double_backward(regularizer)(z, target))
    assert "weight" not in "".join(name for name in regularizer.state_dict() if "dummies" not in name)


def test_a_loss_module_that_is_changed_later_counts_as_it_is_at_the_call():
    heads, loss, z = [HEADS["linear"]().double()], nn.CrossEntropyLoss(), representation()
    targets = [torch.randint(CLASSES, (BATCH,))]
    regularizer = DummyGradientNorm(heads, [loss], seed=0)
    for name, value in (("label_smoothing", 0.3), ("weight", WEIGHT.double()), ("reduction", "sum")):
        before = regularizer(z, targets).item()
        setattr(loss, name, value)
        assert regularizer(z, targets).item() != pytest.approx(before, rel=1e-3)
        assert_both_ways_agree(regularizer, z, targets)
