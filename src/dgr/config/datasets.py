"""What any data set of ``paper_configs/datasets.yaml`` says of itself; its kinds are files in ``datasets/kinds``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field

from dgr.config.parsing import Strict
from dgr.config.runs import SplitName
from dgr.config.sources import SourceConfig
from dgr.core.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Share = Annotated[float, Field(gt=0, lt=1)]
RandomSeed = Annotated[int, Field(ge=0)]


class Composition(NamedTuple):
    """Images that are pixelwise maxima of parts, see :func:`dgr.datasets.seeded.overlay`.

    Attributes:
        parts: all parts, ``(parts, height, width)``, uint8.
        canvas: height and width of an image.
        offsets: upper left corner of each place that a part may have.
    """

    parts: NDArray[np.uint8]
    canvas: tuple[int, int]
    offsets: tuple[tuple[int, int], ...]


class Composed(NamedTuple):
    """A data set as arrays.

    Attributes:
        splits: for each split ``images`` ``(samples, channels, height, width)``, or without channels, and the targets
            of each task by its name.
        report: what is worth knowing of how they came about, for the manifest.
        composition: how images are composed of parts when they are read; then the splits have ``parts``, the rows of
            each image's parts, ``(samples, places)``, in place of ``images``.
    """

    splits: Mapping[SplitName, Mapping[str, NDArray[np.generic]]]
    report: dict[str, Any] = {}
    composition: Composition | None = None


class DatasetConfig(Strict, ABC):
    """A data set that is made here; one from files elsewhere is a :class:`FetchedDataset` or a :class:`LocalDataset`.

    Attributes:
        kind: the name of the file in ``datasets/kinds`` that describes it.
    """

    kind: str

    @property
    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """Its tasks, in the order of the heads."""

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of its images."""

    @abstractmethod
    def training_samples(self, source: SourceConfig | None) -> int | None:
        """Size of the training split before anything is fetched or made; None where it cannot be known.

        Args:
            source: where it comes from, if it is fetched.
        """

    @abstractmethod
    def compose(self, place: Path) -> Composed:
        """Make its arrays.

        Args:
            place: the folder of its source, or its local path; what is made here has none.

        Raises:
            DGRError: the settings or what lies at the place cannot be used.
        """


class MadeDataset(DatasetConfig):
    """A data set that is made here from random numbers."""

    seed: RandomSeed
    seeds: list[RandomSeed] | None = None
    """Of runs, for each of which the data set is drawn anew: source digits or scenes are split anew, and composed anew.
    Without it, one drawing by ``seed`` serves all runs."""

    def compose_for(self, seed: int) -> Composed:
        """The data set of one seed.

        Args:
            seed: of a random stream, already a hash of the run's.
        """
        return self.model_copy(update={"seed": seed, "seeds": None}).compose(Path())


class FetchedDataset(DatasetConfig):
    """A data set from a source that is fetched and checked first."""

    source: str
    """Name of the source in ``paper_configs/sources.yaml``."""


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or "\\" in path:
        raise ValueError(f"a path must stay below its folder, without '..' and a leading '/', but it is '{path}'")
    return path


InnerPath = Annotated[str, AfterValidator(_inside)]
"""Of a place below a folder."""


class LocalDataset(DatasetConfig):
    """A data set from files of the user's own, below the repository's top folder."""

    path: InnerPath
    """From the repository's top folder; the stage that prepares the data set depends on what lies there."""
