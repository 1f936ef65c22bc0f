"""The schema of ``paper_configs/datasets.yaml``: how each data set is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, RootModel, model_validator

from dgr.config.parsing import Strict, parse, read_yaml
from dgr.config.runs import SPLITS, SplitName
from dgr.core.errors import DGRError

Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0)]


class MultiMNISTConfig(Strict):
    """Two-digit MNIST: how many source digits and composed pairs each split has."""

    kind: Literal["multimnist"]
    digits: dict[SplitName, PositiveInt]
    pairs: dict[SplitName, PositiveInt]
    seed: Seed


class RoomsConfig(Strict):
    """Ray-cast rooms: how many scenes each split has, and what makes them hard."""

    kind: Literal["rooms"]
    image_size: Annotated[int, Field(ge=8)]
    scenes: dict[SplitName, PositiveInt]
    noise: Annotated[float, Field(ge=0)]
    """Standard deviation of the pixel noise, of intensities in [0, 1]."""
    seed: Seed


class UTKFaceConfig(Strict):
    """UTKFace from a folder of its chips."""

    kind: Literal["utkface"]
    source: str
    """Name of the source in ``paper_configs/sources.yaml``."""
    image_size: PositiveInt
    shares: dict[SplitName, Share]
    """Of all faces, by split; together 1."""
    protocol: Literal["clean", "authors"] = "clean"
    """``authors``: every file counts, also copies, and validation is done on test."""
    seed: Seed

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        wanted = SPLITS if self.protocol == "clean" else ("train", "test")
        if set(self.shares) != set(wanted) or abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares must be those of {' and '.join(wanted)} and add up to 1, but are {self.shares}")
        return self


class DenseFolderConfig(Strict):
    """NYUv2 or CityScapes in the pre-processed layout of folders ``train`` and ``val``.

    Its ``val`` is the test split here; the validation split is a share of its ``train``.
    """

    kind: Literal["nyuv2", "cityscapes"]
    source: str
    """Name of the source in ``paper_configs/sources.yaml``."""
    height: PositiveInt
    width: PositiveInt
    validation_share: Share
    seed: Seed


class DatasetConfig(
    RootModel[
        Annotated[MultiMNISTConfig | RoomsConfig | UTKFaceConfig | DenseFolderConfig, Field(discriminator="kind")]
    ]
):
    """Any data set."""


def read_datasets(configs: Path) -> dict[str, Strict]:
    """All data sets of ``datasets.yaml`` by name.

    Raises:
        DGRError: the file is missing, or one of its entries is wrong.
    """
    path = configs / "datasets.yaml"
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise DGRError(f"{path} must name data sets, each with its kind.")
    return {name: parse(DatasetConfig, entry, f"{path}: {name}").root for name, entry in data.items()}
