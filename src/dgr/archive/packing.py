"""Packing the records of a suite's runs, with what a stranger needs to read them, in one file."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from dgr.archive.crate import CRATE_NAME, crate_text
from dgr.archive.manifest import MANIFEST_NAME, ArchiveManifest, PackedFile, PackedOutput
from dgr.archive.outputs import KeptOutput, kept_outputs, output_md5
from dgr.core.errors import DGRError
from dgr.core.files import sha256, write_atomically
from dgr.core.paths import CONFIGS, FIGURES, PLAN, RESULTS, SHARED, STAGES, suite_folder
from dgr.plan.locks import LOCK_NAME
from dgr.plan.suites import find_suites

DOCUMENTS = (
    *("CITATION.cff", "LICENSE", "README.md", "pyproject.toml", "requirements.hashes", "requirements.lock"),
    *("Snakefile", "codecheck.yml"),
)
"""Files at the top that an archive brings to its reader."""
READABLE = {".py", ".pyi", ".yaml", ".csv", ".json", ".md", ".tex", ".html", ".png", ".pdf", ".svg"}


class Packed(NamedTuple):
    """What was packed, in numbers.

    Attributes:
        outputs: of stages.
        files: all of them.
        size: of the archive, in bytes.
    """

    outputs: int
    files: int
    size: int


def pack(suites: list[str], target: Path, large: bool, date: str | None) -> Packed:
    """Write an archive of suites; the same bytes for the same files.

    Args:
        suites: their names; none for all that have a lock.
        target: where to, a ``.tar.gz``.
        large: whether weights and representations are packed too.
        date: when the runs were published, ``YYYY-MM-DD``; unless told, when git last saw the locks change.

    Raises:
        DGRError: an unknown suite, an output that is missing or is not the one of the lock, a date that git does not
            know, or a place that cannot be written.
    """
    locked = [each.name for each in find_suites(CONFIGS) if (suite_folder(each.name) / LOCK_NAME).is_file()]
    chosen = list(dict.fromkeys(suites or locked))
    if not chosen:
        raise DGRError(f"No suite has a {LOCK_NAME}, so there is nothing to pack; run `make reproduce` first.")
    outputs = _whole({output.path: output for suite in chosen for output in kept_outputs(suite)}.values(), large)
    members: dict[str, Path | bytes] = dict(_documents(chosen))
    members |= {str(path): path for output in outputs for path in _files(Path(output.path))}
    members[CRATE_NAME] = crate_text(chosen, outputs, [*members, MANIFEST_NAME], date).encode()
    manifest = ArchiveManifest(
        suites=chosen,
        outputs=[PackedOutput(**output._asdict()) for output in outputs],
        files={name: _packed(members[name]) for name in sorted(members)},
    )
    ordered = {MANIFEST_NAME: manifest.model_dump_json(indent=1).encode() + b"\n"} | dict(sorted(members.items()))
    write_atomically(target, lambda file: _write_tar(file, ordered))
    return Packed(len(outputs), len(ordered), target.stat().st_size)


def _whole(outputs: Iterable[KeptOutput], large: bool) -> list[KeptOutput]:
    chosen = [output for output in outputs if large or not output.is_large]
    for output in chosen:
        path = Path(output.path)
        if not path.exists() or output_md5(path) != output.md5:
            problem = "is not what the lock names" if path.exists() else "is missing"
            raise DGRError(
                f"{path} {problem} ({output.stage}); get it with `dvc checkout` or make it with `snakemake`, or name "
                "other suites."
            )
    return chosen


def _documents(suites: list[str]) -> Iterator[tuple[str, Path]]:
    """The code, the configuration, and what is committed of the suites."""
    folders = [Path("src/dgr"), CONFIGS]
    folders += [folder / suite for suite in suites for folder in (RESULTS, FIGURES)]
    files = [Path(name) for name in DOCUMENTS]
    files += [
        where / name for where in (*map(suite_folder, suites), SHARED) for name in (PLAN.name, STAGES.name, LOCK_NAME)
    ]
    files += [path for folder in folders for path in _files(folder) if path.suffix in READABLE]
    yield from ((path.as_posix(), path) for path in files if path.is_file())


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())


def _packed(content: Path | bytes) -> PackedFile:
    if isinstance(content, bytes):
        return PackedFile(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    return PackedFile(sha256=sha256(content), size=content.stat().st_size)


def _write_tar(file: IO[bytes], members: dict[str, Path | bytes]) -> None:
    """Nothing of this machine, user or moment goes into it."""
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in members.items():
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
                entry = tarfile.TarInfo(name)
                entry.size = stream.seek(0, io.SEEK_END)
                stream.seek(0)
                archive.addfile(entry, stream)
