"""What is large of a trained run: its weights, and its representations where a measurement reads them.

It lies apart from the run's records. These are small, name the files here by their hashes, and can be kept, packed and
checked without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from dgr.core.errors import DGRError
from dgr.core.files import MANIFEST, read_json, sha256, write_atomically, write_manifest
from dgr.core.paths import trained_folder
from dgr.training.checkpoint import save_checkpoint
from dgr.training.configuration import RunConfig
from dgr.training.run import Run


def write_trained(run: Run, representations: Mapping[str, Tensor | None]) -> None:
    """Write one seed's files, each as a whole; an earlier file of that name is replaced and not written into.

    Args:
        run: a run whose training is done: the weights are those of the last epoch.
        representations: z by split, and by ``split@epoch`` for snapshots; None of data whose z is a map. Written only
            where the run ``keeps_representations``.
    """
    weights, *others = _files(run.config, run.seed)
    trained = {name: part.state_dict() for name, part in run.parts.stateful().items() if isinstance(part, nn.Module)}
    save_checkpoint(weights, run.identity, trained)
    arrays = {name: z.cpu().numpy().astype(np.float32) for name, z in representations.items() if z is not None}
    for path in others:
        write_atomically(path, lambda file: np.savez(file, allow_pickle=False, **arrays))


def trained_hashes(config: RunConfig, seed: int) -> dict[str, str]:
    """SHA-256 of each file that a seed has here, by its name: what the seed's records say of them."""
    return {path.name: sha256(path) for path in _files(config, seed) if path.is_file()}


def has_trained(config: RunConfig, seed: int, records: Path) -> bool:
    """Whether the files that a finished seed's records name are still here, and are the same."""
    try:
        manifest = read_json(records / MANIFEST, "train it again")
    except DGRError:
        return False
    return bool(manifest.get("trained") == trained_hashes(config, seed))


def settle_trained(config: RunConfig) -> None:
    """Remove the files of seeds that are no longer configured, and write the folder's manifest."""
    folder = trained_folder(config.suite, config.key)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {path for seed in config.seeds for path in _files(config, seed)}
    for leftover in set(folder.iterdir()) - wanted:
        leftover.unlink()
    write_manifest(folder, key=config.key, seeds=config.seeds)


def _files(config: RunConfig, seed: int) -> list[Path]:
    """The weights' file, and that of the representations where they are kept."""
    endings = ("pt", "npz") if config.keeps_representations else ("pt",)
    return [trained_folder(config.suite, config.key) / f"seed-{seed}.{ending}" for ending in endings]
