"""Representations whose quality is known, since they are made of the two labels of a pair of digits."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from dgr.measurements.universality import Represented

WIDTH, DIGITS = 32, 10
SIZES = {"train": 600, "val": 300, "test": 600}
Code = Callable[[Tensor, Tensor, float], Tensor]


def rotation(seed: int, width: int = WIDTH) -> Tensor:
    return torch.linalg.qr(torch.randn(width, width, generator=torch.Generator().manual_seed(seed)))[0]


def rotated(content: Tensor, noise: Tensor, amount: float) -> Tensor:
    """Both labels side by side and distractors beyond them, noise on all, then turned."""
    padded = torch.cat([content, torch.zeros(len(content), WIDTH - content.shape[1])], dim=1)
    return (padded + amount * noise) @ rotation(7)


def folded(content: Tensor, noise: Tensor, amount: float) -> Tensor:
    """The same turned code, bent by x + sin(2y)/2 with y the neighbouring coordinate."""
    straight = rotated(content, noise, amount)
    return straight + 0.5 * torch.sin(2 * straight.roll(1, dims=1))


def distracted(content: Tensor, noise: Tensor, amount: float) -> Tensor:
    """A little noise on the labels, and ``amount`` of it in all dimensions that hold nothing."""
    padded = torch.cat([content, torch.zeros(len(content), WIDTH - content.shape[1])], dim=1)
    sizes = torch.cat([torch.full((content.shape[1],), 0.25), torch.full((WIDTH - content.shape[1],), 2 * amount)])
    return (padded + sizes * noise) @ rotation(7)


def mislabelled(content: Tensor, noise: Tensor, amount: float) -> Tensor:
    """A code of labels of which a share ``amount`` is another sample's."""
    swapped = torch.rand(len(content), generator=torch.Generator().manual_seed(len(content))) < amount
    return rotated(torch.where(swapped[:, None], content.roll(1, dims=0), content), noise, 0.25)


KINDS: dict[str, tuple[Callable[[Tensor, Tensor, float], Tensor], tuple[float, ...]]] = {
    "rotated": (rotated, (0.1, 0.3, 0.6, 1.2)),
    "folded": (folded, (0.1, 0.3, 0.6, 1.2)),
    "distracted": (distracted, (0.1, 0.4, 0.8, 1.6)),
    "mislabelled": (mislabelled, (0.0, 0.2, 0.4, 0.8)),
}
"""What makes a code of (labels, noise, amount), and amounts from the best code to the worst."""


def made_up(kind: str, amount: float, task: Callable[[Tensor, Tensor], Tensor], seed: int = 0) -> list[Represented]:
    """Train, val and test with the labels of a task; noise and labels are the same for every kind and amount."""
    make, _ = KINDS[kind]
    parts = []
    for number, size in enumerate(SIZES.values()):
        generator = torch.Generator().manual_seed(100 * seed + number)
        left, right = torch.randint(DIGITS, (2, size), generator=generator)
        noise = torch.randn(size, WIDTH, generator=generator)
        content = torch.cat([one_hot(left, DIGITS), one_hot(right, DIGITS)], dim=1) * math.sqrt(2)
        parts.append(Represented(make(content, noise, amount), task(left, right)))
    return parts
