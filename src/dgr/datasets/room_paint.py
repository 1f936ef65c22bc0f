"""Random paint and light of rooms, and what the camera sees of them.

Every surface takes its colours and its pattern from the same distribution, whatever it belongs to, so that a colour or
a pattern says nothing about the class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dgr.datasets.ray_casting import FACES, Bodies, Floats, Hits, Rays, lit, pick
from dgr.datasets.room_draws import Draws
from dgr.datasets.room_scene import LAMPS, Scenes

PLAIN, CHECKER, STRIPES, CLOUDS = range(4)


LAMP = 0.5
"""Square metres added to the squared distance from a lamp: nothing close to it glares."""


class Paint(NamedTuple):
    """Colours and patterns of surfaces, numbered as in :class:`dgr.datasets.ray_casting.Bodies`, and the light.

    Attributes:
        colours: ``(scenes, surfaces, 2, 3)``, the shares of red, green and blue light that the pattern's lows and
            highs reflect.
        pattern: ``(scenes, surfaces)``, one of plain, checker, stripes, clouds.
        directions: ``(scenes, surfaces, 2, 3)``, along which the pattern repeats, times repeats a metre; in camera
            coordinates. Of faces they lie in the face.
        phases: ``(scenes, surfaces, 2)``, repeats.
        lamps: ``(scenes, lamps, 3)``, places in camera coordinates.
        powers: ``(scenes, lamps, 3)``, red, green and blue of each lamp, square metres; 0 for one that a scene lacks.
        ambient: ``(scenes,)``, light that is everywhere.
        exposure: ``(scenes,)``.
    """

    colours: Floats
    pattern: Floats
    directions: Floats
    phases: Floats
    lamps: Floats
    powers: Floats
    ambient: Floats
    exposure: Floats


def draw_paint(draws: Draws, scenes: Scenes, bodies: Bodies) -> Paint:
    """Random paint. The faces of a box have the same colours and pattern, those of the room their own each.

    A scene's colours lie more or less close together, and so do the two colours of a pattern.
    """
    boxes, spheres = bodies.halves.shape[1], bodies.radii.shape[1]
    coats = np.repeat(np.arange(FACES + boxes - 1 + spheres), [1] * FACES + [FACES] * (boxes - 1) + [1] * spheres)
    many = int(coats[-1]) + 1

    mean, spread = draws.uniform(0.2, 0.8, 1, 3), draws.uniform(0.4, 1, 1, 1)
    lows = mean + spread * (draws.uniform(0.05, 0.95, many, 3) - mean)
    highs = lows + draws.uniform(0.3, 0.9, many, 1) * (draws.uniform(0.05, 0.95, many, 3) - lows)
    angle, repeats = draws.uniform(0, np.pi, many), draws.uniform(0.6, 2.5, many)
    cos, sin = ((repeats * wave(angle))[:, coats, None] for wave in (np.cos, np.sin))
    first, second = _tangents(bodies)
    brightness = draws.present(*LAMPS)[..., None] * draws.uniform(0.3, 1, LAMPS[1], 1)
    size = (scenes.room**2).sum(axis=1)[:, None, None]
    return Paint(
        colours=np.stack([lows, highs], axis=2)[:, coats],
        pattern=np.floor(draws.uniform(0, 4, many))[:, coats],
        directions=np.stack([cos * first + sin * second, cos * second - sin * first], axis=2),
        phases=draws.uniform(0, 1, len(coats), 2),
        lamps=scenes.to_camera(scenes.lamps),
        powers=size * brightness * draws.uniform(0.75, 1, LAMPS[1], 3),
        ambient=draws.uniform(0.1, 0.35),
        exposure=2 ** draws.uniform(-1.5, 0),
    )


def _tangents(bodies: Bodies) -> tuple[Floats, Floats]:
    """Two directions of each surface, ``(scenes, surfaces, 3)``: the axes that lie in a face; of spheres the room's."""
    first, second = (np.repeat(bodies.axes[:, :, order], 2, axis=2) for order in ([1, 0, 0], [2, 2, 1]))
    scenes, spheres = bodies.radii.shape
    room = np.broadcast_to(bodies.axes[:, 0, :2, None], (scenes, 2, spheres, 3))
    return (
        np.concatenate([first.reshape(scenes, -1, 3), room[:, 0]], axis=1),
        np.concatenate([second.reshape(scenes, -1, 3), room[:, 1]], axis=1),
    )


def picture(rays: Rays, hits: Hits, normals: Sequence[Floats], bodies: Bodies, paint: Paint) -> Floats:
    """Red, green and blue ``(scenes, 3, size, size)`` in [0, 1), without noise.

    A lamp gives ``power · cos(angle of incidence) / (0.5 m² + distance²)`` unless a body stands between. Of the light
    x that a surface reflects the camera makes ``√(x / √(1 + x²))``.
    """
    point = (hits.depth * rays.x, hits.depth * rays.y, hits.depth)
    light = [np.broadcast_to(paint.ambient[:, None, None], hits.depth.shape)] * 3
    for lamp in range(paint.lamps.shape[1]):
        x, y, z = (paint.lamps[:, lamp, k, None, None] - point[k] for k in range(3))
        squared = x**2 + y**2 + z**2
        cosine = np.maximum(x * normals[0] + y * normals[1] + z * normals[2], 0) / np.sqrt(squared)
        share = cosine / (LAMP + squared) * lit(rays, hits.depth, bodies, paint.lamps[:, lamp])
        light = [light[k] + paint.powers[:, lamp, k, None, None] * share for k in range(3)]
    height = pattern_height(point, hits.surface, paint)
    picture = np.empty((len(height), 3, *height.shape[1:]), height.dtype)
    for k in range(3):
        low, high = (pick(paint.colours[:, :, end, k], hits.surface) for end in range(2))
        reflected = paint.exposure[:, None, None] * light[k] * (low + height * (high - low))
        picture[:, k] = np.sqrt(reflected / np.sqrt(1 + reflected**2))
    return picture


def pattern_height(point: Sequence[Floats], surface: NDArray[np.intp], paint: Paint) -> Floats:
    """Where each hit point lies between the two colours of its surface, in [0, 1]."""
    u, v = (
        sum(
            (pick(paint.directions[:, :, way, k], surface) * point[k] for k in range(3)),
            start=pick(paint.phases[:, :, way], surface),
        )
        for way in range(2)
    )
    pattern = pick(paint.pattern, surface)
    across, along = u - np.rint(u), v - np.rint(v)
    clouds = 0.5 + 0.25 * (_wave(u + 0.25 * _wave(0.7 * v)) + _wave(v + 0.25 * _wave(1.3 * u)))
    height = np.where(pattern == CLOUDS, clouds, 0)
    height[(pattern == CHECKER) & ((across > 0) == (along > 0))] = 1
    height[(pattern == STRIPES) & (across > 0)] = 1
    return height


def _wave(x: Floats) -> Floats:
    """Nearly sin(2πx), of parabolas: faster, and exact operations only."""
    rest = x - np.rint(x)
    wave: Floats = rest * (8 - 16 * np.abs(rest))
    return wave
