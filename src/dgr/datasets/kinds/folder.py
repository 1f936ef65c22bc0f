"""A folder of the user's own images or arrays with a CSV file of labels; docs/data.md has an example."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from dgr.config.datasets import Composed, InnerPath
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.datasets.input_files import opened_image, read_array, refusal
from dgr.datasets.label_table import LabelTable, read_csv
from dgr.datasets.labelled import LabelledData, as_stored

MODES = {1: "L", 3: "RGB"}
"""How Pillow calls images of so many channels."""
DEPICTABLE = ("1", "L", "P", "RGB")
"""Modes with at most 8 bits a channel and nothing transparent, which convert without surprises."""


class Config(LabelledData):
    """A folder: a file for each sample, and a table with a line for each."""

    kind: Literal["folder"]
    table: InnerPath = "labels.csv"
    """The CSV file, from the folder."""
    file_column: str = "file"
    """The column with the name of each sample's file, from the folder."""

    @override
    def training_samples(self, source: SourceConfig | None) -> int | None:
        path = Path(self.path) / self.table
        if not path.exists():
            return None
        table = read_csv(path, [self.file_column, *self.label_columns])
        return len(self.split_rows(table)["train"])

    @override
    def compose(self, place: Path) -> Composed:
        """Images and labels of each split, ordered by the names of their files.

        Args:
            place: the folder. Images may be of the formats of :mod:`dgr.datasets.input_files`, of one size, with at
                most 8 bits a channel; grey is repeated for three channels, colours are made grey for one. Files
                ``.npy`` hold an array of the configured shape each, as :func:`dgr.datasets.labelled.as_stored` takes
                it.

        Returns:
            For each split ``images`` ``(samples, *image_shape)``, uint8 or float32; for each task ``(samples,)``,
            int64, −1 where the cell is empty, or ``(samples, 1)``, float32, NaN where it is empty.

        Raises:
            DGRError: the table or a file cannot be used, lies outside the folder or is named twice, sizes differ, a
                label is none, or a split is empty.
        """
        _member(place, self.table, f"{place}: `table`")
        table = read_csv(place / self.table, [self.file_column, *self.label_columns])
        names = self._names(place, table)
        rows = self.split_rows(table, names)
        return self.composed(table, rows, lambda chosen: self._read([place / names[row] for row in chosen]))

    def _names(self, place: Path, table: LabelTable) -> list[str]:
        """The file of each row, from the folder, with links followed: two names of one file are the same here."""
        rows: dict[str, int] = {}
        for row, name in enumerate(table.columns[self.file_column]):
            where = table.where(row, self.file_column)
            path = _member(place, name, where)
            first = rows.setdefault(path.relative_to(place.resolve()).as_posix(), row)
            if first != row:
                raise DGRError(f"{where} names '{name}', as line {table.numbers[first]} does; keep one of them.")
        return list(rows)

    def _read(self, paths: Sequence[Path]) -> NDArray[np.generic]:
        """The inputs of one split."""
        images = None
        for index, path in enumerate(paths):
            values = self._array(path) if path.suffix == ".npy" else self._picture(path)
            if images is None:
                images = np.empty((len(paths), *self.image_shape), values.dtype)
            elif images.dtype != values.dtype:
                raise refusal(path, f"holds {values.dtype}, but {paths[0]} holds {images.dtype}")
            images[index] = values.reshape(self.image_shape)
        assert images is not None, "no split is empty"
        return images

    def _array(self, path: Path) -> NDArray[np.generic]:
        values = read_array(path)
        if values.shape != tuple(self.shape):
            raise refusal(path, f"has the shape {list(values.shape)}, but the configuration says {self.shape}")
        stored = as_stored(values)
        if stored is None:
            raise refusal(path, "does not hold finite numbers alone")
        return stored

    def _picture(self, path: Path) -> NDArray[np.generic]:
        channels, height, width = self.image_shape
        if len(self.shape) == 1 or channels not in MODES:
            raise refusal(path, f"is no .npy file, but no image has the configured shape {self.shape}")
        with opened_image(path, path) as image:
            if image.size != (width, height):  # known before a pixel is decoded
                size = f"{image.height}×{image.width} pixels"
                raise refusal(path, f"is of {size}, but the configuration says {height}×{width}")
            if image.mode not in DEPICTABLE:
                raise refusal(path, f"has the mode {image.mode}, but must be grey or RGB, of 8 bits, not transparent")
            pixels = np.asarray(image.convert(MODES[channels]))
        return pixels.transpose(2, 0, 1) if channels == 3 else pixels[None]


def _member(place: Path, name: str, where: str) -> Path:
    """A plain file of the folder, links followed.

    Raises:
        DGRError: it is not there, or not in the folder.
    """
    try:
        path = (place / name).resolve()
        inside, there = path.is_relative_to(place.resolve()), path.is_file()
    except (OSError, RuntimeError, ValueError):  # links in a circle, names that no file can have
        inside, there = True, False
    if not inside:
        raise DGRError(f"{where} names '{name}', which lies outside {place}; put a copy into the folder.")
    if not there:
        raise DGRError(f"{where} names '{name}', but {place} holds no such file; correct the name.")
    return path
