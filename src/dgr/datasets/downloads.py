"""Downloading a file: with progress, and where it stopped."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import pooch
import requests

from dgr.config.sources import is_remote, shown

STEP = 2**16
"""Bytes that are kept together: what comes of the last step before a transfer stops is lost."""
PART_ANSWERS = (requests.codes.partial, requests.codes.requested_range_not_satisfiable)
"""How servers answer when asked for the rest of a file."""


class UnavailableError(Exception):
    """A place does not give what lies there; another one may."""


def local(address: str, downloads: Path) -> Path:
    """The path of a place, after downloading what is remote to a file in ``downloads``.

    A download that stops is continued by the next call, or starts anew where the server gives no parts of files. Where
    the standard error is a terminal, a bar shows its progress.

    Raises:
        UnavailableError: it is missing, cannot be read or reached, or the transfer stopped.
        OSError: the disk is full or cannot be written.
    """
    if not is_remote(address):
        path = Path(address).expanduser()
        # Opening a pipe would wait for ever.
        if not (os.access(path, os.R_OK) and (path.is_file() or path.is_dir())):
            raise UnavailableError(f"{address} is missing or cannot be read")
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
            raise UnavailableError(f"{shown(url)} cannot be reached ({type(error).__name__})") from error
        last = answers[-1]
        if last.status_code in PART_ANSWERS and last.headers.get("Content-Range") == nothing_missing:
            return
        if isinstance(error, requests.HTTPError):
            raise UnavailableError(f"{shown(url)} answers {last.status_code} {last.reason}") from error
        came = path.stat().st_size
        raise UnavailableError(f"{shown(url)} stopped after {came:,} bytes, run again to go on") from error
    finally:
        for answer in answers:
            answer.close()
        if path.exists() and not path.stat().st_size:
            path.unlink()
