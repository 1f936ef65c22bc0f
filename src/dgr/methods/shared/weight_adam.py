"""Task weights that Adam moves."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.adam import adam


class WeightAdam(nn.Module):
    """One weight a task, and Adam's state, with its usual β of 0.9 and 0.999 and ε of 1e-8.

    All are buffers, which move, save and load with the method, but are not trained by the run's optimizer.

    Args:
        num_tasks: number K of tasks.
        start: first value of every weight.
        learning_rate: Adam's step size.
    """

    weights: Tensor
    exp_avg: Tensor
    exp_avg_sq: Tensor
    steps: Tensor

    def __init__(self, num_tasks: int, start: float, learning_rate: float) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.register_buffer("weights", torch.full((num_tasks,), start))
        self.register_buffer("exp_avg", torch.zeros(num_tasks))
        self.register_buffer("exp_avg_sq", torch.zeros(num_tasks))
        self.register_buffer("steps", torch.tensor(0.0))

    def step(self, gradient: Tensor) -> None:
        """Move the weights against a gradient, shape ``(K,)``; its caller keeps them in bounds."""
        adam(
            [self.weights],
            [gradient.to(self.weights.dtype)],
            [self.exp_avg],
            [self.exp_avg_sq],
            [],
            [self.steps],
            foreach=False,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.learning_rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
