"""The scenes that the tests of rooms look at, and independent formulas of their geometry."""

import numpy as np

from dgr.datasets.kinds.rooms import BOX, CEILING, FLOOR, SPHERE, WALL
from dgr.datasets.room_draws import Draws

SIZE, SCENES, SEED = 32, 60, 7
CLOSE = 1e-3
"""Metres, and parts of a unit vector, that float32 may be off."""


def draws(scenes=SCENES, seed=SEED):
    """The random numbers of the first training scenes."""
    sequences = [np.random.SeedSequence(seed, spawn_key=(0, scene)) for scene in range(scenes)]
    return Draws([np.random.default_rng(sequence) for sequence in sequences])


def camera_points(depth, scenes):
    """The seen points in camera coordinates, ``(scenes, rows, columns, 3)``, from the depth and the field of view."""
    middles = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    x, y = np.meshgrid(middles, middles)
    directions = np.stack([x, y, np.ones_like(x)], axis=-1) * np.ones((len(depth), 1, 1, 1))
    directions[..., :2] *= scenes.tangent[:, None, None, None]
    return directions * depth[:, 0, :, :, None].astype(float)


def to_room(vectors, scenes):
    """Vectors in room coordinates: pitched about the axis to the right, then turned about the vertical."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    (cos, sin), (turn_cos, turn_sin) = (
        (np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]) for angle in (scenes.pitch, scenes.yaw)
    )
    y, z = cos * y + sin * z, cos * z - sin * y
    return np.stack([turn_cos * x + turn_sin * z, y, turn_cos * z - turn_sin * x], axis=-1)


def surfaces(points, scenes, row):
    """Of points of one scene, for each plane of the room, box and sphere: its class, the distance to it, negative
    behind or within it, and the normal there, all in room coordinates. A fourth: whether that is near a box's edge."""
    for axis, labels in enumerate([(WALL, WALL), (CEILING, FLOOR), (WALL, WALL)]):
        for side, label in zip((-1, 1), labels, strict=True):
            normal = np.broadcast_to(-side * np.eye(3)[axis], points.shape)
            yield label, scenes.room[row, axis] - side * points[..., axis], normal, False
    for centre, half, yaw in zip(scenes.box_centres[row], scenes.box_halves[row], scenes.box_yaws[row], strict=True):
        axes = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        place = (points - centre) @ axes.T
        beyond = np.abs(place) - half
        normal = axes[beyond.argmax(axis=-1)] * np.sign(np.take_along_axis(place, beyond.argmax(-1)[..., None], -1))
        _, second, most = np.moveaxis(np.sort(beyond, axis=-1), -1, 0)
        yield BOX, most, normal, most - second < CLOSE
    for centre, radius in zip(scenes.sphere_centres[row], scenes.radii[row], strict=True):
        distance = np.linalg.norm(points - centre, axis=-1)
        yield SPHERE, distance - radius, (points - centre) / distance[..., None], False
