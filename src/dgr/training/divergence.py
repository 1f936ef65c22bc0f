"""A run that diverges stops at once, and says where."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from dgr.core.errors import DGRError


class DivergedError(DGRError):
    """A run has left the numbers, and no repetition would bring it back."""


def check_finite(values: Mapping[str, Tensor], run: str, epoch: int, step: int) -> None:
    """Refuse a loss or penalty that is not finite, before it reaches a weight.

    Args:
        values: scalars by what they are.
        run: which run.
        epoch: epochs completed so far.
        step: steps completed in this epoch.

    Raises:
        DivergedError: naming run, value, epoch and step.
    """
    # One transfer from the device a step, not one a value.
    if torch.stack(list(values.values())).isfinite().all():
        return
    name, value = next((name, value.item()) for name, value in values.items() if not value.isfinite())
    raise _diverged(f"{run}: the {name} is {value} in epoch {epoch + 1}, step {step + 1}", epoch)


def check_validation(values: Mapping[str, float], run: str, epoch: int) -> None:
    """Refuse a loss, metric or norm of validation that is not finite: batch normalisation may hide that from training.

    Args:
        values: numbers by what they are.
        run: which run.
        epoch: epochs completed before the one that was validated.

    Raises:
        DivergedError: naming run, value and epoch.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise _diverged(f"{run}: {name} is {value} after epoch {epoch + 1}", epoch)


def _diverged(what: str, epochs: int) -> DivergedError:
    kept = "the checkpoint of an earlier epoch is kept" if epochs else "no epoch was completed"
    return DivergedError(f"{what}; {kept}; lower the learning rate or the regularizer's strength.")
