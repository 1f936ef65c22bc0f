"""Two processes with DDP over gloo: both walk the same way, and their gradient is the mean of both parts' gradients."""

import tempfile

import torch
import torch.distributed as distributed
from torch.nn.parallel import DistributedDataParallel
from toy import Penalised, batch, gradients

PROCESSES = 2


def train(rank: int) -> None:
    parts = [batch(16, seed) for seed in range(PROCESSES)]
    alone = []
    for part in parts:
        model = Penalised()
        model(*part).backward()
        alone.append(gradients(model))
    model = DistributedDataParallel(Penalised())
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.05)
    for step in range(5):
        optimizer.zero_grad()
        loss = model(*parts[rank])
        loss.backward()
        if step == 0:
            torch.testing.assert_close(gradients(model), torch.stack(alone).mean(dim=0), rtol=1e-4, atol=1e-6)
        optimizer.step()
    own = torch.cat([p.detach().flatten() for p in model.parameters()])
    others = [torch.empty_like(own) for _ in range(PROCESSES)]
    distributed.all_gather(others, own)
    assert all(torch.equal(own, other) for other in others), "the processes have drifted apart"


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=PROCESSES)
    train(rank)  # its DDP goes before the group: freed after it, it can hang on a thread of the group (torch 2.13)
    distributed.barrier()
    distributed.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(work, (folder,), nprocs=PROCESSES)
