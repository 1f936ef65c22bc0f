"""Random rooms with boxes, spheres, lamps and a camera.

Room coordinates: metres from the room's middle, x and z along its walls, y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dgr.datasets.ray_casting import Bodies
from dgr.datasets.room_draws import Draws, Numbers

BOXES, SPHERES, LAMPS = (2, 5), (1, 4), (1, 2)
"""Fewest and most in a scene."""
CANDIDATES = 16
ELBOW_ROOM = 0.5
"""Metres that bodies keep from the camera, where there is a place for them."""
AT_LEAST = 0.1
"""Metres that they keep in any case: a scene goes without a body that has no such place, which is very rare."""
NEARNESS = 3.0
"""How much worse it is to be too near to the camera than out of view or within another body by as many metres."""
BURIED = 100.0
"""Metres below the room's middle where bodies lie that a scene lacks: no ray gets there."""
FREE_HEIGHT = 0.7
"""Metres below the ceiling that no body enters, so that the lamps are outside."""


@dataclass(frozen=True)
class Scenes:
    """Several scenes' geometry, in room coordinates.

    Attributes:
        room: ``(scenes, 3)``, half its width, height and length.
        camera: ``(scenes, 3)``, its position.
        yaw: ``(scenes,)``, radians about the vertical from z towards x.
        pitch: ``(scenes,)``, radians downwards.
        tangent: ``(scenes,)``, of half the field of view.
        box_centres: ``(scenes, boxes, 3)``.
        box_halves: ``(scenes, boxes, 3)``, half the lengths.
        box_yaws: ``(scenes, boxes)``, turned like the camera.
        sphere_centres: ``(scenes, spheres, 3)``.
        radii: ``(scenes, spheres)``.
        lamps: ``(scenes, lamps, 3)``, positions.
    """

    room: Numbers
    camera: Numbers
    yaw: Numbers
    pitch: Numbers
    tangent: Numbers
    box_centres: Numbers
    box_halves: Numbers
    box_yaws: Numbers
    sphere_centres: Numbers
    radii: Numbers
    lamps: Numbers

    @property
    def view(self) -> Numbers:
        """``(scenes, 3, 3)``: the camera's axes right, down and forward in rows."""
        turned = about_vertical(self.yaw)
        right, ahead = turned[:, 0], turned[:, 2]
        down = np.array([0.0, 1.0, 0.0])
        cos, sin = np.cos(self.pitch)[:, None], np.sin(self.pitch)[:, None]
        return np.stack([right, cos * down - sin * ahead, cos * ahead + sin * down], axis=1)

    def to_camera(self, points: Numbers) -> Numbers:
        """Points ``(scenes, many, 3)`` in camera coordinates."""
        return turn(self.view, points - self.camera[:, None])

    def bodies(self) -> Bodies:
        """What the camera sees, in its coordinates."""
        axes = np.concatenate([np.broadcast_to(np.eye(3), (len(self.yaw), 1, 3, 3)), about_vertical(self.box_yaws)], 1)
        centres = np.concatenate([np.zeros_like(self.room)[:, None], self.box_centres], axis=1)
        return Bodies(
            axes=turn(self.view[:, None], axes),
            centres=self.to_camera(centres),
            halves=np.concatenate([self.room[:, None], self.box_halves], axis=1),
            sphere_centres=self.to_camera(self.sphere_centres),
            radii=self.radii,
        )


def about_vertical(yaws: Numbers) -> Numbers:
    """Unit axes x, y, z in rows ``(…, 3, 3)``, turned from z towards x by ``yaws`` ``(…)``, radians."""
    cos, sin, zero, one = np.cos(yaws), np.sin(yaws), np.zeros_like(yaws), np.ones_like(yaws)
    rows = ((cos, zero, -sin), (zero, one, zero), (sin, zero, cos))
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def turn(axes: Numbers, vectors: Numbers) -> Numbers:
    """Vectors ``(…, many, 3)`` as seen along axes ``(…, 3, 3)`` in rows."""
    # A sum over three numbers, unlike a matrix product, gives the same bits for every number of scenes.
    seen: Numbers = (axes[..., None, :, :] * vectors[..., None, :]).sum(axis=-1)
    return seen


