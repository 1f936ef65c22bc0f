"""Universality of a representation: how well heads do on it that were not trained together with it.

The paper calls universality the inverse of the loss of an arbitrary, untrained predictor minus the loss of the optimal
one (Shin, Do, Son, ECCV 2024, abstract; its own formula was not available). Taken at its word that cannot decide
anything: the loss of untrained heads follows the size of z alone, and at equal size it is a constant, so that what is
left is the loss of the optimal head with the wrong sign. Here instead, each a loss on unseen samples, lower is better:

- *refitted*: the loss of the optimal head, as one of the run's architecture comes near to it;
- *few labels*: the mean over log n of the loss of heads that are refitted to n labels;
- *few steps*: the mean over log k of the loss of heads after k steps of gradient descent;
- *tempered*: the mean loss of untrained heads, each at its best temperature.

All see z with its mean and its root mean square taken out, so that none changes when z is rescaled or moved. The last
is closest to the paper's words and says least: it lies within a hundredth of the loss of guessing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from dgr.core.errors import DGRError
from dgr.measurements.universality_refit import label_area, refit
from dgr.measurements.universality_samples import HeadLoss, losses, standardized
from dgr.measurements.universality_samples import Represented as Represented
from dgr.measurements.universality_settings import BRIEF_HEADS, REFIT_SAMPLES
from dgr.measurements.universality_steps import step_area
from dgr.measurements.universality_untrained import tempered_loss


@dataclass(frozen=True)
class Universality:
    """Losses of one task on one representation; all on test samples, averaged over them; lower is better.

    Attributes:
        refitted_loss: of a head refitted to all training samples, at most REFIT_SAMPLES of them,
            see :func:`~dgr.measurements.universality_refit.refit`.
        label_area: of heads refitted to few labels, see :func:`~dgr.measurements.universality_refit.label_area`.
        step_area: of briefly trained heads, see :func:`~dgr.measurements.universality_steps.step_area`.
        tempered_loss: of untrained heads, see :func:`~dgr.measurements.universality_untrained.tempered_loss`.
        mean_norm: mean ‖z‖, which none of them depends on.
    """

    refitted_loss: float
    label_area: float
    step_area: float
    tempered_loss: float
    mean_norm: float


def measure_universality(
    make_head: Callable[[], nn.Module],
    loss: HeadLoss,
    train: Represented,
    val: Represented,
    test: Represented,
    draws: int,
    seed: int,
) -> Universality:
    """How well heads do on one representation.

    Args:
        make_head: makes a head of the run's architecture, with the initialisation that the run uses.
        loss: ``loss(prediction, target) -> scalar``, a mean over samples.
        train: what heads are fitted to; from its first samples on, so equal splits give equal labels.
        val: says when refitting has gone far enough, and chooses temperatures.
        test: where losses are measured.
        draws: number of untrained heads, at least 2.
        seed: of the random weights. Equal seeds give equal heads on every representation, so that comparisons between
            runs and epochs are paired.

    Raises:
        DGRError: fewer than 2 draws, too few training samples, or values that are not finite.
    """
    if draws < 2:
        raise DGRError(f"Universality needs at least 2 draws of an untrained head, but draws is {draws}.")
    if not all(torch.isfinite(part.representation).all() for part in (train, val, test)):
        raise DGRError("Universality is not defined for a representation with NaN or infinite values; train it again.")
    heads = _heads(make_head, draws, seed)
    fitted, chosen, unseen = standardized(train, val, test)
    tempered = tempered_loss(heads, loss, fitted, chosen, unseen)
    refitted = refit(heads[0], loss, fitted.first(REFIT_SAMPLES), chosen)
    return Universality(
        refitted_loss=losses([refitted], loss, unseen).item(),
        label_area=label_area(lambda: _heads(make_head, 1, seed)[0], loss, fitted, unseen),
        step_area=step_area(_heads(make_head, BRIEF_HEADS, seed), loss, fitted, unseen),
        tempered_loss=tempered,
        mean_norm=test.representation.norm(dim=1).mean().item(),
    )


def _heads(make_head: Callable[[], nn.Module], count: int, seed: int) -> list[nn.Module]:
    """Fresh heads; equal seeds give equal ones, and the first of many are those of few."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed the accelerators' too
        return [make_head() for _ in range(count)]
