"""Whether a method's sample weights tell wrong labels from right ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor

from dgr.methods.slgrad import SLGrad

WITH_HELD_OUT = "equal_weighting-with_held_out"
"""The row of equal weighting on training and held-out data together."""
HELD_OUT_ONLY = "equal_weighting-held_out_only"
"""The row of equal weighting on held-out data alone: what is right in them, without any training data."""
CLEAN_ONLY = "equal_weighting-clean_only"
"""The row of an oracle: equal weighting on the training samples whose labels are right."""
FALSE_POSITIVE_RATES = (0.01, 0.05, 0.1, 0.2, 0.5)


class WeightRecorder:
    """Adds up the weights that each training sample's main task is given.

    Args:
        method: a method with sample weights.
        main: index of the main task.
        samples: number of training samples.
    """

    def __init__(self, method: SLGrad, main: int, samples: int) -> None:
        self.method = method
        self.main = main
        self.total = torch.zeros(samples, dtype=torch.float64)

    def __call__(self, rows: Tensor) -> None:
        """After a step on these rows."""
        self.total[rows] += self.method.sample_weights[self.main].double()


def detection(total: Tensor, wrong: Tensor, groups: Tensor | None = None) -> Iterator[tuple[str, float]]:
    """How well a low weight tells a wrong label: measures and values.

    ``detection_auc``: area under the ROC curve, wrong labels being the positives and the score minus the weight;
    ``found_at_R``: share of the wrong labels found where a share R of the right ones is suspected too, from the curve
    with straight lines between its points, as equal weights ask for.

    Args:
        total: weight of each sample, ``(samples,)``.
        wrong: which labels are wrong, bool ``(samples,)``.
        groups: samples are compared within groups of equal values only, ``(samples,)``, and the results averaged over
            the groups that hold both right and wrong labels; by default all are one group. A label says something about
            whether it is wrong, so what finds wrong ones has to do so among samples of the same given label.
    """
    groups = torch.zeros_like(wrong, dtype=torch.long) if groups is None else groups
    values: Tensor = torch.unique(groups)
    members = [groups == value for value in values]
    curves = [_curve(total[own], wrong[own]) for own in members if 0 < wrong[own].sum() < own.sum()]
    for measure in curves[0] if curves else ():
        yield measure, float(np.mean([curve[measure] for curve in curves]))


def _curve(total: Tensor, wrong: Tensor) -> dict[str, float]:
    truth, score = wrong.numpy(), -total.numpy()
    false_positives, found, _ = roc_curve(truth, score, drop_intermediate=False)
    # At a step straight up, the upper end counts.
    places, last = np.unique(false_positives[::-1], return_index=True)
    heights = found[::-1][last]
    read = {f"found_at_{rate:g}": float(np.interp(rate, places, heights)) for rate in FALSE_POSITIVE_RATES}
    return {"detection_auc": float(roc_auc_score(truth, score))} | read