def draw_scenes(draws: Draws) -> Scenes:
    """Rooms 3–7 m wide and long and 2.4–3.4 m high, with a camera 0.9–1.7 m above the floor that looks to the middle
    part of the room. Bodies stand on the floor or float, within the view and apart where there is a place for that.
    """
    room = np.concatenate([draws.uniform(1.5, 3.5, 2), draws.uniform(1.2, 1.7, 1)], axis=1)[:, [0, 2, 1]]
    camera = room * draws.uniform(-0.85, 0.85, 3)
    camera[:, 1] = room[:, 1] - draws.uniform(0.9, 1.7)
    aim = room * draws.uniform(-0.5, 0.5, 3) - camera
    yaw = np.arctan2(aim[:, 0], aim[:, 2])
    pitch = draws.uniform(-0.25, 0.4)
    tangent = np.tan(np.radians(draws.uniform(55, 90) / 2))

    halves = draws.uniform(0.15, 0.5, BOXES[1], 3)
    halves[..., 1] *= 1.5
    radii = draws.uniform(0.2, 0.55, SPHERES[1])
    present = np.concatenate([draws.present(*BOXES), draws.present(*SPHERES)], axis=1)
    reach = np.concatenate([np.hypot(halves[..., 0], halves[..., 2]), radii], axis=1)
    ahead = np.stack([np.sin(yaw), np.cos(yaw)], axis=1)
    plan, free = _places(draws, room[:, [0, 2]], camera[:, [0, 2]], ahead, tangent, reach, present)
    heights = np.concatenate([halves[..., 1], radii], axis=1)
    lift = draws.chance(0.4, reach.shape[1]) * draws.uniform(0, 1, reach.shape[1])
    y = room[:, 1, None] - heights - lift * (2 * room[:, 1, None] - FREE_HEIGHT - 2 * heights)
    centres = np.stack([plan[..., 0], np.where(present & free, y, BURIED), plan[..., 1]], axis=2)

    lamps = 0.8 * room[:, None] * draws.uniform(-1, 1, LAMPS[1], 3)
    lamps[..., 1] = draws.uniform(0.15, 0.6, LAMPS[1]) - room[:, 1, None]
    return Scenes(
        room=room,
        camera=camera,
        yaw=yaw,
        pitch=pitch,
        tangent=tangent,
        box_centres=centres[:, : BOXES[1]],
        box_halves=halves,
        box_yaws=draws.uniform(0, np.pi, BOXES[1]),
        sphere_centres=centres[:, BOXES[1] :],
        radii=radii,
        lamps=lamps,
    )


def _places(
    draws: Draws,
    room: Numbers,
    camera: Numbers,
    ahead: Numbers,
    tangent: Numbers,
    reach: Numbers,
    present: NDArray[np.bool_],
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Places on the floor ``(scenes, bodies, 2)``, and whether the camera is outside the body there.

    Of some random places for each body, in turn, the first that is in view and clear of the camera and of the bodies
    before it; if there is none, the least bad. A body is taken for a disc whose radius is its ``reach``.
    """
    shape = (*reach.shape, CANDIDATES)
    limits = room[:, None] - reach[..., None]
    candidates = draws.uniform(-1, 1, *shape[1:], 2) * limits[:, :, None]
    seen = candidates - camera[:, None, None]
    distance = np.hypot(seen[..., 0], seen[..., 1]) - reach[..., None]
    x, z = ahead.T[:, :, None, None]
    forwards, aside = seen[..., 0] * x + seen[..., 1] * z, seen[..., 0] * z - seen[..., 1] * x
    merit = np.minimum(NEARNESS * (distance - ELBOW_ROOM), tangent[:, None, None] * forwards - np.abs(aside))
    scenes = np.arange(len(room))
    chosen = np.zeros(shape[:2], int)
    places = candidates[:, :, 0]
    for body in range(shape[1]):
        apart = candidates[:, body, :, None] - places[:, None, :body]
        gaps = np.hypot(apart[..., 0], apart[..., 1]) - reach[:, None, :body] - reach[:, body, None, None]
        gap = np.where(present[:, None, :body], gaps, np.inf).min(axis=2, initial=np.inf)
        chosen[:, body] = np.argmax(np.minimum(np.minimum(merit[:, body], gap), 0), axis=1)
        places[:, body] = candidates[scenes, body, chosen[:, body]]
    outside = np.take_along_axis(distance, chosen[..., None], axis=2)[..., 0] > AT_LEAST
    return places, outside
