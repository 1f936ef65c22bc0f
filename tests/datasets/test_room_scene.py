import numpy as np
from rooms_support import draws, surfaces

from dgr.datasets.room_scene import draw_scenes


def test_scenes_hold_what_they_should():
    scenes = draw_scenes(draws(500))
    present = {name: getattr(scenes, name)[..., 1] < 50 for name in ("box_centres", "sphere_centres")}
    assert set(present["box_centres"].sum(axis=1)) == {2, 3, 4, 5}
    assert set(present["sphere_centres"].sum(axis=1)) == {1, 2, 3, 4}
    height = scenes.room[:, 1] - scenes.camera[:, 1]
    assert 0.9 < height.min() < 0.95 < 1.65 < height.max() < 1.7
    for angles, low, high in ((scenes.yaw, -np.pi, np.pi), (scenes.pitch, -0.25, 0.4), (scenes.box_yaws, 0, np.pi)):
        assert np.allclose([angles.min(), angles.max()], [low, high], atol=0.1)
    for row in range(500):
        points = np.concatenate([scenes.camera[row, None], scenes.lamps[row]])
        assert min(distance.min() for _, distance, _, _ in surfaces(points, scenes, row)) > 0.1
    for centres, reach, height in (
        (scenes.box_centres, np.hypot(scenes.box_halves[..., 0], scenes.box_halves[..., 2]), scenes.box_halves[..., 1]),
        (scenes.sphere_centres, scenes.radii, scenes.radii),
    ):
        here = centres[..., 1] < 50
        room = scenes.room[:, None]
        assert (np.abs(centres[..., [0, 2]]) + reach[..., None] <= room[..., [0, 2]] + 1e-9)[here].all()
        below = room[..., 1] - centres[..., 1] - height
        assert (below > -1e-9)[here].all()
        assert 0.5 < (np.abs(below) < 1e-9)[here].mean() < 0.7
        assert (centres[..., 1] - height + room[..., 1] > 0.7 - 1e-9)[here].all()
