"""Fetching a source: a whole and verified folder ``sources/SOURCE``, or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dgr.config.sources import MIRROR, SourceConfig, is_remote, places, shown
from dgr.core.errors import DGRError
from dgr.core.files import MANIFEST, cannot_write, sha256, write_manifest
from dgr.datasets.archives import gather, gather_parts
from dgr.datasets.contents import Contents, Writer, difference, tree_hash, whole_contents
from dgr.datasets.digests import changed_files
from dgr.datasets.downloads import UnavailableError, local
from dgr.datasets.known import NOTHING, Known

Fill = Callable[[Sequence[Path], Writer], tuple[Path, Contents]]
"""Writes a source's files from what lies at paths; gives the folder that they lie in and its contents."""


class Fetched(NamedTuple):
    """What a fetch left.

    Attributes:
        folder: ``sources/SOURCE``.
        files: how many files it holds, without the manifest.
        tree: its tree hash, :func:`dgr.datasets.contents.tree_hash`.
        origin: the place it came from; None where it was there already.
        content: what it is: the source itself, or the larger pictures in its place.
    """

    folder: Path
    files: int
    tree: str
    origin: str | None
    content: SourceConfig


class _Attempt(NamedTuple):
    """One way to get a source: the places to bring, what becomes of them, and how messages call them."""

    addresses: list[str]
    fill: Fill
    shown: str


def fetch_source(
    name: str, source: SourceConfig, root: Path, origin: str | Path | None = None, known: Known = NOTHING
) -> Fetched:
    """Make ``root/name``: the source's files and ``manifest.json``, checked against its configuration.

    The bytes come from ``origin`` alone if it is given; else from the folder or address in ``DGR_DATA_MIRROR``, as
    ``SOURCE/FILE``, ``FILE`` or an unpacked folder ``SOURCE``; else from the published addresses, and last from the
    publisher's commits. A download that stops is continued by the next call. A single top folder that all files lie in
    is dropped, and so are what file managers leave (``.DS_Store``, ``__MACOSX``) and a top ``manifest.json``, which a
    copy of a fetched folder has. What is there and whole is left as it is. Where the same pictures in more pixels are
    known, they are taken in its place, and last from their publisher's commits.

    Args:
        name: the source's name.
        source: its configuration.
        root: the folder ``sources``.
        origin: a file, an archive, a folder with the files, or the address of a file or an archive.
        known: where else it lies, and what helps to say how another content differs.

    Raises:
        DGRError: no place gives it (with the source's instructions); it is not the expected one, is damaged or would
            write elsewhere; or the disk is full. Nothing is left then but a part of a download.
    """
    target = root / name
    try:
        if target.exists() and any(target.iterdir()):  # Snakemake makes an empty folder first
            if not (target / MANIFEST).is_file():
                raise DGRError(f"{target} was never checked; move it elsewhere and fetch it from there with --from.")
            for content in _accepted(source, known):
                contents = whole_contents(target, content)
                if contents is not None:
                    return Fetched(target, len(contents), tree_hash(contents), None, content)
        reasons = []
        root.mkdir(parents=True, exist_ok=True)
        for attempt in _attempts(name, source, origin, known):
            try:
                paths = [local(address, root / ".downloads") for address in attempt.addresses]
            except UnavailableError as reason:
                reasons.append(str(reason))
            else:
                return _install(attempt, paths, target, source, known)
    except OSError as error:
        raise cannot_write(target, error) from error
    raise _nowhere(name, source, reasons)


def _attempts(name: str, source: SourceConfig, origin: str | Path | None, known: Known) -> list[_Attempt]:
    """All ways, the best first."""
    attempts = [
        _Attempt([place], partial(_from_one, place, source), shown(place)) for place in places(name, source, origin)
    ]
    larger = known.larger.publisher.parts if known.larger else []
    parts = (known.publisher and known.publisher.parts) or larger
    if origin is None and parts:
        commits = " and ".join(f"github.com/{part.repository} at commit {part.commit}" for part in parts)
        addresses = [address for part in parts for address in part.addresses]
        attempts.append(_Attempt(addresses, partial(gather_parts, parts), commits))
    return attempts


def _from_one(place: str, source: SourceConfig, paths: Sequence[Path], writer: Writer) -> tuple[Path, Contents]:
    """Gather what is at one place, and refuse another archive than the published one.

    A copy of the archive may have been packed anew: its hash is then another, and the tree hash decides.
    """
    (path,) = paths
    if source.kind == "archive" and source.sha256 and path.is_file():
        digest = sha256(path)
        if not digest.startswith(source.sha256):
            other = f"its SHA-256 is {digest}, but {source.sha256} is expected"
            if place in source.urls or source.contents.tree is None:
                raise DGRError(f"{writer.origin} is not the expected {source.file}: {other}; get it again.")
    return gather(path, source, writer)


def _nowhere(name: str, source: SourceConfig, reasons: list[str]) -> DGRError:
    """The sentences for a source that no place gives."""
    tried = f" ({'; '.join(reasons)})" if reasons else ""
    unpacked = " or of its unpacked folder" if source.kind == "archive" else ""
    return DGRError(
        f"There is nowhere to get '{name}' from{tried}. {source.instructions.strip()} Then run "
        f"`python -m dgr fetch {name} --from PATH` with the path of {source.file}{unpacked}, "
        f"or put it at FOLDER/{name}/{source.file} and name FOLDER in the environment as {MIRROR}."
    )


def _install(attempt: _Attempt, paths: list[Path], target: Path, source: SourceConfig, known: Known) -> Fetched:
    """Verify what was brought and put it in place; what was downloaded for it is no longer needed then."""
    downloaded = [path for path, address in zip(paths, attempt.addresses, strict=True) if is_remote(address)]
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        writer = Writer(Path(temporary) / "new", attempt.shown, source)
        try:
            folder, contents = attempt.fill(paths, writer)
            content = _verified(contents, attempt.shown, source, known)
        except DGRError:
            _remove(downloaded)
            raise
        tree = tree_hash(contents)
        write_manifest(folder, source=target.name, config=content.model_dump(mode="json"), tree=tree)
        if target.exists():
            target.replace(Path(temporary) / "old")
        folder.replace(target)
    _remove(downloaded)
    return Fetched(target, len(contents), tree, attempt.shown, content)


def _remove(downloaded: list[Path]) -> None:
    for path in downloaded:
        path.unlink()


def _accepted(source: SourceConfig, known: Known) -> list[SourceConfig]:
    return [source, *([known.larger.source] if known.larger else [])]


def _verified(contents: Contents, origin: str, source: SourceConfig, known: Known) -> SourceConfig:
    """Compare contents with what is expected; gives what they are.

    Raises:
        DGRError: they are something else; it is called by its name where it is known, and so is the file that changed.
    """
    for variant in known.publisher.variants if known.publisher else ():
        if variant.is_it(contents):
            raise DGRError(f"{origin} is not the expected {source.title}: it is {variant.name}.")
    problem = difference(contents, source)
    if problem is None:
        return source
    changed = changed_files(contents, known.digests)
    damaged = 0 < len(changed) < len(contents) / 2  # a copy of which most files are what they should be
    if known.larger and not damaged and difference(contents, known.larger.source) is None:
        return known.larger.source
    which = f"; files of another content: {len(changed):,}, the first is '{changed[0]}'" if changed else ""
    raise DGRError(f"{origin} is not the expected {source.title}: {problem}{which}; get it again.")
