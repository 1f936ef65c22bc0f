"""Study D1: what do two ways of making DGR's step cheaper do to what is learned?

``every=k`` computes the penalty at each k-th step, k times as strong. TF32 is what a GPU's products of matrices may be
rounded to; here its rounding is imitated on the CPU (:mod:`dgr.studies.tf32`). Two-digit MNIST, equal weighting. A
question of this project; no paper has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn
from typing_extensions import override

from dgr.config.parsing import Strict
from dgr.core.seeds import seed_for
from dgr.datasets.kinds import multimnist
from dgr.methods.registry import build_method
from dgr.models.model import MultiTaskModel, build_model
from dgr.models.registry import AnyArchitecture
from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm
from dgr.studies.row import Row
from dgr.studies.samples import Recipe, Schedule, accuracies_on, samples_of
from dgr.studies.tf32 import ProductsInTF32

EXPERIMENT = "cheaper_penalty"
_SETTING = "digits"


class CheaperPenalty(Strict):
    """Settings of the study; Adam throughout."""

    kind: Literal["cheaper_penalty"]
    data: multimnist.Config
    """Drawn anew for each seed, from its own and the configuration's."""
    architecture: AnyArchitecture
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    strength: PositiveFloat
    """λ of DGR."""
    levels: Annotated[list[PositiveInt], Field(min_length=1)]
    """The numbers k, beside the reference, which is k = 1."""


class InTF32(nn.Module):
    """A regularizer whose products are rounded as a GPU's may be."""

    def __init__(self, regularizer: nn.Module) -> None:
        super().__init__()
        self.regularizer = regularizer

    @override
    def forward(self, *arguments: Any) -> Tensor:
        with ProductsInTF32():
            penalty: Tensor = self.regularizer(*arguments)
        return penalty


def run(config: CheaperPenalty, seed: int) -> Iterator[Row]:
    """Mean test accuracy (%) of both tasks, and what it differs (points) from DGR at every step, of the same seed.

    Rows are named ``every`` at level k, ``tf32`` at level 1, and ``alone`` at level 1 for training without DGR.
    """
    reference = _accuracy(config, seed, partial(_penalty, config, 1))
    yield Row(_SETTING, 1, "every", "accuracy", reference)
    arms: list[tuple[float, str, Callable[[MultiTaskModel, int], nn.Module] | None]] = [
        *((level, "every", partial(_penalty, config, level)) for level in config.levels),
        (1, "tf32", lambda model, drawn: InTF32(_penalty(config, 1, model, drawn))),
        (1, "alone", None),
    ]
    for level, name, make in arms:
        accuracy = _accuracy(config, seed, make)
        yield Row(_SETTING, level, name, "accuracy", accuracy)
        yield Row(_SETTING, level, name, "accuracy_change", accuracy - reference)


def _penalty(config: CheaperPenalty, every: int, model: MultiTaskModel, seed: int) -> DummyGradientNorm:
    heads = list(model.heads.values())
    losses = [torch.nn.functional.cross_entropy] * len(heads)
    return DummyGradientNorm(heads, losses, config.strength, every=every, seed=seed)


def _accuracy(config: CheaperPenalty, seed: int, make: Callable[[MultiTaskModel, int], nn.Module] | None) -> float:
    data = config.data.model_copy(update={"seed": config.data.seed + seed})
    splits = {name: samples_of(data, arrays) for name, arrays in data.compose().splits.items()}
    recipe = Recipe(
        EXPERIMENT,
        seed,
        data.tasks,
        partial(
            build_model,
            config.architecture,
            data.tasks,
            splits["train"].inputs.shape[1:],
            False,
            seed_for(EXPERIMENT, seed, "initialization"),
        ),
        partial(torch.optim.Adam, lr=config.learning_rate, fused=True),
        Schedule(config.epochs, config.batch_size),
        None if make is None else lambda model: make(model, seed_for(EXPERIMENT, seed, "dummies")),
    )
    model = recipe.train(build_method("equal_weighting", len(data.tasks)), splits["train"], None)
    accuracies = accuracies_on(model, splits["test"])
    return 100 * sum(accuracies.values()) / len(accuracies)
