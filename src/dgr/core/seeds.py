"""Separate random streams, each a hash of what it is for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Purpose = Literal[
    "split",
    "initialization",
    "dummies",
    "batch_order",
    "held_out",
    "augmentation",
    "held_out_augmentation",
    "balancer",
    "untrained_heads",
]


def seed_for(experiment: str, seed: int, purpose: Purpose) -> int:
    """A seed in [0, 2⁶³) that depends on nothing but its arguments.

    The experiment names data set and architecture but not the method, so that equal seeds give every method the same
    initialisation, dummies and batch order, and comparisons are paired.
    """
    digest = hashlib.sha256(f"{experiment}/{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator_for(experiment: str, seed: int, purpose: Purpose, epoch: int = 0) -> torch.Generator:
    """A CPU generator of one purpose and epoch: nothing to save in a checkpoint."""
    import torch  # takes seconds, and how a data set is split needs none of it

    return torch.Generator().manual_seed((seed_for(experiment, seed, purpose) + epoch) % 2**63)
