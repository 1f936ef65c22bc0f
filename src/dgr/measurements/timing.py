"""Seconds and peak memory of a piece of work, measured so that other jobs on the machine disturb it least."""

from __future__ import annotations

import gc
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile


def interleaved_seconds(
    works: Sequence[Callable[[], None]],
    rounds: int,
    device: torch.device,
    calls: int = 1,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> np.ndarray:
    """Time several pieces of work against each other: each in turn, in a new random order every round.

    What slows the machine down for a while then slows all of them, so compare within a round, or medians over rounds.
    Works of one group follow one another, so that what is to be compared is timed within moments.
    On a CPU, seconds are this process's processor time (``time.process_time``): waiting for a core that another job
    holds does not count, and neither thread nor library escapes. On a GPU they are wall time between synchronisations.

    Args:
        works: called without arguments; warm them up before.
        rounds: how often each has its turn.
        calls: how often it is called in its turn. What follows itself finds its code and data in the caches, as a step
            of training does; what comes after other work does not.
        device: where they compute.
        seed: of the orders.
        groups: the group of each work; by default all are one.

    Returns:
        Seconds a call, shape ``(rounds, works)``.
    """
    cuda = device.type == "cuda"
    clock = time.perf_counter if cuda else time.process_time
    seconds = np.empty((rounds, len(works)))
    random = np.random.default_rng(seed)
    collecting = gc.isenabled()
    gc.disable()  # a collection would be charged to whichever work it falls into
    gc.freeze()  # what lives already need not be looked through after every round
    try:
        for row in seconds:
            for index in _order(groups or [""] * len(works), random):
                if cuda:
                    torch.cuda.synchronize(device)
                start = clock()
                for _ in range(calls):
                    works[index]()
                if cuda:
                    torch.cuda.synchronize(device)
                row[index] = (clock() - start) / calls
            gc.collect()
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()
    return seconds


def _order(groups: Sequence[str], random: np.random.Generator) -> list[int]:
    """Works in random order: groups in turn, and in each group its works."""
    ranks = {name: rank for rank, name in enumerate(random.permutation(sorted(set(groups))).tolist())}
    shuffled: list[int] = random.permutation(len(groups)).tolist()
    return sorted(shuffled, key=lambda index: ranks[groups[index]])


def peak_bytes(work: Callable[[], None], device: torch.device) -> int:
    """Most bytes of tensors alive at once during the work, above what is alive before it.

    Counted by torch's allocators, hence exact and the same at every call, unlike a process's resident memory, of which
    a small step moves nothing. What libraries hold inside an operation is not seen.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(trace))
        events = [
            event
            for event in json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
            if event.get("name") == "[memory]"
        ]
    changes = [event["args"]["Bytes"] for event in sorted(events, key=lambda event: event["ts"])]
    return int(np.cumsum([0, *changes]).max())
