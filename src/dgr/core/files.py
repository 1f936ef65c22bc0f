"""Writing files so that a reader never sees half of one, and saying later whether they are still whole."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from dgr.core.errors import DGRError, reason

MANIFEST = "manifest.json"


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then rename it: all or nothing.

    Raises:
        DGRError: the folder cannot be written, or the disk is full; ``path`` is as it was before.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            temporary = Path(file.name)
            write(file)
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is private; what the project writes is as readable as any other file.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_atomically(path, lambda file: file.write(text.encode()))


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; NaN and infinities are refused, since JSON has none."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def plain_text(path: Path) -> str:
    """The UTF-8 text of a plain file.

    Raises:
        OSError: it is missing, or is none: opening a pipe would wait for ever, and a device may never end.
        ValueError: it is not UTF-8.
    """
    if path.exists() and not path.is_file():
        raise OSError("it is no plain file")
    return path.read_text(encoding="utf-8")


def read_json(path: Path, remedy: str) -> Any:
    """Parse a JSON file.

    Raises:
        DGRError: the file is missing or damaged; ``remedy`` says what to do then.
    """
    try:
        return json.loads(plain_text(path))
    except FileNotFoundError as error:
        raise DGRError(f"{path} is missing; {remedy}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DGRError(f"{path} cannot be read ({reason(error)}); {remedy}.") from error


def cannot_write(path: Path, error: OSError) -> DGRError:
    """The sentence for a read-only folder, a full disk and their like."""
    return DGRError(f"Cannot write {path}: {error.strerror or error}; free or unlock that place and run again.")


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, **facts: Any) -> None:
    """Write ``manifest.json``: the given facts and the SHA-256 of every other file below the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    write_json(folder / MANIFEST, {**facts, "files": {str(path.relative_to(folder)): sha256(path) for path in files}})


def read_manifest(folder: Path, remedy: str) -> dict[str, Any]:
    """Read a folder's manifest after checking every file it lists.

    Raises:
        DGRError: a file is missing, damaged or was edited by hand.
    """
    manifest: dict[str, Any] = read_json(folder / MANIFEST, remedy)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise DGRError(f"{folder / MANIFEST} is not a manifest; {remedy}.")
    for name, digest in manifest["files"].items():
        try:
            found = sha256(folder / name) if (folder / name).is_file() else None
        except OSError as error:  # a name that no file can have, too
            raise DGRError(f"{folder / name} cannot be read ({reason(error)}); {remedy}.") from error
        if found is None:
            raise DGRError(f"{folder / name} is missing; {remedy}.")
        if found != digest:
            raise DGRError(f"{folder / name} is damaged or was edited since it was made; {remedy}.")
    return manifest


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
