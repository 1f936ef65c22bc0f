"""Rays against boxes and spheres, exactly, batched over scenes and pixels.

Everything is in camera coordinates: x to the right of the image, y down, z along the viewing axis, in metres, the
camera at the origin. So a mirrored image shows the mirrored scene: same depths, normals with x negated. The ray of a
pixel goes through ``(x, y, 1)``; ``t`` times that is a point of depth t along the viewing axis. For each pixel only the
four operations and square roots are taken, and no sums over pixels: the bits do not depend on how many scenes are
computed at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Values = TypeVar("Values", bound=np.generic)

FACES = 6
TINY = 1e-20
"""Added to divisors, so that a ray along a plane meets it very far away, not nowhere."""
NO_SELF_SHADOW = 1e-3
"""Share of the way to a light on which no box counts: by rounding, a point on a box may lie within it."""


class Rays(NamedTuple):
    """One ray a pixel, through ``(x, y, 1)``: ``x`` of shape ``(scenes, 1, size)``, ``y`` ``(scenes, size, 1)``."""

    x: Floats
    y: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        """Scenes, rows and columns."""
        return len(self.x), self.y.shape[1], self.x.shape[2]

    def dot(self, vectors: Floats) -> Floats:
        """Inner products ``(scenes, size, size)`` with one vector a scene, ``(scenes, 3)``."""
        x, y, z = vectors.T[:, :, None, None]
        products: Floats = x * self.x + (y * self.y + z)
        return products


class Bodies(NamedTuple):
    """What can be hit.

    Surfaces are numbered: face ``6·box + 2·axis + side``, side 1 where the axis points, then the spheres.

    Attributes:
        axes: ``(scenes, boxes, 3, 3)``, each box's three unit axes in rows. Box 0 is the room: the camera is inside it
            and outside everything else.
        centres: ``(scenes, boxes, 3)``.
        halves: ``(scenes, boxes, 3)``, half the length along each axis.
        sphere_centres: ``(scenes, spheres, 3)``.
        radii: ``(scenes, spheres)``.
    """

    axes: Floats
    centres: Floats
    halves: Floats
    sphere_centres: Floats
    radii: Floats

    def slabs(self, box: int) -> Iterator[tuple[Floats, Floats, Floats]]:
        """For each axis of a box: the axis, the centre along it, and half the length ``(scenes, 1, 1)``."""
        offsets = (self.axes[:, box] * self.centres[:, box, None]).sum(axis=2)
        for k in range(3):
            yield self.axes[:, box, k], offsets[:, k, None, None], self.halves[:, box, k, None, None]

    def spheres(self) -> Iterator[tuple[Floats, Floats]]:
        """Each sphere's centre, ``(scenes, 3)``, and squared radius, ``(scenes, 1, 1)``."""
        for k in range(self.radii.shape[1]):
            yield self.sphere_centres[:, k], self.radii[:, k, None, None] ** 2


class Hits(NamedTuple):
    """Depth and number of the surface that each ray meets first, both ``(scenes, size, size)``."""

    depth: Floats
    surface: NDArray[np.intp]


def pixel_rays(size: int, tangent: Floats) -> Rays:
    """Rays through the middles of ``size × size`` pixels; ``tangent``, ``(scenes,)``, of half the field of view."""
    middles = ((2 * np.arange(size) + 1 - size) / size).astype(tangent.dtype)
    return Rays(tangent[:, None, None] * middles, tangent[:, None, None] * middles[:, None])


def span(slope: Floats, offset: Floats, half: Floats) -> tuple[Floats, Floats]:
    """Smallest and largest t with ``|slope·t − offset| ≤ half``."""
    inverse = 1 / (slope + TINY)
    middle = offset * inverse
    reach = half * np.abs(inverse)
    return middle - reach, middle + reach


def cast(rays: Rays, bodies: Bodies) -> Hits:
    """The nearest surface along each ray."""
    hits = _leave_room(rays, bodies)
    for box in range(1, bodies.axes.shape[1]):
        _keep_nearer(hits, *_enter_box(rays, bodies, box))
    length = rays.x**2 + (rays.y**2 + 1)
    first = FACES * bodies.axes.shape[1]
    for number, (centre, squared_radius) in enumerate(bodies.spheres(), first):
        # |t·ray − centre|² = radius²; the nearer root.
        along = rays.dot(centre)
        root = along**2 - length * (_squared(centre) - squared_radius)
        depth = (along - np.sqrt(np.maximum(root, 0))) / length
        _keep_nearer(hits, depth, (root > 0) & (depth > 0), number)
    return hits


