"""DVC's cache, in the layout that its documentation describes: each content once, under its hash."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from dgr.archive.outputs import KeptOutput, folder_listing, listing_md5, output_md5
from dgr.core.errors import DGRError
from dgr.core.files import write_atomically

READ_ONLY = 0o444


def put_back(folder: Path, outputs: list[KeptOutput], between: Iterable[Path] = ()) -> None:
    """Copy outputs into the cache and let DVC check them out, as links where it is configured so.

    All get the same time: an engine that compares times must not take one output for newer than another.

    Args:
        folder: where the outputs lie, under their paths.
        outputs: with the hashes that they have.
        between: committed files that are made of some outputs and read for others; they get that time too.

    Raises:
        DGRError: the cache cannot be written, or DVC refuses.
    """
    if not outputs:
        return
    cache = Path(_dvc("cache", "dir").strip()) / "files" / "md5"
    now = time.time()
    for output in outputs:
        for digest, content in _objects(folder / output.path):
            place = cache / digest[:2] / digest[2:]
            if not place.exists():
                _write(place, content)
                place.chmod(READ_ONLY)
            os.utime(place, (now, now))
    _dvc("checkout", "--quiet", *(output.path for output in outputs))
    for path in between:
        os.utime(path, (now, now))


def _objects(path: Path) -> Iterator[tuple[str, Path | bytes]]:
    """What the cache keeps of an output, by hash."""
    if path.is_file():
        yield output_md5(path), path
        return
    listing = folder_listing(path)
    yield listing_md5(listing), listing
    for file in json.loads(listing):
        yield file["md5"], path / file["relpath"]


def _write(place: Path, content: Path | bytes) -> None:
    if isinstance(content, bytes):
        write_atomically(place, lambda file: file.write(content))
        return
    with content.open("rb") as source:
        write_atomically(place, lambda file: shutil.copyfileobj(source, file))


def _dvc(*arguments: str) -> str:
    done = subprocess.run(
        (sys.executable, "-m", "dvc", *arguments), capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        reason = " ".join((done.stderr or done.stdout).split()) or f"exit status {done.returncode}"
        raise DGRError(f"DVC refuses to `dvc {arguments[0]}` ({reason.rstrip('.')}); mend that and run again.")
    return done.stdout
