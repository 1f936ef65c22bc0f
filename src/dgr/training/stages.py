"""The training stage: one method for its list of seeds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import torch

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.core.device import choose_device
from dgr.core.files import cannot_write, write_manifest
from dgr.core.origin import hardware
from dgr.core.paths import DATA, output_path
from dgr.datasets.prepared import load
from dgr.training.configuration import RunConfig
from dgr.training.memory import needed_bytes
from dgr.training.run import Run
from dgr.training.run_records import write_records
from dgr.training.trained import has_trained, settle_trained, trained_hashes
from dgr.training.tuning import chosen_setting
from dgr.training.workspace import identity_of, is_finished, open_workspace, seal, write_origin


def train(key: str, device: str) -> None:
    """Train the seeds of a run that are not finished and write its folder; a killed call goes on where it was.

    Args:
        key: a run id of the plan.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises:
        DGRError: unknown key, missing data or tuning, non-finite loss, unwritable folder.
    """
    config = chosen_setting(parse(RunConfig, plan_entry(key, ("runs", "tuned_runs")), key))
    data = load(config.dataset, DATA, config.seeds[0])
    place = choose_device(device, lambda: needed_bytes(config, data))
    work = {"device": hardware(place)}
    workspace, identity = open_workspace(config, work), identity_of(config, work)
    target = output_path(config.suite, "train", key)
    try:
        result = workspace / "result"
        result.mkdir(exist_ok=True)
        finished = [
            seed
            for seed in config.seeds
            if is_finished(target / f"seed-{seed}", identity) and has_trained(config, seed, target / f"seed-{seed}")
        ]
        for seed in config.seeds:
            if seed not in finished:
                _train_seed(config, seed, place, workspace, identity)
        for seed in finished:
            if not (result / f"seed-{seed}").exists():
                (target / f"seed-{seed}").replace(result / f"seed-{seed}")
        for leftover in set(result.iterdir()) - {result / f"seed-{seed}" for seed in config.seeds}:
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        write_manifest(result, key=key, seeds=config.seeds)
        settle_trained(config)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        result.replace(target)
        shutil.rmtree(workspace)
    except OSError as error:
        raise cannot_write(target, error) from error


def _train_seed(
    config: RunConfig,
    seed: int,
    device: torch.device,
    workspace: Path,
    identity: str,
) -> None:
    finished = workspace / "result" / f"seed-{seed}"
    checkpoint = workspace / f"seed-{seed}.pt"
    if finished.exists() and has_trained(config, seed, finished):
        return
    shutil.rmtree(finished, ignore_errors=True)  # by a killed call, and its large files were replaced since
    run = Run(config, seed, load(config.dataset, DATA, seed), device, checkpoint)
    run.train()
    with tempfile.TemporaryDirectory(dir=workspace) as temporary:
        records = Path(temporary) / finished.name
        records.mkdir()
        write_records(run, records)
        seal(records, identity, trained_hashes(config, seed))
        write_origin(run, records)
        records.replace(finished)
    checkpoint.unlink()
