"""Covariance alignment: each task's inputs pass through a matrix of its own before the fixed, shared encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dgr.core.errors import DGRError
from dgr.models.model import MultiTaskModel
from dgr.models.shared.heads import SliceHead


class AlignedEncoder(nn.Module):
    r"""Representations :math:`g((x R_i) B)` of every task i, joined along dimension 1.

    Wu, Zhang, Ré, "Understanding and Improving Information Transfer in Multi-Task Learning", ICLR 2020,
    arXiv 2005.00944. Heads read their part through :class:`dgr.models.shared.heads.SliceHead`.

    Args:
        encoder: the shared module, from ``(batch, input_width)`` to ``(batch, width)``.
        num_tasks: number K of tasks.
        input_width: d, numbers a sample; the matrices R have shape ``(K, d, d)`` and start at the identity.
    """

    def __init__(self, encoder: nn.Module, num_tasks: int, input_width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.input_width = input_width
        self.alignments = nn.Parameter(torch.eye(input_width).repeat(num_tasks, 1, 1))

    def forward(self, inputs: Tensor) -> Tensor:
        """All representations, shape ``(batch, K · width)``.

        Raises:
            DGRError: the inputs are no vectors of the width.
        """
        if inputs.ndim != 2 or inputs.shape[1] != self.input_width:
            raise DGRError(
                f"Covariance alignment needs one vector of {self.input_width} numbers a sample, but got "
                f"{tuple(inputs.shape[1:])}; flatten it or give the right width."
            )
        return torch.cat([self.encoder(inputs @ alignment) for alignment in self.alignments], dim=1)


def aligned(model: MultiTaskModel, input_width: int) -> MultiTaskModel:
    """A model around another one in which only the alignments R and the heads A are left to train.

    The encoder B is frozen and shared with the given model, and so are the heads. Before any training it predicts the
    same. Each matrix R is one task's own, though it counts among the shared parameters: weighting losses is fine,
    balancing gradients has nothing to balance.

    Args:
        model: a trained model of vector inputs.
        input_width: numbers a sample.

    Raises:
        DGRError: the model's encoder does not take vectors of this width, or does not give vectors.
    """
    like = next(model.parameters())
    model.encoder.requires_grad_(False)
    width = _width(model.encoder, torch.zeros(1, input_width).to(like))
    encoder = AlignedEncoder(model.encoder, len(model.heads), input_width).to(like)
    heads = {
        name: SliceHead(head, index * width, (index + 1) * width)
        for index, (name, head) in enumerate(model.heads.items())
    }
    return MultiTaskModel(encoder, heads)


@torch.no_grad()
def _width(encoder: nn.Module, example: Tensor) -> int:
    """Width of the representation, from a look at one; the encoder is left as it was."""
    training = encoder.training
    encoder.eval()
    try:
        found: Tensor = encoder(example)
    except (RuntimeError, ValueError) as error:
        raise DGRError(
            f"Covariance alignment needs an encoder of one vector of {example.shape[1]} numbers a sample, but this one "
            "refuses it; flatten its inputs or give the right width."
        ) from error
    finally:
        encoder.train(training)
    if found.ndim != 2:
        raise DGRError(
            f"Covariance alignment needs an encoder that gives one vector a sample, but this one gives "
            f"{tuple(found.shape[1:])}; flatten its outputs."
        )
    return found.shape[1]
