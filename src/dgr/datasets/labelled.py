"""What data sets of the user's own have in common: the shape of an input, labels in columns, and how rows are split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt, model_validator
from typing_extensions import override

from dgr.config.datasets import Composed, LocalDataset, RandomSeed, Share
from dgr.config.parsing import Strict
from dgr.config.runs import SPLITS, SplitName
from dgr.core.errors import DGRError
from dgr.core.seeds import seed_for
from dgr.core.task import Task
from dgr.datasets.dense_folder import copies
from dgr.datasets.label_columns import ClassColumn, NumberColumn
from dgr.datasets.label_table import LabelTable

Rows = Mapping[SplitName, list[int]]
TAKEN = ("images", "representation")
"""What files and records already call something."""


class SplitRule(Strict):
    """Either a column, or shares and a seed."""

    column: str | None = None
    """Holds ``train``, ``val`` or ``test`` in each row."""
    shares: dict[SplitName, Share] | None = None
    """Of all rows, by split; together 1."""
    seed: RandomSeed | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.column is None) != (self.shares is not None) or (self.shares is None) != (self.seed is None):
            raise ValueError("a split is either `column: NAME`, or `shares` of train, val and test with a `seed`")
        if self.shares and (set(self.shares) != set(SPLITS) or abs(sum(self.shares.values()) - 1) > 1e-9):
            raise ValueError(f"shares must be those of {', '.join(SPLITS)} and add up to 1, but are {self.shares}")
        return self


class LabelledData(LocalDataset):
    """Inputs of one shape with labels in columns; a cell without a label is left out of its task."""

    shape: Annotated[list[PositiveInt], Field(min_length=1, max_length=3)]
    """Of each input: channels, height, width; or height, width; or the length of a vector, which is stored as that many
    channels of one pixel."""
    labels: Annotated[
        list[Annotated[ClassColumn | NumberColumn, Field(discriminator="kind")]],
        Field(min_length=1),
    ]
    """One task each."""
    split: SplitRule
    """How rows are shared out: by a column of the table, or at random."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [label.name for label in self.labels]
        for name in names:
            if names.count(name) > 1 or name in TAKEN:
                raise ValueError(f"the task name '{name}' is taken; call it something else, and name its `column`")
        return self

    @property
    @override
    def tasks(self) -> tuple[Task, ...]:
        return tuple(label.task for label in self.labels)

    @property
    @override
    def image_shape(self) -> tuple[int, int, int]:
        channels, height, width = [1] * (len(self.shape) == 2) + self.shape + [1, 1] * (len(self.shape) == 1)
        return channels, height, width

    @property
    def label_columns(self) -> list[str]:
        """Every column that is read, that of the split too."""
        return [label.place for label in self.labels] + ([self.split.column] if self.split.column else [])

    def split_rows(self, table: LabelTable, names: Sequence[str] | None = None) -> Rows:
        """The rows of each split.

        Args:
            table: has the column of the split, if there is one.
            names: one a row; with them, neither the split nor its order depends on the order of the rows.

        Raises:
            DGRError: a row says another split, or a split is empty.
        """
        count = len(table.numbers)
        order = sorted(range(count), key=names.__getitem__) if names else list(range(count))
        rows: dict[SplitName, list[int]] = {split: [] for split in SPLITS}
        if self.split.column:
            for row in order:
                cell = table.columns[self.split.column][row]
                if cell not in SPLITS:
                    place = table.where(row, self.split.column)
                    raise DGRError(f"{place} holds '{cell}', but a split is one of {', '.join(SPLITS)}.")
                rows[cell].append(row)
        else:
            assert self.split.shares is not None
            assert self.split.seed is not None
            generator = np.random.default_rng(seed_for(self.kind, self.split.seed, "split"))
            drawn = generator.permutation(count)
            bounds = np.rint(np.cumsum([0.0, *(self.split.shares[split] for split in SPLITS)]) * count).astype(int)
            for split, start, stop in zip(SPLITS, bounds[:-1], bounds[1:], strict=True):
                rows[split] = [order[index] for index in sorted(drawn[start:stop])]
        for split, chosen in rows.items():
            if not chosen:
                raise DGRError(f"{table.path} leaves split '{split}' without a row; give it some of the {count}.")
        return rows

    def composed(self, table: LabelTable, rows: Rows, read: Callable[[list[int]], NDArray[np.generic]]) -> Composed:
        """The data set: labels are read first, since a wrong one is quickly found.

        Args:
            table: has every column of :attr:`label_columns`.
            rows: by split.
            read: inputs ``(rows, *image_shape)`` of these rows, bytes or float32.

        Raises:
            DGRError: a label or an input cannot be used.
        """
        _check_names([label.name for label in self.labels])
        splits: dict[SplitName, dict[str, NDArray[np.generic]]] = {split: {} for split in rows}
        missing: dict[str, dict[str, int]] = {label.name: {} for label in self.labels}
        for split, chosen in rows.items():
            for label in self.labels:
                cells = table.columns[label.place]
                values = [label.read(cells[row], table.where(row, label.place)) for row in chosen]
                splits[split][label.name] = label.targets(values)
                missing[label.name][split] = sum(not cells[row] for row in chosen)
        images = {split: read(chosen) for split, chosen in rows.items()}
        if len({values.dtype for values in images.values()}) > 1:
            kinds = ", ".join(f"{split} {values.dtype}" for split, values in images.items())
            raise DGRError(f"{self.path}: inputs hold numbers of different kinds ({kinds}); make them one.")
        samples = {split: len(chosen) for split, chosen in rows.items()}
        report = {"samples": samples, "missing": missing, "copies": copies(list(images.values()))}
        return Composed({split: {"images": images[split], **splits[split]} for split in rows}, report)


def as_stored(values: NDArray[np.generic]) -> NDArray[np.generic] | None:
    """Numbers as prepared data hold them: bytes as they are, others as float32; None if they are no finite numbers."""
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "biuf":
        return None
    with np.errstate(over="ignore"):
        numbers = values.astype(np.float32)
    return numbers if np.isfinite(numbers).all() else None


def _check_names(names: Sequence[str]) -> None:
    """Heads are kept under their tasks' names, and torch keeps some names for itself."""
    from torch.nn import ModuleDict  # takes seconds, and estimates do not get here

    for name in names:
        if hasattr(ModuleDict(), name):
            raise DGRError(f"A task cannot be named '{name}', as torch does; call it another, and name its `column`.")
