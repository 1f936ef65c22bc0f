"""Putting an archive's outputs back into the working tree and DVC's cache, or refusing it and changing nothing.

What ``dvc.lock`` names decides, not what the archive says of itself: each output must have the lock's hash. Nothing in
it is unpickled or run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dgr.archive.dvc_cache import put_back
from dgr.archive.manifest import MANIFEST_NAME, ArchiveManifest
from dgr.archive.outputs import KeptOutput, kept_outputs, output_md5
from dgr.config.parsing import parse
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.files import cannot_write, read_json
from dgr.core.paths import UNFINISHED, tuning_folder
from dgr.datasets.archives import unpack
from dgr.datasets.contents import Contents, Writer


class Restored(NamedTuple):
    """What was put back.

    Attributes:
        suites: the archive's.
        outputs: how many outputs of stages are now as the lock names them.
        absent: large outputs that are neither in the archive nor here.
    """

    suites: list[str]
    outputs: int
    absent: int


def restore(archive: Path) -> Restored:
    """Put back all outputs that an archive holds.

    Raises:
        DGRError: there is no such file, it is damaged or no archive of runs, holds what none holds, was tampered with,
            or was made with another lock; something else lies in an output's place; or DVC refuses.
    """
    if not archive.is_file():
        raise DGRError(f"There is no archive {archive}; name the file that `dgr archive` wrote.")
    with _scratch() as folder:
        manifest = _checked(archive, folder)
        wanted = {output.path: output for suite in manifest.suites for output in kept_outputs(suite)}
        _check_lock(archive, manifest, wanted)
        outputs = [wanted[packed.path] for packed in manifest.outputs]
        for output in outputs:
            if output_md5(folder / output.path) != output.md5:
                raise _refusal(archive, f"has another {output.path} than it says")
            if Path(output.path).exists() and output_md5(Path(output.path)) != output.md5:
                raise DGRError(
                    f"{output.path} is here already and is not what the lock names; move it away, or bring the lock up "
                    f"to date with `dvc repro {output.stage}`."
                )
        chosen = (path for suite in manifest.suites for path in tuning_folder(suite).glob("*.json"))
        put_back(folder, outputs, chosen)
    absent = [output for output in wanted.values() if output.is_large and not Path(output.path).exists()]
    return Restored(manifest.suites, len(outputs), len(absent))


@contextmanager
def _scratch() -> Iterator[Path]:
    try:
        UNFINISHED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=UNFINISHED, prefix="restore-") as name:
            yield Path(name)
    except OSError as error:
        raise cannot_write(UNFINISHED, error) from error


def _checked(archive: Path, folder: Path) -> ArchiveManifest:
    """Unpack it and compare every file with the checksum map."""
    origin = SourceConfig(title="runs", kind="archive", file="archive.tar.gz", instructions="Made by `dgr archive`.")
    writer = Writer(folder, str(archive), origin)
    unpack(archive, writer)
    contents: Contents = dict(writer.contents)
    if contents.pop(MANIFEST_NAME, None) is None:
        raise _refusal(archive, f"has no {MANIFEST_NAME}, so it is no archive of runs")
    try:
        data = read_json(folder / MANIFEST_NAME, "get it again")
        manifest = parse(ArchiveManifest, data, MANIFEST_NAME)
    except DGRError as error:
        raise _refusal(archive, f"holds an {MANIFEST_NAME} that cannot be used ({str(error).rstrip('.')})") from error
    told = {name: (file.size, file.sha256) for name, file in manifest.files.items()}
    found = {name: tuple(entry) for name, entry in contents.items()}
    for name in sorted(told.keys() | found.keys()):
        if told.get(name) != found.get(name):
            problem = "lacks" if name not in found else "also holds" if name not in told else "has another content of"
            raise _refusal(archive, f"{problem} {name}")
    return manifest


def _check_lock(archive: Path, manifest: ArchiveManifest, wanted: dict[str, KeptOutput]) -> None:
    """The archive's outputs are those of the lock: the small ones all, the large ones as far as it has them."""
    packed = {output.path: output for output in manifest.outputs}
    if len(packed) < len(manifest.outputs):
        raise _refusal(archive, "names an output twice")
    for path in sorted(wanted.keys() | packed.keys()):
        output, own = packed.get(path), wanted.get(path)
        if output is None and own is not None and own.is_large:
            continue
        if output is None or own is None or output.md5 != own.md5:
            stage = (own or output or packed[path]).stage
            raise DGRError(
                f"{archive} was made with another dvc.lock: {stage} made another {path}; check out the commit that it "
                "was made at, or get the archive of this one."
            )


def _refusal(archive: Path, what: str) -> DGRError:
    return DGRError(f"{archive} {what}; nothing of it was used, get it again.")
