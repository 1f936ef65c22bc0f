"""Study W1: does a source task with the same covariance help a target task more than one with another?

Set-up of Wu, Zhang, Ré, ICLR 2020, arXiv 2005.00944, Fig. 3, on the tasks of :mod:`dgr.studies.linear_tasks`: the
target is task 1, the source one of tasks 2 to 4, and the model is g(X_i B) A_i with B a single direction and A_i a
number. Losses are sums over samples with α_i = 1. Our choices: all sizes; the labels of the variants (below);
validation on fresh samples of the target; single-task learning is the same model on the target alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from scipy.optimize import minimize, minimize_scalar

from dgr.config.parsing import Strict
from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError
from dgr.core.seeds import seed_for
from dgr.studies.linear_tasks import LinearTask, Order, draw_tasks
from dgr.studies.row import Row

LabelKind = Literal["linear", "relu", "classification"]
SOURCE_TASKS = {"same_covariance": 1, "other_covariance": 2, "rotated": 3}
ITERATIONS_SPENT = 1  # SciPy's status of a search that was cut off
TRIED_ANGLES = 64  # tried before the search is refined


class Variant(Strict):
    """One setting."""

    labels: LabelKind
    """``linear``: y = Xθ, g the identity, squared error; ``relu``: y = ReLU(Xθ), g = ReLU, squared error;
    ``classification``: y the sign of Xθ, g the identity, logistic loss."""
    order: Order
    """Of the factors of X: R is normal, Q orthonormal, D diagonal."""


class Transfer(Strict):
    """Sizes and settings of the study."""

    kind: Literal["transfer"]
    dimension: Annotated[int, Field(ge=20)]
    """Of the inputs."""
    scale: PositiveFloat
    """κ, the large entries of D."""
    cosine: Annotated[float, Field(ge=-1, le=1)]
    """Of θ₁ and θ₂."""
    target_samples: PositiveInt
    """Of the target task."""
    validation_samples: PositiveInt
    """Fresh samples of the target task, which measure the loss."""
    levels: Annotated[list[PositiveInt], Field(min_length=1)]
    """Numbers of source samples."""
    settings: Annotated[dict[str, Variant], Field(min_length=1)]
    """By name; each is a block of the table."""
    penalty: PositiveFloat
    """Factor of ‖B‖² + ‖A‖², for ``relu`` and ``classification``, where losses alone have no unique optimum."""
    starts: PositiveInt
    """Random starts for ``relu`` and ``classification``, of which the lowest training objective wins."""
    start_scale: PositiveFloat
    """Standard deviation of B at the start."""
    iterations: PositiveInt
    """Of L-BFGS at most; too few are an error."""

    @model_validator(mode="after")
    def _determined(self) -> Self:
        if self.target_samples + min(self.levels) <= self.dimension:
            raise ValueError("target_samples and the lowest level must together exceed dimension, or B is not unique")
        return self


class Sample(NamedTuple):
    """Inputs ``(samples, dimension)`` and targets ``(samples,)`` of one task."""

    inputs: FloatArray
    targets: FloatArray


class Fit(NamedTuple):
    """The shared direction B, ``(dimension,)``, and one factor A a task."""

    direction: FloatArray
    factors: FloatArray


def run(config: Transfer, seed: int) -> Iterator[Row]:
    """The measure ``gain_over_single_task``: the target's validation loss of joint learning minus that of single-task
    learning, so that lower is better and below 0 means that the source helped.

    Squared errors are divided by the variance of the target's validation labels; logistic losses are in nats. All
    sources and levels share the target's samples, and a level's samples are among the next one's.
    """
    for setting, variant in config.settings.items():
        generator = np.random.default_rng(seed_for("transfer", seed, "split"))
        tasks = draw_tasks(config.dimension, config.scale, config.cosine, variant.order, generator)
        target = draw_sample(tasks[0], variant.labels, config.target_samples, generator)
        validation = draw_sample(tasks[0], variant.labels, config.validation_samples, generator)
        alone = _loss(fit(config, variant.labels, [target], seed), variant.labels, validation)
        for method, index in SOURCE_TASKS.items():
            source = draw_sample(tasks[index], variant.labels, max(config.levels), generator)
            for level in config.levels:
                part = Sample(source.inputs[:level], source.targets[:level])
                together = _loss(fit(config, variant.labels, [target, part], seed), variant.labels, validation)
                yield Row(setting, level, method, "gain_over_single_task", together - alone)


def draw_sample(task: LinearTask, labels: LabelKind, samples: int, generator: np.random.Generator) -> Sample:
    """Fresh samples with noiseless labels; classes are −1 and 1."""
    inputs = task.inputs(samples, generator)
    linear = inputs @ task.theta
    targets = {"linear": linear, "relu": np.maximum(linear, 0), "classification": np.where(linear < 0, -1.0, 1.0)}
    return Sample(inputs, targets[labels])


def fit(config: Transfer, labels: LabelKind, samples: Sequence[Sample], seed: int) -> Fit:
    """The optimum: exact for ``linear``, else the best of some starts of L-BFGS, at SciPy's stopping rule.

    Raises:
        DGRError: the iterations do not suffice.
    """
    if labels == "linear":
        return fit_linear(samples)
    generator = np.random.default_rng(seed_for("transfer", seed, "initialization"))

    def objective(vector: FloatArray) -> tuple[float, FloatArray]:
        return _objective(vector, labels, samples, config.penalty)

    found = []
    options = {"maxiter": config.iterations, "maxfun": 2 * config.iterations}
    for _ in range(config.starts):
        start = np.ones(config.dimension + len(samples))
        start[: config.dimension] = config.start_scale * generator.standard_normal(config.dimension)
        found.append(minimize(objective, start, jac=True, method="L-BFGS-B", options=options))
    best = min(found, key=lambda result: float(result.fun))
    if best.status == ITERATIONS_SPENT:
        raise DGRError(f"transfer: '{labels}' is not fitted after {best.nit} iterations; raise 'iterations'.")
    return Fit(best.x[: config.dimension], best.x[config.dimension :])


def fit_linear(samples: Sequence[Sample]) -> Fit:
    """Least squares for one task (the solution of smallest norm), and for two the minimum over B, A₁ and A₂.

    The scale of B is free, so that A = (cos φ, sin φ) is general; for each φ the best B is a least-squares solution,
    and φ is searched over the half circle.
    """
    if len(samples) == 1:
        alone = np.linalg.lstsq(samples[0].inputs, samples[0].targets, rcond=None)[0]
        return Fit(alone.astype(np.float64), np.ones(1))
    grams = np.stack([inputs.T @ inputs for inputs, _ in samples])
    products = np.stack([inputs.T @ targets for inputs, targets in samples])

    def solve(angle: float) -> tuple[FloatArray, FloatArray]:
        factors = np.array([np.cos(angle), np.sin(angle)])
        gram, product = np.tensordot(factors**2, grams, 1), factors @ products
        return np.linalg.solve(gram, product).astype(np.float64), factors

    def unexplained(angle: float) -> float:
        direction, factors = solve(angle)
        return -float(direction @ (factors @ products))

    # At multiples of a right angle one task is switched off and B is not determined; the grid leaves them out.
    grid = (np.arange(TRIED_ANGLES) + 0.5) * np.pi / TRIED_ANGLES
    lowest = grid[int(np.argmin([unexplained(angle) for angle in grid]))]
    bounds = (lowest - np.pi / TRIED_ANGLES, lowest + np.pi / TRIED_ANGLES)
    angle = minimize_scalar(unexplained, bounds=bounds, method="bounded", options={"xatol": 1e-10}).x
    return Fit(*solve(angle))


def _objective(
    vector: FloatArray, labels: LabelKind, samples: Sequence[Sample], penalty: float
) -> tuple[float, FloatArray]:
    """Penalised sum of losses, and its gradient, of B and the factors in one vector."""
    size = len(vector) - len(samples)
    direction, factors = vector[:size], vector[size:]
    value, gradient = penalty * float(vector @ vector), 2 * penalty * vector
    for index, ((inputs, targets), factor) in enumerate(zip(samples, factors, strict=True)):
        hidden = inputs @ direction
        slope = np.ones_like(hidden)
        if labels == "relu":
            slope = (hidden > 0).astype(np.float64)
            hidden = hidden * slope
        losses, derivative = _pointwise(factor * hidden, targets, labels)
        value += float(losses.sum())
        gradient[:size] += inputs.T @ (derivative * factor * slope)
        gradient[size + index] += derivative @ hidden
    return value, gradient


def _pointwise(prediction: FloatArray, targets: FloatArray, labels: LabelKind) -> tuple[FloatArray, FloatArray]:
    """Loss of each sample, and its derivative with respect to the prediction."""
    if labels == "classification":
        margin = targets * prediction
        # The logistic function of −margin, without overflow.
        return np.logaddexp(0, -margin), -targets * np.exp(-np.logaddexp(0, margin))
    error = prediction - targets
    return error**2, 2 * error


def _loss(found: Fit, labels: LabelKind, validation: Sample) -> float:
    """Mean validation loss of the first task, normalised as :func:`run` says."""
    hidden = validation.inputs @ found.direction
    prediction = found.factors[0] * (np.maximum(hidden, 0) if labels == "relu" else hidden)
    loss = float(_pointwise(prediction, validation.targets, labels)[0].mean())
    return loss if labels == "classification" else loss / float(validation.targets.var())
