import numpy as np
import pytest

from dgr.datasets.ray_casting import Bodies, Rays, cast, lit, normals, pixel_rays

EYE = np.eye(3)
ROOM_FACES = 6


def rays(x, y):
    return Rays(np.array(x, float).reshape(1, 1, -1), np.array(y, float).reshape(1, -1, 1))


def bodies(room=((0, 0, 0), (10, 10, 10)), boxes=(), spheres=()):
    """One scene: room and boxes as (centre, halves) or (centre, halves, axes), spheres as (centre, radius)."""
    solids = [(*solid, EYE)[:3] for solid in (room, *boxes)]
    centres, halves, axes = (np.array([part], float) for part in zip(*solids, strict=True))
    sphere_centres = np.array([centre for centre, _ in spheres], float).reshape(1, -1, 3)
    return Bodies(axes, centres, halves, sphere_centres, np.array([[radius for _, radius in spheres]], float))


def see(x, y, scene):
    """Depths, surfaces and normals (last axis) of a grid of rays, rows by y and columns by x."""
    grid = rays(x, y)
    hits = cast(grid, scene)
    return hits.depth[0], hits.surface[0], np.stack(normals(grid, hits, scene), axis=-1)[0]


def test_rays_go_through_the_middles_of_pixels():
    grid = pixel_rays(4, np.array([2.0, 1.0]))
    assert np.allclose(grid.x[0, 0], [-1.5, -0.5, 0.5, 1.5])
    assert np.allclose(grid.x[1, 0], [-0.75, -0.25, 0.25, 0.75])
    assert np.array_equal(grid.y[:, :, 0], grid.x[:, 0])
    assert np.allclose(grid.dot(np.array([[1.0, 10.0, 100.0], [0, 0, 1]]))[0, 3], [113.5, 114.5, 115.5, 116.5])


def test_the_room_is_seen_from_inside():
    # The room spans x −2…4, y −1.5…2.5, z −3…7. Rows look up, straight and down; columns left, straight, right.
    depth, surface, normal = see([-4, 0, 2], [-1, 0, 0.5], bodies(room=((1, 0.5, 2), (3, 2, 5))))
    assert np.allclose(depth, [[0.5, 1.5, 1.5], [0.5, 7, 2], [0.5, 5, 2]])
    ceiling, floor, left, right, back = 2, 3, 0, 1, 5
    assert np.array_equal(surface, [[left, ceiling, ceiling], [left, back, right], [left, floor, right]])
    inwards = {left: (1, 0, 0), right: (-1, 0, 0), ceiling: (0, 1, 0), floor: (0, -1, 0), back: (0, 0, -1)}
    assert np.allclose(normal, [[inwards[face] for face in row] for row in surface.tolist()])


def test_a_box_turned_by_45_degrees_shows_an_edge():
    half = np.sqrt(0.5)
    axes = [[half, 0, -half], [0, 1, 0], [half, 0, half]]
    depth, surface, normal = see([-0.36, -0.2, 0.1, 0.3, 0.36], [0], bodies(boxes=[((0, 0, 4), (1, 1, 1), axes)]))
    # The faces meet at z = 4 − √2, and each recedes from there: (4 − √2) / (1 − |x|), up to the corners |x| = √2 / 4.
    assert np.allclose(depth[0, 1:4], (4 - np.sqrt(2)) / (1 - np.array([0.2, 0.1, 0.3])))
    assert np.allclose(normal[0, 1:4], [[-half, 0, -half], [half, 0, -half], [half, 0, -half]])
    assert np.array_equal(surface[0], [5, ROOM_FACES + 4, ROOM_FACES + 1, ROOM_FACES + 1, 5])


def test_a_box_shows_its_top_and_its_underside():
    # Both span z 3…5 and half a metre in height; one below the eye, with its top at y = 1, one above it.
    depth, surface, normal = see(
        [0], [0.32, -0.32], bodies(boxes=[((0, 1.25, 4), (1, 0.25, 1)), ((0, -1.25, 4), (1, 0.25, 1))])
    )
    assert np.allclose(depth[:, 0], 1 / 0.32)
    assert np.array_equal(surface[:, 0], [ROOM_FACES + 2, 2 * ROOM_FACES + 3])
    assert np.allclose(normal[:, 0], [[0, -1, 0], [0, 1, 0]])


