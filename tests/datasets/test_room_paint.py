from dataclasses import replace

import numpy as np
import pytest
from rooms_support import SCENES, SIZE, camera_points, draws, surfaces, to_room

from dgr.datasets.kinds.rooms import BOX, SPHERE, classes
from dgr.datasets.ray_casting import cast, lit, normals, pixel_rays
from dgr.datasets.room_paint import CHECKER, CLOUDS, PLAIN, STRIPES, Paint, draw_paint, pattern_height, picture
from dgr.datasets.room_scene import draw_scenes


def test_every_surface_may_have_any_pattern_and_a_box_has_one():
    scenes = draw_scenes(draws(400))
    paint = draw_paint(draws(400), scenes, scenes.bodies())
    shares = np.stack([(paint.pattern == kind).mean(axis=0) for kind in (PLAIN, CHECKER, STRIPES, CLOUDS)])
    assert np.allclose(shares, 0.25, atol=0.09)
    colours = paint.colours.reshape(400, -1, 6)
    assert all(len(np.unique(colours[row], axis=0)) == 6 + 5 + 4 for row in range(400))
    for part in (colours, paint.pattern[..., None]):
        assert np.array_equal(part[:, 6:36], np.repeat(part[:, 6:36:6], 6, axis=1))
    on_faces = (paint.directions[:, :36] * np.repeat(scenes.bodies().axes.reshape(400, 18, 3), 2, 1)[:, :, None]).sum(
        -1
    )
    assert np.abs(on_faces).max() < 1e-12


def test_half_of_the_scenes_have_a_second_lamp():
    scenes = draw_scenes(draws(400))
    powers = draw_paint(draws(400), scenes, scenes.bodies()).powers
    assert (powers[:, 0] > 0).all()
    assert 0.4 < (powers[:, 1] > 0).all(axis=1).mean() < 0.6
    assert 0.4 < (powers[:, 1] == 0).all(axis=1).mean() < 0.6


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (PLAIN, [[0, 0, 0], [0, 0, 0]]),
        (STRIPES, [[1, 0, 1], [1, 0, 1]]),
        (CHECKER, [[1, 0, 1], [0, 1, 0]]),
    ],
)
def test_patterns_repeat_along_their_directions(pattern, expected):
    assert np.array_equal(height_of(pattern, [0.1, 0.35, 0.6], [0.2, 0.6]), expected)


def test_clouds_are_smooth_and_lie_between_the_colours():
    step = 0.002
    height = height_of(CLOUDS, np.arange(0, 2, step), np.arange(0, 2, step))
    assert 0 <= height.min() < 0.05
    assert 0.95 < height.max() <= 1
    # A wave's slope is at most 8, so that of the clouds is at most (8 + 8 · 1.3 · 8 / 4) / 4 for each repeat.
    assert max(np.abs(np.diff(height, axis=axis)).max() for axis in (0, 1)) < 2 * 7.2 * step


def height_of(pattern, x, y):
    """On one surface that repeats twice a metre along x and once along y."""
    x, y = np.meshgrid(x, y)
    one = np.ones((1, 1))
    paint = Paint(
        **dict.fromkeys(("colours", "lamps", "powers", "ambient", "exposure"), one),
        pattern=one * pattern,
        directions=np.array([[[[2.0, 0, 0], [0, 1, 0]]]]),
        phases=np.zeros((1, 1, 2)),
    )
    return pattern_height((x[None], y[None], 0 * x[None]), np.zeros((1, *x.shape), int), paint)[0]


def test_lamps_light_what_they_reach():
    scenes = draw_scenes(draws())
    exact = scenes.bodies()
    paint = draw_paint(draws(), scenes, exact)._replace(pattern=np.zeros((SCENES, 40)))
    rays = pixel_rays(SIZE, scenes.tangent)
    hits = cast(rays, exact)
    facing = np.stack(normals(rays, hits, exact), axis=-1)
    points = camera_points(hits.depth[:, None], scenes)
    light = np.ones((*hits.depth.shape, 3)) * paint.ambient[:, None, None, None]
    shaded = 0
    for lamp in range(2):
        way = paint.lamps[:, lamp, None, None] - points
        distance = np.linalg.norm(way, axis=-1)
        cosine = np.clip((way * facing).sum(-1) / distance, 0, 1)
        reached = lit(rays, hits.depth, exact, paint.lamps[:, lamp])
        shaded += (~reached & (cosine > 0.1)).mean()
        light += ((cosine / (0.5 + distance**2)) * reached)[..., None] * paint.powers[:, lamp, None, None]
    colour = paint.colours[np.arange(SCENES)[:, None, None], hits.surface, 0]
    reflected = light * colour * paint.exposure[:, None, None, None]
    expected = np.sqrt(reflected / np.hypot(1, reflected))
    image = picture(rays, hits, np.moveaxis(facing, -1, 0), exact, paint)
    assert np.allclose(np.moveaxis(image, 1, -1), expected)
    assert shaded > 0.05


def test_shadows_are_where_the_way_to_the_lamp_leads_through_a_body():
    scenes = draw_scenes(draws())
    rays = pixel_rays(SIZE, scenes.tangent)
    hits = cast(rays, scenes.bodies())
    reached = lit(rays, hits.depth, scenes.bodies(), scenes.to_camera(scenes.lamps)[:, 0])
    points = to_room(camera_points(hits.depth[:, None], scenes), scenes) + scenes.camera[:, None, None]
    shares = []
    for row in range(0, SCENES, 4):
        start = points[row, ::2, ::2, None]
        way = start + (scenes.lamps[row, 0] - start) * np.linspace(0, 1, 200)[:, None]
        depths = [distance for label, distance, _, _ in surfaces(way, scenes, row) if label in (BOX, SPHERE)]
        deepest = -np.min(depths, axis=(0, -1))
        found = reached[row, ::2, ::2]
        assert not found[deepest > 0.01].any()
        assert found[deepest < -0.01].all()
        shares.append([(deepest > 0.01).mean(), (deepest < -0.01).mean()])
    # The rest starts on a body or passes close to one.
    assert (np.mean(shares, axis=0) > [0.1, 0.5]).all()


def mirrored_scenes(scenes):
    across = np.array([-1.0, 1, 1])
    centres = {name: getattr(scenes, name) * across for name in ("camera", "box_centres", "sphere_centres", "lamps")}
    return replace(scenes, yaw=-scenes.yaw, box_yaws=-scenes.box_yaws, **centres)


def whitewashed(scenes):
    """Everything of a scene that is seen, all of it in one colour and lit by equal lamps, in float64."""
    exact = scenes.bodies()
    paint = draw_paint(draws(), scenes, exact)
    paint = paint._replace(colours=np.full_like(paint.colours, 0.7), powers=np.full_like(paint.powers, 3))
    rays = pixel_rays(SIZE, scenes.tangent)
    hits = cast(rays, exact)
    facing = normals(rays, hits, exact)
    return hits.depth, np.stack(facing, axis=1), picture(rays, hits, facing, exact, paint), classes(exact)[hits.surface]


def test_a_mirrored_room_gives_the_mirrored_image():
    scenes = draw_scenes(draws())
    depth, normal, image, segmentation = whitewashed(scenes)
    other_depth, other_normal, other_image, other_segmentation = whitewashed(mirrored_scenes(scenes))
    assert np.allclose(depth, other_depth[..., ::-1])
    assert np.array_equal(segmentation, other_segmentation[..., ::-1])
    assert np.allclose(normal, other_normal[..., ::-1] * np.array([-1, 1, 1])[:, None, None])
    assert np.allclose(image, other_image[..., ::-1])
    assert image.std() > 0.05
