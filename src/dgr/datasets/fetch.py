"""Fetching a source: a whole and verified folder ``sources/SOURCE``, or nothing."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pooch
import requests

from dgr.config.sources import MIRROR, SourceConfig, is_remote, places, shown
from dgr.core.errors import DGRError
from dgr.core.files import MANIFEST, cannot_write, sha256, write_manifest
from dgr.datasets.archives import gather
from dgr.datasets.contents import Contents, Writer, difference, tree_hash, whole_contents

STEP = 2**16
"""Bytes that are kept together: what comes of the last step before a transfer stops is lost."""
PART_ANSWERS = (requests.codes.partial, requests.codes.requested_range_not_satisfiable)
"""How servers answer when asked for the rest of a file."""


class Fetched(NamedTuple):
    """What a fetch left.

    Attributes:
        folder: ``sources/SOURCE``.
        files: how many files it holds, without the manifest.
        tree: its tree hash, :func:`dgr.datasets.contents.tree_hash`.
        origin: the place it came from; None where it was there already.
    """

    folder: Path
    files: int
    tree: str
    origin: str | None


class _UnavailableError(Exception):
    """A place does not give the source; another one may."""


def fetch_source(name: str, source: SourceConfig, root: Path, origin: str | Path | None = None) -> Fetched:
    """Make ``root/name``: the source's files and ``manifest.json``, checked against its configuration.

    The bytes come from ``origin`` alone if it is given; else from the folder or address in ``DGR_DATA_MIRROR``, as
    ``SOURCE/FILE``, ``FILE`` or an unpacked folder ``SOURCE``; else from the published addresses. A download that
    stops is continued by the next call. A single top folder that all files lie in is dropped, and so is a top
    ``manifest.json``, which a copy of a fetched folder has. What is there and whole is left as it is.

    Args:
        name: the source's name.
        source: its configuration.
        root: the folder ``sources``.
        origin: a file, an archive, a folder with the files, or the address of a file or an archive.

    Raises:
        DGRError: no place gives it (with the source's instructions); it is not the expected one, is damaged or would
            write elsewhere; or the disk is full. Nothing is left then but a part of a download.
    """
    target = root / name
    try:
        if target.exists():
            if not (target / MANIFEST).is_file():
                raise DGRError(f"{target} was never checked; move it elsewhere and fetch it from there with --from.")
            contents = whole_contents(target, source)
            if contents is not None:
                return Fetched(target, len(contents), tree_hash(contents), None)
        reasons = []
        root.mkdir(parents=True, exist_ok=True)
        for address in places(name, source, origin):
            try:
                return _install(_local(address, root / ".downloads"), address, target, source)
            except _UnavailableError as reason:
                reasons.append(f"{shown(address)} {reason}")
    except OSError as error:
        raise cannot_write(target, error) from error
    raise _nowhere(name, source, reasons)


def _nowhere(name: str, source: SourceConfig, reasons: list[str]) -> DGRError:
    """The sentences for a source that no place gives."""
    tried = f" ({'; '.join(reasons)})" if reasons else ""
    unpacked = " or of its unpacked folder" if source.kind == "archive" else ""
    return DGRError(
        f"There is nowhere to get '{name}' from{tried}. {source.instructions.strip()} Then run "
        f"`python -m dgr fetch {name} --from PATH` with the path of {source.file}{unpacked}, "
        f"or put it at FOLDER/{name}/{source.file} and name FOLDER in the environment as {MIRROR}."
    )


def _local(address: str, downloads: Path) -> Path:
    """The path of a place, after downloading what is remote."""
    if not is_remote(address):
        path = Path(address).expanduser()
        if not os.access(path, os.R_OK):
            raise _UnavailableError("is missing or cannot be read")
        return path
    downloads.mkdir(exist_ok=True)
    # Files of one name may differ between addresses, so each address has its own part.
    path = downloads / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.part"
    _download(address, path)
    return path


def _download(url: str, path: Path) -> None:
    """Append what is missing of a file; what has come is kept where the transfer stops."""
    start = path.stat().st_size if path.exists() else 0
    nothing_missing = f"bytes */{start}"
    answers: list[requests.Response] = []

    def on_answer(answer: requests.Response, **_: Any) -> None:
        answers.append(answer)
        part = answer.headers.get("Content-Range", "")
        if answer.status_code == requests.codes.ok:
            file.truncate(0)  # the whole file comes: no part was asked for, or the server knows no parts
        elif answer.status_code in PART_ANSWERS and not part.startswith(f"bytes {start}-") and part != nothing_missing:
            file.truncate(0)  # what is there is of another file
            raise requests.RequestException

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    # pooch does not continue downloads itself, but hands these options on and writes where an open file stands.
    get = pooch.HTTPDownloader(sys.stderr.isatty(), STEP, headers=headers, hooks={"response": on_answer})
    try:
        with path.open("ab") as file:
            get(url, file, None)
    except requests.RequestException as error:
        if not answers:
            raise _UnavailableError(f"cannot be reached ({type(error).__name__})") from error
        last = answers[-1]
        if last.status_code in PART_ANSWERS and last.headers.get("Content-Range") == nothing_missing:
            return
        if isinstance(error, requests.HTTPError):
            raise _UnavailableError(f"answers {last.status_code} {last.reason}") from error
        raise _UnavailableError(f"stopped after {path.stat().st_size:,} bytes, run again to go on") from error
    finally:
        for answer in answers:
            answer.close()
        if path.exists() and not path.stat().st_size:
            path.unlink()


def _install(path: Path, address: str, target: Path, source: SourceConfig) -> Fetched:
    """Verify what is at a path and put it in place."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        writer = Writer(Path(temporary) / "new", shown(address), source)
        try:
            folder, contents = _verified(path, address, writer, source)
        except DGRError:
            if is_remote(address):
                path.unlink()
            raise
        tree = tree_hash(contents)
        write_manifest(folder, source=target.name, config=source.model_dump(mode="json"), tree=tree)
        if target.exists():
            target.replace(Path(temporary) / "old")
        folder.replace(target)
    if is_remote(address):
        path.unlink()
    return Fetched(target, len(contents), tree, writer.origin)


def _verified(path: Path, address: str, writer: Writer, source: SourceConfig) -> tuple[Path, Contents]:
    """Gather the files and compare them with what is expected.

    A copy of the archive may have been packed anew: its hash is then another, and the tree hash decides.
    """
    other = ""
    if source.kind == "archive" and source.sha256 and path.is_file():
        digest = sha256(path)
        if not digest.startswith(source.sha256):
            other = f"its SHA-256 is {digest}, but {source.sha256} is expected"
            if address in source.urls or source.contents.tree is None:
                raise DGRError(f"{writer.origin} is not the expected {source.file}: {other}; get it again.")
    folder, contents = gather(path, source, writer)
    problem = "; ".join(filter(None, [difference(contents, source), other]))
    if problem != other:
        raise DGRError(f"{writer.origin} is not the expected {source.title}: {problem}; get it again.")
    return folder, contents