def test_a_sphere_is_met_at_its_nearer_side():
    depth, surface, normal = see([0, 0.25, 0.5], [0], bodies(spheres=[((0, 0, 5), 2)]))
    # t² (1 + x²) − 10 t + 21 = 0; without a solution for x = 1/2.
    expected = (10 - np.sqrt(100 - 84 * 1.0625)) / 2.125
    assert np.allclose(depth[0], [3, expected, 10])
    assert np.array_equal(surface[0], [ROOM_FACES, ROOM_FACES, 5])
    assert np.allclose(normal[0], [[0, 0, -1], [expected / 8, 0, (expected - 5) / 2], [0, 0, -1]])


@pytest.mark.parametrize(("near", "far"), [("box", "sphere"), ("sphere", "box"), ("box", "box"), ("sphere", "sphere")])
def test_the_nearest_hit_wins(near, far):
    solids = {"box": ((1, 1, 1), "boxes"), "sphere": (1, "spheres")}
    for order in (1, -1):
        scene = {"boxes": [], "spheres": []}
        for kind, z in ((near, 3), (far, 6))[::order]:
            size, group = solids[kind]
            scene[group].append(((0, 0, z), size))
        depth, _, normal = see([0], [0], bodies(**scene))
        assert depth == 2
        assert np.allclose(normal, [0, 0, -1])


def test_what_is_behind_the_camera_is_not_seen():
    depth, surface, _ = see(
        [-1, 0, 1], [-1, 0, 1], bodies(boxes=[((0, 0, -3), (2, 2, 2))], spheres=[((0, 0, -3), 2.5)])
    )
    assert np.allclose(depth, 10)
    assert (surface < ROOM_FACES).all()


def test_rays_along_a_face_are_no_trouble():
    # The middle ray runs within the plane x = 0 of both boxes' faces.
    depth, _, normal = see([-0.1, 0, 0.1], [0], bodies(boxes=[((1, 0, 4), (1, 1, 1)), ((-1, 0, 6), (1, 1, 1))]))
    assert np.isfinite(depth).all()
    assert np.allclose(depth[0, [0, 2]], [5, 3])
    assert depth[0, 1] in (3, 5, 10)
    assert np.allclose(np.linalg.norm(normal, axis=-1), 1)


BLOCKERS = {"boxes": [((3, 0, 7), (0.5, 0.5, 0.5))], "spheres": [((3, 0, 7), 0.5)]}


@pytest.mark.parametrize("kind", BLOCKERS)
def test_a_body_shades_what_is_behind_it(kind):
    scene = bodies(**{kind: BLOCKERS[kind]})
    grid = rays([0, 0.1, 0.2], [0, 0.15])
    depth = cast(grid, scene).depth
    assert np.allclose(depth, 10)
    # Straight ways to this lamp pass the body's centre by 0, 0.38 and 0.73 m in the first row, by 0.75 m above in the
    # first column.
    lamp = np.array([[6.0, 0, 4]])
    assert np.array_equal(lit(grid, depth, scene, lamp)[0], [[False, False, True], [True, True, True]])
    assert lit(grid, depth, scene, np.array([[1.5, 0, 8.5]])).all(), "the lamp is before the body"
    assert lit(grid, depth, scene, np.array([[-6.0, 0, 4]])).all(), "the lamp is on the other side"


@pytest.mark.parametrize("kind", BLOCKERS)
def test_a_body_is_lit_on_the_lamps_side_only(kind):
    scene = bodies(**{kind: BLOCKERS[kind]})
    grid = rays([3 / 7], [0])
    depth = cast(grid, scene).depth
    assert 6 < depth < 7
    assert lit(grid, depth, scene, np.array([[3.0, 0.1, 2]])).all()
    assert not lit(grid, depth, scene, np.array([[3.0, 0.1, 9]])).any()
