"""Commands that bring other people's files of data to the layout that ``dgr fetch --from`` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()


@commands.command()
def convert_cityscapes(original: Path, target: Path) -> None:
    """Bring CityScapes' own packages, unpacked in ORIGINAL, to the pre-processed layout that `fetch --from` takes."""
    from dgr.datasets.cityscapes_original import convert_official_cityscapes

    convert_official_cityscapes(original, target)


@commands.command()
def convert_nyuv2(
    original: Path,
    target: Path,
    splits: Annotated[Path, typer.Option(help="splits.mat")],
    classes40: Annotated[Path, typer.Option(help="classMapping40.mat")],
    classes13: Annotated[Path, typer.Option(help="class13Mapping.mat")],
    camera: Annotated[tuple[float, float, float, float], typer.Option(help="fx fy cx cy, in pixels")],
) -> None:
    """Bring nyu_depth_v2_labeled.mat to the pre-processed layout that `fetch --from` takes; normals are our own."""
    from dgr.datasets.nyuv2_original import Intrinsics, convert_original_nyuv2

    convert_original_nyuv2(original, target, splits, classes40, classes13, Intrinsics(*camera))
