"""The typed schema of ``paper_configs/claims.yaml``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dgr.claims.comparisons import AnyComparison, Names, StudyComparison, Text
from dgr.config.parsing import Strict, parse, read_yaml
from dgr.core import paths
from dgr.core.errors import DGRError, nearest

CLAIMS_FILE = paths.CONFIGS / "claims.yaml"


class Claim(Strict):
    """A claim of a paper, and the comparisons that decide it: one family of tests."""

    id: Text
    """Unique, such as ``C2``."""
    title: Text
    """A few words for the tables."""
    about: Literal["paper", "control", "own"]
    """What a paper claims; the same against a control, which no paper claimed; or a question of our own."""
    text: Text
    """What the paper says."""
    paper: Text
    """Where it says so."""
    alpha: Annotated[float, Field(gt=0, lt=1)]
    """Level of the family of tests."""
    suites: Names | None = None
    """Suites that decide it; without it, every suite with runs or costs that can."""
    comparisons: Annotated[list[Annotated[AnyComparison, Field(discriminator="kind")]], Field(min_length=1)]
    """What decides it."""

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        suites = {c.study.partition("-")[0] if isinstance(c, StudyComparison) else None for c in self.comparisons}
        if len(suites) > 1:
            raise ValueError("either runs decide all comparisons of a claim, or studies of one suite")
        return self


class Claims(Strict):
    """The whole file."""

    claims: Annotated[list[Claim], Field(min_length=1)]
    """In the order of the tables."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [claim.id for claim in self.claims]
        names += [comparison.id for claim in self.claims for comparison in claim.comparisons]
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(f"the ids {', '.join(twice)} are given twice")
        return self

    @model_validator(mode="after")
    def _gates_stand_here(self) -> Self:
        comparisons = {comparison.id: comparison for claim in self.claims for comparison in claim.comparisons}
        for comparison in comparisons.values():
            gate = comparison.gate
            if gate is not None and gate not in comparisons:
                raise ValueError(f"the gate '{gate}' of {comparison.id} is no comparison{nearest(gate, comparisons)}")
            if gate is not None and comparisons[gate].gate is not None:
                raise ValueError(f"the gate '{gate}' of {comparison.id} has a gate itself; a positive control has none")
        return self


def load_claims(path: Path) -> Claims:
    """Read and check the claims.

    Raises:
        DGRError: the file is missing or does not fit the schema.
    """
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise DGRError(f"{path} must hold one key, 'claims', with a list of claims.")
    return parse(Claims, data, str(path))
