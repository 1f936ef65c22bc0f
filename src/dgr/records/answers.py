"""Which test samples each run answered rightly, and what these samples were composed of: a line of text a seed."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dgr.core.arrays import read_npz
from dgr.core.errors import DGRError, reason
from dgr.records.run_folders import IDENTITY

_FILE, _SAMPLES, _SOURCES = "answers.npz", "samples", "sources"
"""The file of a seed's records, as :mod:`dgr.training.run_records` writes it, and what is in it beside tasks."""
ANSWER_COLUMNS = [*IDENTITY, "task", "samples", "right"]
SOURCE_COLUMNS = ["suite", "dataset", "seed", "places", "parts"]


def answer_rows(identity: dict[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    """Rows of ``answers.csv`` of one seed, one a task of classification: a bit a test sample, packed, in base64.

    Args:
        identity: of the run's seed.
        folder: of its records, whose files are checked already.
    """
    arrays = _arrays(folder)
    for task, packed in arrays.items():
        if task not in (_SAMPLES, _SOURCES):
            yield {**identity, "task": task, "samples": int(arrays[_SAMPLES]), "right": _text(packed)}


def source_rows(identity: dict[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    """The row of ``sources.csv`` of one seed, where its test samples are composed of parts: the numbers of these."""
    parts = _arrays(folder).get(_SOURCES)
    if parts is not None:
        named = {name: identity[name] for name in ("suite", "dataset", "seed")}
        yield {**named, "places": parts.shape[1], "parts": _text(parts.astype("<i4"))}


def right_answers(answers: pd.DataFrame, method: str, regularizer: str) -> dict[int, dict[str, NDArray[np.bool_]]]:
    """By seed and task whether each test sample was answered rightly, shape ``(samples,)``; classification only.

    Args:
        answers: ``answers.csv``, narrowed to one data set and architecture.
        method: of the run.
        regularizer: of the run.
    """
    found: dict[int, dict[str, NDArray[np.bool_]]] = {}
    for row in answers[(answers["method"] == method) & (answers["regularizer"] == regularizer)].to_dict("records"):
        with _damage():
            packed, samples = np.frombuffer(_bytes(row["right"]), np.uint8), int(row["samples"])
            if not 0 <= samples <= 8 * len(packed):
                raise ValueError(f"{samples:,} samples are not in {len(packed):,} bytes")
            found.setdefault(int(row["seed"]), {})[str(row["task"])] = np.unpackbits(packed, count=samples).astype(bool)
    return found


def sources_by_seed(sources: pd.DataFrame) -> dict[int, NDArray[np.int32]]:
    """By seed the numbers of the parts of each test sample, shape ``(samples, places)``.

    Args:
        sources: ``sources.csv``, narrowed to one data set.
    """
    with _damage():
        return {
            int(row["seed"]): np.frombuffer(_bytes(row["parts"]), "<i4").reshape(-1, int(row["places"]))
            for row in sources.to_dict("records")
        }


def _arrays(folder: Path) -> dict[str, NDArray[Any]]:
    if not (folder / _FILE).is_file():  # of data without a task of classification
        return {}
    try:
        return read_npz(folder / _FILE)
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a damaged archive
        raise DGRError(f"{folder / _FILE} is damaged ({reason(error)}); train that run again.") from error


def _text(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, OverflowError) as error:
        raise DGRError(
            f"answers.csv or sources.csv holds what is no base64 or does not fit ({reason(error)}); collect them again."
        ) from None
