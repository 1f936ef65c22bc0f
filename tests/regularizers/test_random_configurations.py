"""Both estimators against references of their own over random configurations, in float64.

The exact one: double backward through the whole encoder, with the norms written out. The other: the released
procedure, which runs encoder and dummies again at θ + εd, and expands the penalty's gradient into four terms.
"""

import copy
import random

import pytest
import torch
from torch import nn
from torch.nn import functional

from dgr import DummyGradientNorm

CONFIGURATIONS = 520
CHUNKS = 8
BATCH, INPUTS = 5, 3


def smooth_cross_entropy(prediction, target):
    return functional.cross_entropy(prediction, target, label_smoothing=0.1)


def present_squares(prediction, target):
    present = ~target.isnan()
    return ((prediction - target.nan_to_num()) * present).square().sum() / present.sum().clamp(min=1)


class Case:
    """One configuration: an encoder, heads with losses and targets, and settings."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        torch.manual_seed(seed)
        choose = self.random.choice
        self.dense = choose([False, False, True])
        self.width = choose([2, 4, 5])
        encoder = nn.Conv2d(INPUTS, self.width, 2) if self.dense else nn.Linear(INPUTS, self.width)
        self.encoder = nn.Sequential(encoder, nn.Tanh()).double()
        shape = (BATCH, INPUTS, 4, 3) if self.dense else (BATCH, INPUTS)
        self.inputs = torch.randn(shape, dtype=torch.float64)
        self.last = self.dense and choose([False, True])
        self.tasks = choose([1, 2, 3])
        made = [self.task() for _ in range(self.tasks)]
        self.heads, self.losses, self.targets = map(list, zip(*made, strict=True))
        if self.tasks > 1 and choose([False, False, True]):
            self.targets[0] = None
        self.settings = {
            "estimator": choose(["exact", "finite_difference"]),
            "norm": choose(["squared", "plain"]),
            "per_task": choose([False, True]),
            "num_dummies": choose([1, 2, 3]),
            "strength": choose([0.01, 0.7, 3.0]),
            "seed": choose([None, 0, 7]),
            "epsilon": 1e-2,
        }

    def task(self):
        choose = self.random.choice
        classes, bias, hidden = choose([2, 3, 4]), choose([True, True, False]), choose([3, 6])
        layer = nn.Conv2d if self.dense else nn.Linear
        kernel = [1] if self.dense else []
        activation = choose([nn.ReLU, nn.GELU, nn.Tanh])
        norm = choose([nn.Identity, nn.Identity, nn.Identity, lambda: nn.GroupNorm(1, hidden)])
        layers = choose([
            [layer(self.width, classes, *kernel, bias=bias)],
            [layer(self.width, hidden, *kernel, bias=bias), norm(), activation(), layer(hidden, classes, *kernel)],
            [nn.Dropout(0.5), layer(self.width, hidden, *kernel), activation(), layer(hidden, classes, *kernel)],
            [layer(self.width, 4, *kernel), activation(), layer(4, hidden, *kernel), activation(),
             layer(hidden, classes, *kernel)],
        ])  # fmt: skip
        head = nn.Sequential(*layers).double()
        size = (BATCH, 3, 2) if self.dense else (BATCH,)
        labels = torch.randint(classes, size)
        if choose([False, False, True]):
            labels[:2] = -100
        weight = torch.rand(classes) + 0.5
        numbers = torch.randn(BATCH, classes, *size[1:], dtype=torch.float64)
        holes = numbers.clone()
        holes[0] = torch.nan
        loss, target = choose([
            (functional.cross_entropy, labels),
            (functional.cross_entropy, torch.full_like(labels, -100)),
            (nn.CrossEntropyLoss(), labels),
            (nn.CrossEntropyLoss(weight=weight, label_smoothing=0.2), labels),
            (nn.CrossEntropyLoss(reduction="sum"), labels),
            (smooth_cross_entropy, labels),
            (functional.mse_loss, numbers),
            (nn.MSELoss(reduction="sum"), numbers),
            (present_squares, holes),
            (nn.SmoothL1Loss(), numbers),
        ])  # fmt: skip
        return head, loss, target

    def represent(self):
        z = self.encoder(self.inputs)
        return z.contiguous(memory_format=torch.channels_last) if self.last else z

    def groups(self, regularizer):
        """Tasks and plain dummies of every norm, without the tasks that have no target."""
        dummies = [copy.deepcopy(dummy).requires_grad_() for dummy in regularizer.dummies]
        for start in range(0, len(dummies), self.tasks):
            own = [(t, dummies[start + t]) for t in range(self.tasks) if not self.unlabelled(t)]
            yield from ([each] for each in own) if regularizer.per_task else ([own] if own else [])

    def unlabelled(self, task):
        target = self.targets[task]
        return target is None or (target.dtype == torch.int64 and bool((target == -100).all()))

    def loss(self, group, z):
        """Written for plain modules in float64, hence class weights in that type."""
        losses = [copy.deepcopy(self.losses[task]) for task, _ in group]
        losses = [loss.double() if isinstance(loss, nn.Module) else loss for loss in losses]
        return sum(
            loss(head(z), self.targets[task]) for loss, (task, head) in zip(losses, group, strict=True)
        )  # fmt: skip

    def gradient(self, value, **options):
        return list(torch.autograd.grad(value, list(self.encoder.parameters()), materialize_grads=True, **options))

    def by_double_backward(self, regularizer):
        total = torch.zeros((), dtype=torch.float64)
        for group in self.groups(regularizer):
            parameters = [p for _, head in group for p in head.parameters()]
            loss = self.loss(group, self.represent())
            gradients = torch.autograd.grad(loss, parameters, create_graph=True)
            square = torch.cat([g.reshape(-1) for g in gradients]).square().sum()
            total = total + (square if regularizer.norm == "squared" else square.sqrt())
        total = total * regularizer.strength / regularizer.num_dummies
        return total.detach(), self.gradient(total) if total.requires_grad else None

    def as_released(self, regularizer):
        value, epsilon = torch.zeros((), dtype=torch.float64), regularizer.epsilon
        change = [torch.zeros_like(p) for p in self.encoder.parameters()]
        for group in self.groups(regularizer):
            parameters = [p for _, head in group for p in head.parameters()]
            low = self.loss(group, self.represent())
            at_low = self.gradient(low, retain_graph=True)
            direction = torch.autograd.grad(low, parameters)
            length = torch.cat([d.reshape(-1) for d in direction]).norm()
            with torch.no_grad():
                for parameter, d in zip(parameters, direction, strict=True):
                    parameter.add_(d, alpha=epsilon / length.item())
            high = self.loss(group, self.represent())
            at_high = self.gradient(high)
            low, high = low.detach(), high.detach()
            if regularizer.norm == "squared":
                value = value + ((high - low) / epsilon) ** 2
                terms = [high * h - high * g - low * h + low * g for h, g in zip(at_high, at_low, strict=True)]
                parts = [2 * term / epsilon**2 for term in terms]
            else:
                value = value + (high - low).abs() / epsilon
                parts = [(high - low).sign() * (h - g) / epsilon for h, g in zip(at_high, at_low, strict=True)]
            change = [a + b for a, b in zip(change, parts, strict=True)]
        scale = regularizer.strength / regularizer.num_dummies
        return scale * value, [scale * each for each in change]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_estimators_equal_their_references(chunk):
    for seed in range(chunk, CONFIGURATIONS, CHUNKS):
        case = Case(seed)
        regularizer = DummyGradientNorm(case.heads, case.losses, **case.settings)
        penalty = regularizer(case.represent(), case.targets)
        ours = penalty.detach(), case.gradient(penalty)
        exact = regularizer.estimator == "exact"
        value, gradient = (case.by_double_backward if exact else case.as_released)(regularizer)
        gradient = [torch.zeros_like(each) for each in ours[1]] if gradient is None else gradient
        scale = max(each.abs().max().item() for each in gradient)
        where = lambda message, case=case, seed=seed: f"configuration {seed}, {case.settings}, {case.heads}\n{message}"  # noqa: E731
        tolerance = 1e-9 if exact else 1e-7
        torch.testing.assert_close(ours[0], value, rtol=tolerance, atol=1e-13, msg=where)
        torch.testing.assert_close(ours[1], gradient, rtol=tolerance, atol=tolerance * scale + 1e-15, msg=where)
