"""What the penalty costs beside the step that it joins: time as a ratio, memory as a ratio, products counted.

    python benchmarks/penalty_cost.py [--rounds 20] [--device cpu]

Each case is a step (encoder, heads, losses, backward) without and with the penalty. The two take turns in one process,
and a ratio is that of one round's pair; medians are printed. On a CPU, memory is the most bytes of tensors alive at one
time, taken from every operation; on CUDA the allocator's peak. "Above plain" is the penalty's addition to the peak,
divided by what the plain heads take.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from dgr import DummyGradientNorm
from dgr.models.shared.backbones import resnet_backbone
from dgr.models.shared.dense_heads import deeplab_head

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))
from counting_support import Alive

TASKS = 3


@dataclass
class Case:
    """An encoder, its inputs, and heads with targets."""

    encoder: nn.Module
    inputs: torch.Tensor
    heads: list[nn.Module]
    targets: list[torch.Tensor]

    def step(self, penalty: DummyGradientNorm | None = None) -> None:
        z = self.encoder(self.inputs)
        if isinstance(z, tuple):
            z = z[0][:, -1]
        total = sum(cross_entropy(head(z), target) for head, target in zip(self.heads, self.targets, strict=True))
        if penalty is not None:
            total = total + penalty(z, self.targets)
        total.backward()

    def penalty(self, device: torch.device, **settings) -> DummyGradientNorm:
        return DummyGradientNorm(self.heads, [cross_entropy] * TASKS, 1e-3, **settings).to(device)


def dense_heads(device: torch.device) -> Case:
    """DeepLabV3 heads on features that a small encoder gives: the heads are nearly the whole step."""
    encoder = nn.Sequential(nn.Conv2d(3, 256, 3, stride=8, padding=1), nn.ReLU())
    heads = [deeplab_head(256, classes, channels=64, rates=(3, 6, 9)) for classes in (13, 7, 5)]
    targets = [torch.randint(classes, (4, 18, 24), device=device) for classes in (13, 7, 5)]
    inputs = torch.randn(4, 3, 144, 192, device=device)
    return Case(encoder.to(device), inputs, [head.to(device) for head in heads], targets)


def paper_model(device: torch.device) -> Case:
    """NYUv2's split model at a thirtieth of its area; its depth and normals are classes here, which cost as much."""
    encoder = resnet_backbone(50, dilated=True)
    heads = [deeplab_head(2048, classes) for classes in (13, 2, 3)]
    targets = [torch.randint(classes, (2, 6, 8), device=device) for classes in (13, 2, 3)]
    inputs = torch.randn(2, 3, 48, 64, device=device)
    return Case(encoder.to(device), inputs, [head.to(device) for head in heads], targets)


def vision_transformer(device: torch.device) -> Case:
    layer = nn.TransformerEncoderLayer(128, 4, 256, dropout=0.0, batch_first=True)
    encoder = nn.Sequential(nn.TransformerEncoder(layer, 4, enable_nested_tensor=False), nn.AdaptiveAvgPool2d((1, 128)),
                            nn.Flatten())  # fmt: skip
    return vectors(encoder, torch.randn(32, 64, 128), 128, device)


def recurrent(device: torch.device) -> Case:
    return vectors(nn.LSTM(64, 128, num_layers=2, batch_first=True), torch.randn(64, 40, 64), 128, device)


def vectors(encoder: nn.Module, inputs: torch.Tensor, width: int, device: torch.device) -> Case:
    heads = [nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, c)).to(device) for c in (7, 2, 5)]
    targets = [torch.randint(classes, (len(inputs),), device=device) for classes in (7, 2, 5)]
    return Case(encoder.to(device), inputs.to(device), heads, targets)


CASES: dict[str, Callable[[torch.device], Case]] = {
    "DeepLab heads": dense_heads,
    "NYUv2 split, ResNet-50": paper_model,
    "ViT encoder, vector heads": vision_transformer,
    "LSTM encoder, vector heads": recurrent,
}
PENALTIES = {
    "exact": {},
    "exact, every=4": {"every": 4},
    "exact, N = 4": {"num_dummies": 4},
    "finite difference": {"estimator": "finite_difference"},
}


def seconds(call: Callable[[], None], device: torch.device) -> float:
    clock = time.process_time if device.type == "cpu" else time.perf_counter  # others may use the processor too
    start = clock()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def peak(call: Callable[[], None], device: torch.device) -> int:
    if device.type == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        return torch.cuda.max_memory_allocated() - before
    with Alive() as alive:
        call()
    return alive.most


def products(call: Callable[[], None]) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    print(f"{'':28}{'':20}{'step':>7}{'products':>10}{'peak above plain':>18}")
    for name, make in CASES.items():
        torch.manual_seed(0)
        case = make(device)
        made = {label: case.penalty(device, **settings) for label, settings in PENALTIES.items()}
        steps = {"plain": case.step, **{label: partial(case.step, penalty) for label, penalty in made.items()}}
        with torch.no_grad():
            z = case.encoder(case.inputs)
            z = z[0][:, -1] if isinstance(z, tuple) else z
        alone = Case(nn.Identity(), z.requires_grad_(), case.heads, case.targets)
        for step in steps.values():
            step()
        memory = {label: peak(step, device) for label, step in steps.items()}
        heads_only = peak(alone.step, device)
        flops = {label: products(step) for label, step in steps.items()}
        times: dict[str, list[float]] = {label: [] for label in steps}
        order = list(steps)
        for _ in range(options.rounds):
            random.shuffle(order)
            found = {}
            for label in order:
                repeats = 4 if "every" in label else 1
                found[label] = sum(seconds(steps[label], device) for _ in range(repeats)) / repeats
            for label in steps:
                times[label].append(found[label] / found["plain"])
        for label in PENALTIES:
            above = (memory[label] - memory["plain"]) / heads_only
            ratio = statistics.median(times[label])
            print(f"{name:28}{label:20}{ratio:7.3f}{flops[label] / flops['plain']:10.2f}{above:18.2f}", flush=True)


if __name__ == "__main__":
    main()
