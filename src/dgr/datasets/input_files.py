"""Reading an image or arrays that nobody vouches for, in one sentence where it cannot be used."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dgr.core.arrays import read_npz
from dgr.core.errors import DGRError, reason

Array = NDArray[Any]
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "JPEG2000", "TGA")
"""Of images, as Pillow calls them; some others are read by starting another program, which draws what they say."""
MOST_PIXELS = 2**24
"""Of an image, 4096×4096: a header of a few bytes must not take gigabytes."""


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
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise refusal(name, f"is of {image.height}×{image.width} pixels, but may have {MOST_PIXELS:,}")
            yield image
    except DGRError:
        raise
    except Exception as error:  # of a dozen kinds, and Pillow's plug-ins add their own
        raise refusal(name, f"is not a whole image ({reason(error)})") from error


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
        with np.errstate(over="ignore"):  # of sizes that nothing has
            values: Array = np.lib.format.open_memmap(path, mode="r")  # never unpickles
    except Exception as error:  # numpy raises half a dozen kinds for what is damaged
        raise refusal(path, f"is not a readable array of numbers ({reason(error)})") from error
    return values


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, Array]:
    """Arrays of an ``.npz`` file by name.

    Raises:
        DGRError: it is missing or damaged, lacks an array, or holds pickled objects, which are never loaded.
    """
    if not (path.is_file() and zipfile.is_zipfile(path)):
        raise refusal(path, "is no .npz file")
    try:
        return read_npz(path, list(names))
    except DGRError:
        raise
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a damaged archive
        raise refusal(path, f"is not a readable .npz file ({reason(error)})") from error
