"""The list of all keys in paper_configs/README.md."""

from __future__ import annotations

import re
from pathlib import Path

from dgr.claims.schema import Claims
from dgr.config.architectures import Architecture
from dgr.config.regularizers import Regularizer
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.files import write_text
from dgr.datasets.publishers import Publisher
from dgr.datasets.registry import KINDS
from dgr.models.registry import ENCODERS
from dgr.pages.key_reference import SchemaClass, key_reference
from dgr.plan.study_files import RealStudyFile, StudyFile
from dgr.plan.suite_files import CostFile, SpecificationFile, SweepFile, TableFile
from dgr.regularizers.registry import REGULARIZERS

KEY_LIST = re.compile(r"(<!-- begin keys -->\n).*?(<!-- end -->)", re.DOTALL)


def outermost_blocks() -> dict[str, list[SchemaClass]]:
    """The blocks that the files of ``paper_configs`` are, or hold under names of the user's choice."""
    return {
        "Suites: `SUITE/*.yaml`": [TableFile, SweepFile, SpecificationFile, CostFile, StudyFile, RealStudyFile],
        "Encoders": [ENCODERS[name].Config for name in ENCODERS],
        "Regularizers": [REGULARIZERS[name].Config for name in REGULARIZERS],
        "Data sets: `datasets.yaml`, each under its name": [KINDS[kind].Config for kind in KINDS],
        "Sources: `sources.yaml`, each under its name": [SourceConfig],
        "Publishers: `publishers.yaml`, each under its source's name": [Publisher],
        "Claims: `claims.yaml`": [Claims],
    }


def update_keys(page: Path) -> None:
    """Write the list of keys between the markers of a page.

    Args:
        page: Markdown with the lines ``<!-- begin keys -->`` and ``<!-- end -->``.

    Raises:
        DGRError: the page lacks the markers, or a key has no description.
    """
    old = page.read_text(encoding="utf-8")
    if not KEY_LIST.search(old):
        raise DGRError(f"{page} has no lines `<!-- begin keys -->` and `<!-- end -->` to write between; add them.")
    text = key_reference(outermost_blocks(), {Architecture: "Encoders", Regularizer: "Regularizers"})
    write_text(page, KEY_LIST.sub(lambda match: f"{match[1]}\n{text}\n{match[2]}", old))
