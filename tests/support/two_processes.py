"""Trains every method in one of several processes, or in one alone: ``python two_processes.py RANK WORLD FOLDER``.

Writes ``FOLDER/RANK-of-WORLD.pt``: parameters and weights by method, or the sentence with which it refused. Each
process has its own part of the batch and its own random numbers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from method_support import options_for
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.methods import METHODS, Batch, build_method, forward
from dgr.models.model import MultiTaskModel
from dgr.regularizers.shared.norm_penalty import FeatureNormPenalty

TASKS = (Task("sort", "classification", 3), Task("size", "regression"))
STEPS = 3


def make_batch(seed: int, rank: int, world: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(8, 4, generator=generator).double()
    sort = torch.randint(3, (8,), generator=generator)
    size = torch.randn(8, 1, generator=generator).double()
    part = slice(rank * 8 // world, (rank + 1) * 8 // world)
    return inputs[part], {"sort": sort[part], "size": size[part]}


def train(name: str, rank: int, world: int, *, wrapped: bool = False, sharded: bool = False) -> dict[str, Tensor]:
    torch.manual_seed(0)
    heads = {task.name: nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, task.outputs)) for task in TASKS}
    model: nn.Module = MultiTaskModel(nn.Sequential(nn.Linear(4, 6), nn.Tanh()), heads).double()
    if sharded:
        fully_shard(model.encoder)
    trained = DistributedDataParallel(model) if wrapped else model
    method = build_method(name, len(TASKS), **options_for(name, "sort")).double()
    optimizer = torch.optim.SGD([*model.parameters(), *method.parameters()], 0.1)
    torch.manual_seed(100 + rank)
    for step in range(STEPS):
        optimizer.zero_grad()
        batch, held_out = (make_batch(2 * step + k, rank, world) for k in (0, 1))
        weights = method.backward(forward(trained, TASKS, FeatureNormPenalty(0.1), batch, held_out, optimizer))
        optimizer.step()
        method.end_epoch()
    return {"weights": weights, "parameters": nn.utils.parameters_to_vector(model.parameters()).detach()}


def main(rank: int, world: int, folder: Path) -> None:
    torch.set_num_threads(1)
    if world > 1:
        dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=world)
    found: dict[str, object] = {}
    for name in METHODS:
        if METHODS[name].separate_encoders:
            continue
        try:
            found[name] = train(name, rank, world)
        except DGRError as error:
            found[name] = str(error)
    found["equal_weighting in DDP"] = train("equal_weighting", rank, world, wrapped=world > 1)
    if world > 1:
        try:
            train("equal_weighting", rank, world, sharded=True)
        except DGRError as error:
            found["sharded"] = str(error)
    torch.save(found, folder / f"{rank}-of-{world}.pt")
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
