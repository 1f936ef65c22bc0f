"""Reading one image or one array that nobody vouches for, in one sentence where it cannot be used."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dgr.core.errors import DGRError

Array = NDArray[Any]


def refusal(path: Path | str, problem: str) -> DGRError:
    """The sentence for a file that cannot be used."""
    return DGRError(f"{path} {problem}; replace it.")


@contextmanager
def opened_image(file: Path | IO[bytes], name: Path | str) -> Iterator[Image.Image]:
    """An image of which only the header was read; the block may look at it before it decodes the pixels.

    Args:
        file: the file, or what was read from it.
        name: for the message.

    Raises:
        DGRError: it is missing or no plain file, or it turns out as damaged while the block reads it.
    """
    if isinstance(file, Path) and not file.is_file():  # opening a pipe would wait for ever
        raise refusal(name, "is no plain file")
    try:
        # Pillow warns where a file's notes are damaged, and raises where its pixels are.
        with warnings.catch_warnings(action="ignore"), Image.open(file) as image:
            yield image
    except DGRError:
        raise
    except Exception as error:  # of a dozen kinds, and Pillow's plug-ins add their own
        raise refusal(name, f"is not a whole image ({_reason(error)})") from error


def read_image(path: Path) -> Array:
    """An image's values: ``(height, width)``, or ``(height, width, channels)``.

    Raises:
        DGRError: it is missing, truncated or damaged.
    """
    with opened_image(path, path) as image:
        return np.asarray(image)


def read_array(path: Path) -> Array:
    """An array of an ``.npy`` file, mapped, so that a damaged header that promises gigabytes takes no memory.

    Raises:
        DGRError: it is missing or damaged, or holds pickled objects, which are never loaded.
    """
    if not path.is_file():
        raise refusal(path, "is no plain file")
    try:
        values: Array = np.lib.format.open_memmap(path, mode="r")  # never unpickles
    except Exception as error:  # numpy raises half a dozen kinds for what is damaged
        raise refusal(path, f"is not a readable array of numbers ({_reason(error)})") from error
    return values


def _reason(error: Exception) -> str:
    """What a library says, without its advice in further lines, such as to trust the file."""
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
