"""Untrained heads, each at the one scale of its output that suits it best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from dgr.measurements.universality_refit import refit_to_few
from dgr.measurements.universality_samples import HeadLoss, Represented
from dgr.measurements.universality_settings import LARGEST_SCALE


class Constant(nn.Module):
    """The same prediction for every sample.

    Args:
        like: predictions ``(samples, …)``; one of its shape, all zeros at first, is repeated.
    """

    def __init__(self, like: Tensor) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros_like(like[:1]))

    def forward(self, representation: Tensor) -> Tensor:
        """As many copies as there are samples."""
        return self.value.expand(len(representation), *self.value.shape[1:])


@torch.no_grad()
def tempered_loss(
    heads: Sequence[nn.Module], loss: HeadLoss, train: Represented, val: Represented, test: Represented
) -> float:
    """Mean over untrained heads h of the test loss of ``c + s·(h(z) − m)``, with the best s ≥ 0 for each.

    c is the best constant prediction on train (for cross-entropy the logarithm of the classes' shares), m the mean of
    h(z) on val: a head that knows nothing of a task, or is better turned off, has s = 0 and the loss of c. The loss on
    val, which is convex in s for every usual loss, chooses s: for cross-entropy it is the inverse of a temperature.

    Args:
        heads: untrained.
        loss: convex in the prediction.
        train: gives the constant.
        val: gives m and s.
        test: where losses are measured.
    """
    few = train.first(1).representation
    with torch.enable_grad():
        constant = refit_to_few(Constant(heads[0](few).detach()), loss, train)(few).detach()
    found = []
    for head in heads:
        tuned, unseen = head(val.representation), head(test.representation)
        mean = tuned.mean(dim=0)
        sd = tuned.sub(mean).square().mean().sqrt().item() or 1.0
        tuned, unseen = ((part - mean) / sd for part in (tuned, unseen))
        scale = _best_scale(tuned, constant, loss, val.targets)
        found.append(loss(constant + scale * unseen, test.targets).item())
    return float(np.mean(found))


def _best_scale(outputs: Tensor, constant: Tensor, loss: HeadLoss, targets: Tensor) -> float:
    def value(scale: float) -> float:
        return loss(constant + scale * outputs, targets).item()

    best = minimize_scalar(value, bounds=(0.0, LARGEST_SCALE), method="bounded", options={"xatol": 1e-2})
    return float(best.x) if best.fun < value(0.0) else 0.0
