"""Transfer to other classifiers: how well they do on a frozen representation, also on a task nobody trained it for.

Every classifier of :mod:`dgr.measurements.classifiers` is fitted afresh to a few labelled training representations and
scored on test. They differ in what they can use. Features are standardised first, so that none profits from the size of
z alone. The score is *balanced* accuracy, the mean over classes of the share of their samples that is answered rightly:
a constant answer to C classes has 1/C, however rare some of them are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import KFold, ParameterGrid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from dgr.core.errors import DGRError
from dgr.datasets.unseen import ClassLabels
from dgr.measurements.classifiers.registry import CLASSIFIERS

Settings = dict[str, Any]
Choice = dict[str, dict[str, Settings]]
"""Chosen settings by task and classifier."""


class ProbeSamples(NamedTuple):
    """Inputs ``(samples, width)``, such as a representation, and the labels ``(samples,)`` of each task."""

    inputs: NDArray[Any]
    labels: Mapping[str, ClassLabels]

    def first(self, count: int, what: str) -> ProbeSamples:
        """The first samples.

        Raises:
            DGRError: there are fewer.
        """
        if len(self.inputs) < count:
            raise DGRError(
                f"{what} holds {len(self.inputs)} samples, but train_samples asks for {count}; lower that setting."
            )
        return ProbeSamples(self.inputs[:count], {task: labels[:count] for task, labels in self.labels.items()})


FOLDS = 3


def choose_settings(train: ProbeSamples, val: ProbeSamples) -> Choice:
    """Select every classifier's settings by inner cross-validation on train and val.

    In each of :data:`FOLDS` folds a classifier is fitted to the training samples outside the fold and scored on the
    validation samples in it: the encoder was trained on the training samples, whose representations are tidier than
    those of unseen ones, and scores on them would ask for too little regularization. Ties go to the earlier setting.

    Args:
        train: what classifiers are fitted to.
        val: where settings are compared; at least :data:`FOLDS` samples of each.
    """
    folds = list(_folds(len(train.inputs), len(val.inputs)))

    def score(name: str, settings: Settings, task: str) -> float:
        accuracies = [
            _accuracy(
                _fit(name, settings, train.inputs[fit], train.labels[task][fit]),
                val.inputs[held_out],
                val.labels[task][held_out],
            )
            for fit, held_out in folds
        ]
        return float(np.mean(accuracies))

    def best(name: str, task: str) -> Settings:
        candidates: list[Settings] = list(ParameterGrid(CLASSIFIERS[name].GRID))
        if len(candidates) == 1:
            return candidates[0]
        return max(candidates, key=lambda settings: score(name, settings, task))

    _check(train, val)
    return {task: {name: best(name, task) for name in CLASSIFIERS.in_order()} for task in train.labels}


def transfer_accuracies(train: ProbeSamples, val: ProbeSamples, test: ProbeSamples) -> Iterator[tuple[str, str, float]]:
    """Balanced accuracy on test of every classifier for every task, with the settings that train and val choose.

    Args:
        train: what classifiers are fitted to.
        val: where settings are compared.
        test: where they are scored.

    Yields:
        Task, classifier, accuracy.

    Raises:
        DGRError: as :func:`accuracies`.
    """
    yield from accuracies(train, test, choose_settings(train, val))


def accuracies(train: ProbeSamples, test: ProbeSamples, choice: Choice) -> Iterator[tuple[str, str, float]]:
    """Fit every classifier to train for every task, and score it on test.

    A class that is absent from train cannot be predicted and counts as wrong; where train holds a single class, it is
    predicted always. A constant feature is ignored.

    Args:
        train: what classifiers are fitted to.
        test: where they are scored.
        choice: their settings.

    Yields:
        Task, classifier, accuracy.

    Raises:
        DGRError: a feature is NaN or infinite, or there are no samples.
    """
    _check(train, test)
    for task, labels in train.labels.items():
        for name in CLASSIFIERS.in_order():
            fitted = _fit(name, choice[task][name], train.inputs, labels)
            yield task, name, _accuracy(fitted, test.inputs, test.labels[task])


def majority_accuracies(train: ProbeSamples, test: ProbeSamples) -> Iterator[tuple[str, float]]:
    """Balanced accuracy on test of always predicting train's most frequent class, by task."""
    for task, labels in train.labels.items():
        majority = DummyClassifier(strategy="most_frequent").fit(train.inputs, labels)
        yield task, _accuracy(majority, test.inputs, test.labels[task])


def _fit(name: str, settings: Settings, inputs: NDArray[Any], labels: ClassLabels) -> Pipeline | DummyClassifier:
    if len(np.unique(labels)) == 1:  # which SVM and logistic regression refuse
        return DummyClassifier(strategy="most_frequent").fit(inputs, labels)
    if "n_neighbors" in settings:
        settings = {**settings, "n_neighbors": min(settings["n_neighbors"], len(inputs))}
    return make_pipeline(StandardScaler(), CLASSIFIERS[name].make(**settings)).fit(inputs, labels)


def _accuracy(fitted: Pipeline | DummyClassifier, inputs: NDArray[Any], labels: ClassLabels) -> float:
    right = fitted.predict(inputs) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def _folds(train: int, val: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows of train to fit to, and rows of val to score on."""
    splits: Iterable[Any] = zip(KFold(FOLDS).split(np.empty(train)), KFold(FOLDS).split(np.empty(val)), strict=True)
    for (fit, _), (_, held_out) in splits:
        yield fit, held_out


def _check(*parts: ProbeSamples) -> None:
    for part in parts:
        if not len(part.inputs):
            raise DGRError("A classifier needs at least one sample to be fitted to and one to be scored on.")
        if not np.isfinite(part.inputs).all():
            raise DGRError("A representation holds NaN or infinite values, which no classifier takes; train it again.")
