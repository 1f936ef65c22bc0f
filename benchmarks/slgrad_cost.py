"""One step of SLGrad, and of the same weights found by a loop over samples, as multiples of a step of equal weighting.

    python benchmarks/slgrad_cost.py [--rounds 30] [--limit 3.0] [--held-out 64]

LeNet, ten tasks of two classes, batch 64, SGD with momentum, made-up images. The cases take turns in one process, in
random order. Exit status 0: the median of SLGrad is within the limit; 1: it is not.
"""

import argparse
import sys

import numpy as np
import torch
from torch import nn

from dgr.core.device import choose_device
from dgr.core.origin import device_name
from dgr.core.task import Task
from dgr.measurements.timing import interleaved_seconds
from dgr.methods import Method, build_method
from dgr.methods.shared.base import Step, forward
from dgr.methods.shared.sample_gradients import sample_weights
from dgr.models.lenet import lenet_encoder
from dgr.models.model import MultiTaskModel

TASKS = [Task(f"task{number}", "classification", 2) for number in range(10)]
BATCH, IMAGE = 64, 28


class LoopOverSamples(Method):
    """SLGrad without look-ahead, one gradient a sample and task: less work than the whole method, the naive way."""

    needs_held_out = True

    def backward(self, step: Step) -> torch.Tensor:
        shared = step.model.shared_parameters()
        inputs, targets = step.held_out
        main = step.tasks[0]
        held_out = main.loss(step.model.heads[main.name](step.model.encoder(inputs)), targets[main.name])
        direction = torch.autograd.grad(held_out, shared)
        predictions = step.predictions
        losses = [
            nn.functional.cross_entropy(predictions[task.name], step.batch[1][task.name], reduction="none")
            for task in step.tasks
        ]
        products = torch.zeros(len(losses), BATCH)
        for row, own in enumerate(losses):
            for column, loss in enumerate(own):
                gradients = torch.autograd.grad(loss, shared, retain_graph=True)
                products[row, column] = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True))
        weights = sample_weights(products)
        (self.num_tasks * weights * torch.stack(losses)).sum().backward()
        return weights.sum(dim=1)


def make_stepper(method, held_out):
    torch.manual_seed(0)
    encoder, width = lenet_encoder(1, IMAGE)
    model = MultiTaskModel(encoder, {task.name: nn.Linear(width, task.outputs) for task in TASKS})
    optimizer = torch.optim.SGD(model.parameters(), 1e-2, momentum=0.9, fused=True)

    def batch(size):
        return torch.rand(size, 1, IMAGE, IMAGE), {task.name: torch.randint(2, (size,)) for task in TASKS}

    first, other = batch(BATCH), batch(held_out)

    def step():
        optimizer.zero_grad()
        method.backward(forward(model, TASKS, None, first, other if method.needs_held_out else None, optimizer))
        optimizer.step()
        method.end_epoch()

    return step


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--limit", type=float, default=3.0)
    parser.add_argument("--held-out", type=int, default=64)
    options = parser.parse_args()

    device = choose_device("cpu")
    number = len(TASKS)
    methods = {
        "equal weighting": build_method("equal_weighting", number),
        "SLGrad": build_method("slgrad", number, main_task="task0"),
        "SLGrad, look-ahead kept": build_method("slgrad", number, main_task="task0", keep_look_ahead=True),
        "loop over samples": LoopOverSamples(number),
    }
    steppers = [make_stepper(method, options.held_out) for method in methods.values()]
    for stepper in steppers:
        stepper()
    seconds = interleaved_seconds(steppers, options.rounds, device, 1)
    plain = seconds[:, 0]
    print(f"{device_name(device)}; plain step {1000 * np.median(plain):.2f} ms, held-out batch {options.held_out}")
    ratios = {name: float(np.median(column / plain)) for name, column in zip(methods, seconds.T, strict=True)}
    for name, ratio in ratios.items():
        print(f"{name:26} {ratio:7.2f} × plain")
    return int(ratios["SLGrad"] > options.limit)


if __name__ == "__main__":
    sys.exit(main())
