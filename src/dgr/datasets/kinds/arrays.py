"""The user's own arrays in one .npz file; docs/data.md tells how they are named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from dgr.config.datasets import Composed
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.task import VOID
from dgr.datasets.input_files import read_arrays
from dgr.datasets.label_columns import ClassColumn
from dgr.datasets.label_table import LabelTable
from dgr.datasets.labelled import LabelledData, as_stored

INPUTS = "inputs"


class Config(LabelledData):
    """A file: the array ``inputs``, and one for each column of labels, all with a row for each sample."""

    kind: Literal["arrays"]

    @override
    def training_samples(self, source: SourceConfig | None) -> int | None:
        path = Path(self.path)
        if not path.exists():
            return None
        return len(self.split_rows(self._table(path, read_arrays(path, self.label_columns)))["train"])

    @override
    def compose(self, place: Path) -> Composed:
        """Inputs and labels of each split, in the order of the rows.

        Args:
            place: the file. ``inputs`` is ``(samples, *shape)``, as :func:`dgr.datasets.labelled.as_stored` takes it.
                Labels are ``(samples,)`` or ``(samples, 1)``: whole numbers, −1 where there is none, or names, empty
                where there is none; numbers of regression, NaN where there is none; names of splits.

        Returns:
            As of the kind ``folder``.

        Raises:
            DGRError: an array is missing or of another shape, holds Python objects or a label that is none, or a split
                is empty.
        """
        arrays = read_arrays(place, [INPUTS, *self.label_columns])
        table = self._table(place, arrays)
        inputs = arrays[INPUTS]
        if inputs.shape != (wanted := (len(table.numbers), *self.shape)):
            raise DGRError(
                f"{place}: '{INPUTS}' has the shape {list(inputs.shape)}, but labels and configuration want "
                f"{list(wanted)}; make them fit."
            )
        stored = as_stored(inputs)
        if stored is None:
            raise DGRError(f"{place}: '{INPUTS}' does not hold finite numbers alone; mend it.")
        images = stored.reshape(-1, *self.image_shape)
        return self.composed(table, self.split_rows(table), images.__getitem__)

    def _table(self, path: Path, arrays: dict[str, NDArray[np.generic]]) -> LabelTable:
        classes = {label.place for label in self.labels if isinstance(label, ClassColumn)}
        columns = {name: _cells(path, name, arrays[name], name in classes) for name in self.label_columns}
        lengths = {name: len(cells) for name, cells in columns.items()}
        if len(set(lengths.values())) > 1:
            raise DGRError(f"{path}: its arrays have different lengths, {lengths}; give each a row for each sample.")
        (count,) = set(lengths.values())
        return LabelTable(path, columns, range(count), "row")


def _cells(path: Path, name: str, values: NDArray[np.generic], classes: bool) -> list[str]:
    """An array of labels as text, empty where there is none."""
    flat = values.reshape(len(values)) if values.ndim in (1, 2) and values.size == len(values) else None
    if flat is None or flat.dtype.kind not in "iufU":
        raise DGRError(
            f"{path}: '{name}' has the shape {list(values.shape)} and holds {values.dtype}, but labels are one number "
            "or one name for each sample."
        )
    if flat.dtype.kind == "U" and flat.dtype.itemsize:  # Python would make text of any number, and stop at using it
        letters = np.ascontiguousarray(flat).view(f"{flat.dtype.byteorder}u4")
        if (letters > sys.maxunicode).any():
            raise DGRError(f"{path}: '{name}' holds what is no text; write its names anew.")
    cells = [str(value).strip() for value in flat.tolist()]
    none = {"nan", str(VOID), str(float(VOID))} if classes else {"nan"}
    return ["" if cell in none else cell for cell in cells]
