"""``CITATION.cff`` as far as descriptions repeat it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from dgr.config.parsing import parse, read_yaml


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class CitedAuthor(_Part):
    """A person or a group."""

    name: str = ""
    family_names: str = Field("", alias="family-names")

    @property
    def shown(self) -> str:
        """The name that there is."""
        return self.name or self.family_names


class CitedWork(_Part):
    """A paper."""

    title: str
    authors: list[CitedAuthor]
    notes: str = ""
    doi: str = ""
    year: int

    @property
    def address(self) -> str:
        """Its DOI as an address; empty where it has none."""
        return f"https://doi.org/{self.doi}" if self.doi else ""


class Citation(_Part):
    """The software, and the papers it is about, the replicated one first."""

    title: str
    version: str
    license: str
    authors: list[CitedAuthor] = Field(min_length=1)
    references: list[CitedWork] = Field(min_length=1)


def read_citation() -> Citation:
    """``CITATION.cff`` of the working directory.

    Raises:
        DGRError: it is missing or lacks something.
    """
    return parse(Citation, read_yaml(Path("CITATION.cff")), "CITATION.cff")
