"""What study W2 puts in front of a trained and then frozen shared layer: alignment, and two references of its capacity.

Everything starts at the identity, so that a model predicts at first what it did before; then these layers and the
tasks' own are trained in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from typing_extensions import override

from dgr.models.alignment import aligned
from dgr.models.model import MultiTaskModel
from dgr.models.shared.heads import SliceHead


class CommonLayers(nn.Module):
    """Representations g(x R₁ R₂ B), with both matrices common to all tasks.

    For two tasks these are as many free numbers as covariance alignment has, but all tasks' inputs are moved alike: an
    angle between them stays.

    Args:
        encoder: the shared module.
        input_width: d, numbers a sample.
    """

    def __init__(self, encoder: nn.Module, input_width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.layers = nn.Parameter(torch.eye(input_width).repeat(2, 1, 1))

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.encoder(inputs @ self.layers[0] @ self.layers[1])
        return found


class OrthogonalAlignment(nn.Module):
    """Representations g((x Q_i) B) of every task i, joined along dimension 1; Q_i is orthogonal (Cayley's map).

    Lengths and angles within a task's inputs stay, so that the matrices can turn inputs towards each other and can
    neither stretch nor drop a direction.

    Args:
        encoder: the shared module.
        num_tasks: number of tasks.
        input_width: d, numbers a sample.
    """

    def __init__(self, encoder: nn.Module, num_tasks: int, input_width: int) -> None:
        super().__init__()
        self.encoder = encoder
        # Without drawing weights that are replaced at once: the caller's random state is left alone.
        make = partial(nn.utils.skip_init, nn.Linear, input_width, input_width, bias=False)
        layers = [cast(nn.Linear, make()) for _ in range(num_tasks)]
        for layer in layers:
            nn.init.eye_(layer.weight)
            parametrizations.orthogonal(layer, orthogonal_map="cayley")
        self.turns = nn.ModuleList(layers)

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.cat([self.encoder(turn(inputs)) for turn in self.turns], dim=1)


def common_layers(model: MultiTaskModel, input_width: int) -> MultiTaskModel:
    """The model behind :class:`CommonLayers`, with its encoder frozen."""
    model.encoder.requires_grad_(False)
    return MultiTaskModel(CommonLayers(model.encoder, input_width), dict(model.heads.items()))


def orthogonal_alignment(model: MultiTaskModel, input_width: int) -> MultiTaskModel:
    """The model behind :class:`OrthogonalAlignment`, with its encoder frozen."""
    model.encoder.requires_grad_(False)
    with torch.no_grad():
        width = model.encoder(torch.zeros(1, input_width)).shape[1]
    heads = {
        name: SliceHead(head, index * width, (index + 1) * width)
        for index, (name, head) in enumerate(model.heads.items())
    }
    return MultiTaskModel(OrthogonalAlignment(model.encoder, len(heads), input_width), heads)


@torch.no_grad()
def moved(model: MultiTaskModel, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Each task's inputs as the frozen layer sees them, of a model that one of :data:`FRONTS` made."""
    front = model.encoder
    if isinstance(front, CommonLayers):
        return [x @ front.layers[0].to(x) @ front.layers[1].to(x) for x in inputs]
    if isinstance(front, OrthogonalAlignment):
        turns = [cast(nn.Linear, turn) for turn in front.turns]
        return [x @ turn.weight.T.to(x) for x, turn in zip(inputs, turns, strict=True)]
    matrices = cast(Tensor, front.alignments)
    return [x @ matrix.to(x) for x, matrix in zip(inputs, matrices, strict=True)]


FRONTS: dict[str, Callable[[MultiTaskModel, int], MultiTaskModel]] = {
    "covariance_alignment": aligned,
    "common_layers": common_layers,
    "orthogonal_alignment": orthogonal_alignment,
}
"""By the names of the study's rows."""
