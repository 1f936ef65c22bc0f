"""Targets and losses as people have them: missing ones, whole numbers of any type, losses of any reduction."""

import pytest
import torch
from regularizer_support import ESTIMATORS, TASKS, make_heads, make_problem, penalty_of
from torch import nn
from torch.nn import functional
from torch.nn.functional import cross_entropy

from dgr import DGRError, DummyGradientNorm

SETTINGS = [
    {"estimator": e, "norm": n, "per_task": p} for e in ESTIMATORS for n in ("squared", "plain") for p in (0, 1)
]


def results(regularizer, z, targets):
    penalty = regularizer(z, targets)
    return penalty.detach(), torch.autograd.grad(penalty, z)[0]


def representation():
    torch.manual_seed(2)
    return torch.randn(7, 5, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("activation", [nn.GELU, nn.ReLU])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_task_without_targets_adds_nothing(settings, activation):
    """None for its target, or a batch in which every label is ignored, whose mean over nothing torch calls NaN."""
    heads, z = make_heads(activation), representation()
    target = torch.randint(3, (7,))
    two = penalty_of(heads, seed=0, **settings)
    one = penalty_of(heads, seed=0, **settings)
    for task in range(TASKS):
        given = [target, target]
        given[task] = None
        left_out = results(two, z, given)
        alone = DummyGradientNorm([heads[1 - task]], [cross_entropy], seed=0, **settings)
        alone.dummies[0].load_state_dict(one.dummies[1 - task].state_dict())
        torch.testing.assert_close(left_out, results(alone, z, [target]))
        given[task] = torch.full((7,), -100)
        torch.testing.assert_close(results(two, z, given), left_out)
    nothing = results(two, z, [None, torch.full((7,), -100)])
    assert nothing[0] == nothing[1].abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.int32, torch.int16, torch.int8, torch.uint8])
@pytest.mark.parametrize("activation", [nn.GELU, nn.ReLU])
def test_labels_of_every_whole_type(activation, dtype):
    regularizer, z = penalty_of(make_heads(activation)), representation()
    labels = torch.randint(3, (7,))
    assert regularizer(z, [labels.to(dtype)] * TASKS) == regularizer(z, [labels] * TASKS)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_loss_of_several_numbers_is_averaged(estimator):
    heads, z = make_heads(), representation()
    target = [torch.randint(3, (7,))]
    ours = [
        DummyGradientNorm(heads[:1], [loss], estimator=estimator, seed=0)(z, target)
        for loss in (nn.CrossEntropyLoss(reduction="none"), cross_entropy, lambda p, t: cross_entropy(p, t)[None, None])
    ]
    torch.testing.assert_close(ours, [ours[1]] * 3)
    with pytest.raises(DGRError, match="loss of head 0 gave a float; it must give a tensor"):
        DummyGradientNorm(heads[:1], [lambda p, t: 1.0], estimator=estimator)(z, target)


@pytest.mark.parametrize("targets", [[], [1], [1, 2, 3], {"a": 1, "b": 2}])
@pytest.mark.parametrize("activation", [nn.GELU, nn.ReLU])
def test_another_number_of_targets_is_refused(targets, activation):
    with pytest.raises(DGRError, match=r"one target a head, in a list of 2, but the penalty got"):
        penalty_of(make_heads(activation))(representation(), targets)


def test_a_target_may_be_whatever_its_loss_takes():
    def masked(prediction, target):
        labels, mask = target
        return (cross_entropy(prediction, labels, reduction="none") * mask).sum() / mask.sum()

    heads, z = make_heads(), representation()
    labels, mask = torch.randint(3, (7,), dtype=torch.int32), torch.arange(7) < 5
    ours = DummyGradientNorm(heads[:1], [masked], seed=0)(z, [(labels, mask)])
    ignored = labels.long().masked_fill(~mask, -100)
    torch.testing.assert_close(ours, DummyGradientNorm(heads[:1], [cross_entropy], seed=0)(z, [ignored]))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_loss_module_is_used_in_the_type_of_the_penalty_and_not_changed(estimator):
    class Tempered(nn.Module):
        def __init__(self):
            super().__init__()
            self.temperature = nn.Parameter(torch.tensor(2.0))
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, prediction, target):
            self.seen += 1
            self.last = prediction
            return cross_entropy(prediction / self.temperature, target)

    loss, z = Tempered(), representation()
    regularizer = DummyGradientNorm(make_heads()[:1], [loss], estimator=estimator, seed=0)
    penalty = regularizer(z, [torch.randint(3, (7,))])
    penalty.backward()
    assert penalty > 0
    assert (loss.seen.item(), loss.temperature.grad, hasattr(loss, "last")) == (0, None, False)
    assert loss.temperature.dtype == torch.float32
    weighted = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0, 3.0]))
    assert DummyGradientNorm(make_heads()[:1], [weighted], estimator=estimator)(z, [torch.rand(7, 3)]) > 0


def test_labels_that_are_no_class_and_features_of_another_width_are_told_apart():
    _, heads, _, targets = make_problem()
    with pytest.raises(DGRError, match="A label of task 1 is no class"):
        penalty_of(heads)(representation(), [targets[0], torch.full((7,), 3)])
    with pytest.raises(DGRError, match="Head 0 does not fit a representation of shape"):
        penalty_of(make_heads(nn.ReLU))(torch.randn(7, 4), targets)


def test_dense_targets_with_ignored_pixels():
    heads = [nn.Conv2d(5, 3, 1).double(), nn.Conv2d(5, 1, 1).double()]
    losses = [nn.CrossEntropyLoss(ignore_index=255), functional.l1_loss]
    z = torch.randn(2, 5, 4, 4, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(3, (2, 4, 4), dtype=torch.uint8)
    labels[0] = 255
    depth = torch.rand(2, 1, 4, 4, dtype=torch.float64)
    regularizer = DummyGradientNorm(heads, losses, seed=0)
    labelled = regularizer(z, [labels, None]).item()
    assert labelled == pytest.approx(regularizer(z[1:], [labels[1:], None]).item())
    assert regularizer(z, [labels, depth]).item() > labelled
