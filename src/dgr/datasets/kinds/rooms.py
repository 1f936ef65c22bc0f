"""Rooms: ray-cast indoor scenes with exact segmentation, depth and surface normals, made from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt
from typing_extensions import override

from dgr.config.datasets import Composed, MadeDataset
from dgr.config.runs import SPLITS, SplitName
from dgr.config.sources import SourceConfig
from dgr.core.task import Task
from dgr.datasets.ray_casting import FACES, Bodies, cast, normals, pixel_rays
from dgr.datasets.room_draws import Draws
from dgr.datasets.room_paint import Paint, draw_paint, picture
from dgr.datasets.room_scene import draw_scenes

FLOOR, CEILING, WALL, BOX, SPHERE = range(5)
SCENES_AT_ONCE = 8
"""Scenes computed together: few, so that the numbers stay in the processor's cache."""

RoomArrays = dict[str, NDArray[np.uint8] | NDArray[np.int8] | NDArray[np.float32]]


class Config(MadeDataset):
    """Ray-cast rooms: how many scenes each split has, and what makes them hard."""

    kind: Literal["rooms"]
    image_size: Annotated[int, Field(ge=8)]
    """Height and width, in pixels."""
    scenes: dict[SplitName, PositiveInt]
    """Of each split."""
    noise: Annotated[float, Field(ge=0)]
    """Standard deviation of the pixel noise, of intensities in [0, 1]."""

    @property
    @override
    def tasks(self) -> tuple[Task, ...]:
        return Task("segmentation", "segmentation", 5), Task("depth", "depth"), Task("normals", "normals")

    @property
    @override
    def image_shape(self) -> tuple[int, int, int]:
        return 3, self.image_size, self.image_size

    @override
    def training_samples(self, source: SourceConfig | None) -> int:
        return self.scenes["train"]

    @override
    def compose(self, place: Path = Path()) -> Composed:
        """Images and targets of each split.

        A scene depends on the seed, its split and its number, not on how many scenes there are.

        Returns:
            For each split ``images`` ``(scenes, 3, size, size)``, uint8; ``segmentation`` ``(scenes, size, size)``,
            int8: 0 floor, 1 ceiling, 2 wall, 3 box, 4 sphere, with no pixel left void; ``depth``
            ``(scenes, 1, size, size)``, float32: metres along the viewing axis, above 0; ``normals``
            ``(scenes, 3, size, size)``, float32: unit normal of the side that the camera sees, x to the right of the
            image, y down, z along the viewing axis. Mirrored images belong to mirrored targets with the normals' x
            negated.
        """
        return Composed({split: _compose_split(split, scenes, self) for split, scenes in self.scenes.items()})


def _compose_split(split: SplitName, scenes: int, config: Config) -> RoomArrays:
    pixels = (config.image_size, config.image_size)
    arrays: RoomArrays = {
        "images": np.empty((scenes, 3, *pixels), np.uint8),
        "segmentation": np.empty((scenes, *pixels), np.int8),
        "depth": np.empty((scenes, 1, *pixels), np.float32),
        "normals": np.empty((scenes, 3, *pixels), np.float32),
    }
    for start in range(0, scenes, SCENES_AT_ONCE):
        rows = range(start, min(start + SCENES_AT_ONCE, scenes))
        seeds = [np.random.SeedSequence(config.seed, spawn_key=(SPLITS.index(split), row)) for row in rows]
        rendered = render(Draws([np.random.default_rng(seed) for seed in seeds]), config.image_size, config.noise)
        for name, array in rendered.items():
            arrays[name][rows.start : rows.stop] = array
    return arrays


def render(draws: Draws, size: int, noise: float) -> RoomArrays:
    """Images and targets, as of :meth:`Config.compose`, of the scenes that the given numbers make."""
    scenes = draw_scenes(draws)
    exact = scenes.bodies()
    paint = Paint(*(part.astype(np.float32) for part in draw_paint(draws, scenes, exact)))
    bodies = Bodies(*(part.astype(np.float32) for part in exact))
    rays = pixel_rays(size, scenes.tangent.astype(np.float32))
    hits = cast(rays, bodies)
    facing = normals(rays, hits, bodies)
    intensities = picture(rays, hits, facing, bodies, paint) + np.float32(noise) * draws.normal(3, size, size)
    return {
        "images": np.rint(255 * np.clip(intensities, 0, 1)).astype(np.uint8),
        "segmentation": classes(bodies)[hits.surface],
        "depth": hits.depth[:, None],
        "normals": np.stack(facing, axis=1),
    }


def classes(bodies: Bodies) -> NDArray[np.int8]:
    """The class of each surface, by its number."""
    room = [WALL, WALL, CEILING, FLOOR, WALL, WALL]
    boxes, spheres = bodies.axes.shape[1] - 1, bodies.radii.shape[1]
    return np.array(room + [BOX] * (FACES * boxes) + [SPHERE] * spheres, np.int8)
