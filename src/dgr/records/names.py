"""How methods, regularizers, tasks and metrics are written in reports; Unicode, of which LaTeX is made later."""

from __future__ import annotations

from dataclasses import dataclass

from dgr.config.runs import RELEASED
from dgr.core.errors import DGRError
from dgr.core.registry import Listing
from dgr.datasets.unseen import unseen_tasks

SINGLE_TASK = "single_task"

KNOWN_METHODS = Listing("dgr.methods", "method")
"""Read, not imported: a report needs neither torch nor a solver to write a method's name."""
KNOWN_REGULARIZERS = Listing("dgr.regularizers", "regularizer")
KNOWN_ENCODERS = Listing("dgr.models.encoders", "encoder")
KNOWN_CLASSIFIERS = Listing("dgr.measurements.classifiers", "classifier")


@dataclass(frozen=True)
class Metric:
    """A reported metric: ``scale`` turns the recorded value into the printed one, in ``unit``."""

    label: str
    unit: str
    scale: float
    higher_is_better: bool

    @property
    def heading(self) -> str:
        """The label and its unit, where it has one."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


METRICS = {
    "accuracy": Metric("accuracy", "%", 100.0, True),
    "mean_iou": Metric("mIoU", "%", 100.0, True),
    "pixel_accuracy": Metric("pixel accuracy", "%", 100.0, True),
    "absolute_error": Metric("absolute error", "×100", 100.0, False),
    "relative_error": Metric("relative error", "%", 100.0, False),
    "mean_angle": Metric("mean angle", "°", 1.0, False),
    "median_angle": Metric("median angle", "°", 1.0, False),
    "squared_error": Metric("squared error", "", 1.0, False),
    "within_11.25": Metric("within 11.25°", "%", 100.0, True),
    "within_22.5": Metric("within 22.5°", "%", 100.0, True),
    "within_30": Metric("within 30°", "%", 100.0, True),
}
"""Absolute errors are of depths in metres, so in centimetres when printed, or of disparities without a unit."""


def method_label(name: str) -> str:
    """The field's usual short name for a method, ``LABEL`` in its file.

    Raises:
        DGRError: there is no such method, or it declares no label.
    """
    return str(KNOWN_METHODS.declared(name, "LABEL"))


def regularizer_label(name: str) -> str:
    """A regularizer as tables write it behind a method, ``LABEL`` in its file; or DGR by the authors' procedure.

    Raises:
        DGRError: there is no such regularizer, or it declares no label.
    """
    return "+ DGR as released" if name == RELEASED else str(KNOWN_REGULARIZERS.declared(name, "LABEL"))


def classifier_label(name: str) -> str:
    """A probe classifier as tables write it, ``LABEL`` in its file.

    Raises:
        DGRError: there is no such classifier, or it declares no label.
    """
    return str(KNOWN_CLASSIFIERS.declared(name, "LABEL"))


def encoder_label(name: str) -> str:
    """An encoder as titles write it, ``LABEL`` in its file.

    Raises:
        DGRError: there is no such encoder, or it declares no label.
    """
    return str(KNOWN_ENCODERS.declared(name, "LABEL"))


def task_label(name: str) -> str:
    """A task as a reader sees it: by its name, or by the rule that makes it where no head was trained on it."""
    unseen = unseen_tasks()
    return unseen[name].label if name in unseen else name


def metric_named(name: str) -> Metric:
    """The entry of :data:`METRICS`.

    Raises:
        DGRError: a metric whose direction and unit nobody has stated.
    """
    if name not in METRICS:
        raise DGRError(f"Metric '{name}' has no unit and direction for reports; add it to METRICS in {__name__}.")
    return METRICS[name]
