"""MTAN, the multi-task attention network: each task attends to a shared backbone with masks of its own."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from dgr.models.shared.backbones import Backbone, normalized_convolution


class MTANEncoder(nn.Module):
    r"""A backbone and, after each of its stages j, an attention module for each task k.

    With :math:`u_j` the maps before the last block of the stage and :math:`p_j` those after it,

    .. math::
        m_{jk} = g_{jk}([u_j, e_{j-1,k}]), \quad a_{jk} = m_{jk} \odot p_j, \quad
        e_{jk} = \operatorname{pool}(f_j(a_{jk})),

    where g is two 1×1 convolutions with batch normalisation, a ReLU between and a sigmoid at the end, through a
    quarter of the stage's width; f, which all tasks share, is a residual bottleneck block to the next stage's width;
    and 2×2 max pooling is there only where the next stage halves the size. The first stage has no e to read, the last
    makes none. The representation is the last stage's attended maps of all tasks, joined along dimension 1, so
    task k's head is ``SliceHead(head, k · width, (k + 1) · width)`` with ``width = backbone.widths[-1]``.

    Attention counts as part of the encoder: balancers see the gradients on it, zero on the other tasks' modules, and
    the penalty reaches it. The authors' code counts 31.4 million shared parameters, of which its penalty reaches 23.5
    million. With a ResNet-50, the backbone has 23.5 million here and f another 7.9 million, 31.4 together; the
    attention modules of three tasks add 12.5 million.

    Args:
        backbone: the backbone, with widths that 4 divides.
        tasks: number of tasks.

    Source: Liu, Johns, Davison, CVPR 2019, in the form for residual networks of Liu, James, Davison, Johns,
    Auto-Lambda, TMLR 2022.
    """

    def __init__(self, backbone: Backbone, tasks: int) -> None:
        super().__init__()
        self.backbone = backbone
        widths = backbone.widths
        # Every stage but the first reads what the one before has handed on, too.
        inputs = [widths[0], *(2 * width for width in widths[1:])]
        self.attention = nn.ModuleList(
            nn.ModuleList(_attention(*channels) for channels in zip(inputs, widths, strict=True)) for _ in range(tasks)
        )
        self.hand_on = nn.ModuleList(_Bottleneck(before, after) for before, after in pairwise(widths))

    def forward(self, images: Tensor) -> Tensor:
        """The tasks' attended maps, shape ``(batch, tasks · backbone.widths[-1], h, w)``."""
        maps: Tensor = self.backbone.stem(images)
        attended: list[Tensor] = []
        for index, stage in enumerate(self.backbone.stages):
            assert isinstance(stage, nn.Sequential)
            early = stage[:-1](maps)
            maps = stage[-1](early)
            handed_on = [_fit(self.hand_on[index - 1](each), early) for each in attended]
            read = [torch.cat([early, each], dim=1) for each in handed_on] or [early] * len(self.attention)
            modules = [of_task[index] for of_task in self.attention]  # type: ignore[index]
            attended = [attention(each) * maps for attention, each in zip(modules, read, strict=True)]
        return torch.cat(attended, dim=1)

    def attention_parameters(self, task: int) -> list[nn.Parameter]:
        """Parameters of one task's attention modules, by the task's index."""
        return list(self.attention[task].parameters())


class _Bottleneck(nn.Module):
    """A residual block: 1×1, 3×3 and 1×1 convolutions through a quarter of the new width, plus a 1×1 projection."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *normalized_convolution(before, after // 4, kernel=1),
            nn.ReLU(),
            *normalized_convolution(after // 4, after // 4, kernel=3),
            nn.ReLU(),
            *normalized_convolution(after // 4, after, kernel=1),
        )
        self.projection = normalized_convolution(before, after, kernel=1)

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu(self.residual(maps) + self.projection(maps))


def _attention(inputs: int, width: int) -> nn.Sequential:
    """The mask's module g."""
    first, second = normalized_convolution(inputs, width // 4, 1), normalized_convolution(width // 4, width, 1)
    return nn.Sequential(*first, nn.ReLU(), *second, nn.Sigmoid())


def _fit(maps: Tensor, like: Tensor) -> Tensor:
    """Halve height and width, rounding up as strided convolutions do, where the others have done so."""
    if maps.shape[2:] == like.shape[2:]:
        return maps
    return functional.max_pool2d(maps, kernel_size=2, ceil_mode=True)
