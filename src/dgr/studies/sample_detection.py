"""Whether a method's sample weights tell wrong labels from right ones."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor

from dgr.methods.slgrad import SLGrad

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


def detection(total: Tensor, wrong: Tensor) -> Iterator[tuple[str, float]]:
    """How well a low weight tells a wrong label: measures and values.

    ``detection_auc``: area under the ROC curve, wrong labels being the positives and the score minus the weight;
    ``found_at_R``: share of the wrong labels found (interpolated) where a share R of the right ones is suspected too.

    Args:
        total: weight of each sample, ``(samples,)``.
        wrong: which labels are wrong, bool ``(samples,)``, neither none nor all.
    """
    truth, score = wrong.numpy(), -total.numpy()
    yield "detection_auc", float(roc_auc_score(truth, score))
    false_positives, found, _ = roc_curve(truth, score)
    curve = [torch.from_numpy(part) for part in (false_positives, found)]
    for rate in FALSE_POSITIVE_RATES:
        last = int((curve[0] <= rate).sum()) - 1
        yield f"found_at_{rate:g}", float(curve[1][last])
