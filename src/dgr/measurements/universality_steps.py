"""How fast heads learn on a frozen representation: the loss after a few steps of gradient descent."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from dgr.measurements.universality_samples import HeadLoss, Represented, losses, mean_over_log
from dgr.measurements.universality_settings import BATCH, LEARNING_RATE, STEPS


def step_area(heads: Sequence[nn.Module], loss: HeadLoss, train: Represented, test: Represented) -> float:
    """Mean over log k of the test loss after k steps ``θ ← θ − LEARNING_RATE·∂L/∂θ``, k in STEPS, and over heads.

    Plain gradient descent, whose path is that of the representation: no state, no step size that adapts.

    Args:
        heads: the starts; they are changed.
        loss: of their predictions.
        train: standardized; steps see its samples in their order, so that runs on the same split see the same batches.
        test: standardized likewise; where losses are measured.
    """
    curve = []
    samples = torch.arange(BATCH * STEPS[-1]) % len(train.targets)
    for number, batch in enumerate(samples.reshape(-1, BATCH), start=1):
        representation, targets = train.representation[batch], train.targets[batch]
        for head in heads:
            parameters = list(head.parameters())
            gradients = torch.autograd.grad(loss(head(representation), targets), parameters)
            with torch.no_grad():
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter.sub_(gradient, alpha=LEARNING_RATE)
        if number in STEPS:
            curve.append(losses(heads, loss, test).mean().item())
    return mean_over_log(STEPS, curve)
