"""The schema of ``paper_configs/datasets.yaml``: how each data set is made."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, RootModel, model_validator

from dgr.core.config import SPLITS, SplitName, Strict


class MultiMNISTConfig(Strict):
    """Two-digit MNIST: how many source digits and composed pairs each split has."""

    kind: Literal["multimnist"]
    digits: dict[SplitName, PositiveInt]
    pairs: dict[SplitName, PositiveInt]
    seed: Annotated[int, Field(ge=0)]


class UTKFaceConfig(Strict):
    """UTKFace from an archive or a folder of its chips."""

    kind: Literal["utkface"]
    source: str
    """Name of the archive or folder among the sources."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Of the archive; a folder is taken as it is."""
    image_size: PositiveInt
    shares: dict[SplitName, Annotated[float, Field(gt=0, lt=1)]]
    """Of all faces, by split; together 1."""
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if set(self.shares) != set(SPLITS) or abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares must be those of train, val and test and add up to 1, but are {self.shares}")
        return self


class DatasetConfig(RootModel[Annotated[MultiMNISTConfig | UTKFaceConfig, Field(discriminator="kind")]]):
    """Any data set."""
