"""The problem of the checks: a convolutional encoder, two heads, random images; the penalty as a user adds it."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from dgr import DummyGradientNorm

HEADS = 2


class Penalised(nn.Module):
    """Encoder, heads and penalty; :meth:`loss` is what is trained."""

    def __init__(self, strength: float = 0.1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 16))
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 5)) for _ in range(HEADS))
        self.regularizer = DummyGradientNorm(list(self.heads), [cross_entropy] * HEADS, strength=strength)

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of a batch: what DDP wraps."""
        z = self.encoder(images)
        targets = list(labels.unbind(dim=1))
        losses = [cross_entropy(head(z), target) for head, target in zip(self.heads, targets, strict=True)]
        return torch.stack(losses).sum() + self.regularizer(z, targets)


def batch(size: int = 32, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and a column of labels a task."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, 3, 8, 8, generator=generator), torch.randint(5, (size, HEADS), generator=generator)


def gradients(model: nn.Module) -> torch.Tensor:
    """Of all trained parameters, as one vector."""
    return torch.cat([p.grad.flatten().float() for p in model.parameters() if p.requires_grad and p.grad is not None])


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    """Of the angle between two gradients."""
    return torch.cosine_similarity(one, other, dim=0).item()