def normals(rays: Rays, hits: Hits, bodies: Bodies) -> tuple[Floats, Floats, Floats]:
    """Unit normals towards the camera's side of the surface: x, y, z, each ``(scenes, size, size)``."""
    # Of the form constant + curvature·point: faces have no curvature, a sphere's constant is −centre/radius.
    outward = np.stack([-bodies.axes, bodies.axes], axis=3)
    outward[:, 0] *= -1
    faces = outward.reshape(len(outward), -1, 3)
    constants = np.concatenate([faces, -bodies.sphere_centres / bodies.radii[..., None]], axis=1)
    curvatures = np.concatenate([np.zeros_like(faces[..., 0]), 1 / bodies.radii], axis=1)
    curvature = pick(curvatures, hits.surface) * hits.depth
    x = pick(constants[..., 0], hits.surface) + curvature * rays.x
    y = pick(constants[..., 1], hits.surface) + curvature * rays.y
    z = pick(constants[..., 2], hits.surface) + curvature
    scale = 1 / np.sqrt(x**2 + y**2 + z**2)
    return x * scale, y * scale, z * scale


def lit(rays: Rays, depth: Floats, bodies: Bodies, light: Floats) -> NDArray[np.bool_]:
    """Whether the way from each hit point to a light in the room, ``(scenes, 3)``, leads through no box or sphere."""
    shaded = np.zeros(depth.shape, bool)
    for box in range(1, bodies.axes.shape[1]):
        entry, leaving = np.full_like(depth, NO_SELF_SHADOW), np.ones_like(depth)
        for axis, offset, half in bodies.slabs(box):
            position = depth * rays.dot(axis) - offset
            goal = (axis * light).sum(axis=1)[:, None, None] - offset
            near, far = span(goal - position, -position, half)
            np.maximum(entry, near, out=entry)
            np.minimum(leaving, far, out=leaving)
        shaded |= entry < leaving
    point = depth**2 * (rays.x**2 + (rays.y**2 + 1))
    point_light = depth * rays.dot(light)
    length = point - 2 * point_light + _squared(light)
    for centre, squared_radius in bodies.spheres():
        point_centre = depth * rays.dot(centre)
        along = (light * centre).sum(axis=1)[:, None, None] - point_centre - point_light + point
        distance = point - 2 * point_centre + _squared(centre) - squared_radius
        shaded |= (along > 0) & (along < length) & (distance * length < along**2)
    return ~shaded


def pick(table: NDArray[Values], surface: NDArray[np.intp]) -> NDArray[Values]:
    """The entry of a table ``(scenes, surfaces)`` for each pixel's surface."""
    scenes = np.arange(len(table)).reshape(-1, 1, 1)
    entries: NDArray[Values] = np.take(table.reshape(-1), surface + scenes * table.shape[1])
    return entries


def _squared(vectors: Floats) -> Floats:
    squared: Floats = (vectors**2).sum(axis=1)[:, None, None]
    return squared


def _leave_room(rays: Rays, bodies: Bodies) -> Hits:
    hits = Hits(np.full(rays.shape, np.inf, rays.x.dtype), np.zeros(rays.shape, np.intp))
    for axis, (direction, offset, half) in enumerate(bodies.slabs(0)):
        slope = rays.dot(direction)
        _, far = span(slope, offset, half)
        _keep_nearer(hits, far, np.True_, 2 * axis + (slope > 0).astype(np.intp))
    return hits


def _enter_box(rays: Rays, bodies: Bodies, box: int) -> tuple[Floats, NDArray[np.bool_], NDArray[np.intp]]:
    """Depth where each ray enters, whether it does so in front of the camera, and through which face."""
    entry = np.full(rays.shape, -np.inf, rays.x.dtype)
    leaving = -entry
    face = np.zeros(rays.shape, np.intp)
    for axis, (direction, offset, half) in enumerate(bodies.slabs(box)):
        slope = rays.dot(direction)
        near, far = span(slope, offset, half)
        np.copyto(face, FACES * box + 2 * axis + (slope < 0), where=near > entry)
        np.maximum(entry, near, out=entry)
        np.minimum(leaving, far, out=leaving)
    return entry, (entry < leaving) & (entry > 0), face


def _keep_nearer(hits: Hits, depth: Floats, met: NDArray[np.bool_] | np.bool_, surface: NDArray[np.intp] | int) -> None:
    nearer = met & (depth < hits.depth)
    np.copyto(hits.depth, depth, where=nearer)
    np.copyto(hits.surface, surface, where=nearer)
