import numpy as np
import pytest
import torch
from rooms_support import CLOSE, SCENES, SEED, SIZE, camera_points, draws, surfaces, to_room
from sklearn.neighbors import KNeighborsClassifier

from dgr.config.runs import SPLITS
from dgr.datasets.kinds import rooms
from dgr.datasets.kinds.rooms import CEILING, FLOOR, WALL, Config
from dgr.datasets.room_scene import draw_scenes

COUNTS = {"train": SCENES, "val": 5, "test": 6}
CONFIG = Config(kind="rooms", image_size=SIZE, scenes=COUNTS, noise=0.03, seed=SEED)


@pytest.fixture(scope="module")
def splits():
    return CONFIG.compose().splits


@pytest.fixture(scope="module")
def train(splits):
    return splits["train"]


def test_arrays_are_as_the_tasks_want_them(splits):
    assert [(task.name, task.kind, task.outputs) for task in CONFIG.tasks] == [
        ("segmentation", "segmentation", 5),
        ("depth", "depth", 1),
        ("normals", "normals", 3),
    ]
    for split in SPLITS:
        count = CONFIG.scenes[split]
        assert {name: (array.shape, array.dtype) for name, array in splits[split].items()} == {
            "images": ((count, 3, SIZE, SIZE), np.uint8),
            "segmentation": ((count, SIZE, SIZE), np.int8),
            "depth": ((count, 1, SIZE, SIZE), np.float32),
            "normals": ((count, 3, SIZE, SIZE), np.float32),
        }
        for task in CONFIG.tasks:
            task.check_targets(torch.from_numpy(splits[split][task.name]), split)


def test_every_pixel_has_a_depth_and_a_unit_normal_towards_the_camera(train):
    scenes = draw_scenes(draws())
    assert np.isfinite(train["depth"]).all()
    # Bodies keep away from the camera, and nothing is farther than the corners of the largest room.
    assert 0.05 < train["depth"].min() < 1
    assert train["depth"].max() < np.sqrt(7**2 + 7**2 + 3.4**2)
    assert np.allclose(np.linalg.norm(train["normals"], axis=1), 1, atol=1e-5)
    towards = (np.moveaxis(train["normals"], 1, -1) * camera_points(train["depth"], scenes)).sum(axis=-1)
    assert towards.max() < 1e-5


def test_seen_points_lie_on_what_the_segmentation_names_and_have_its_normal(train):
    scenes = draw_scenes(draws())
    points = to_room(camera_points(train["depth"], scenes), scenes) + scenes.camera[:, None, None]
    seen = to_room(np.moveaxis(train["normals"], 1, -1), scenes)
    clear = np.zeros(train["segmentation"].shape, bool)
    for row in range(SCENES):
        labels, distances, expected, edges = zip(*surfaces(points[row], scenes, row), strict=True)
        distances = np.stack(distances)
        assert distances.min() > -CLOSE, "within a body or outside the room"
        nearest = distances.argmin(axis=0)
        least, second = np.sort(distances, axis=0)[:2]
        assert least.max() < CLOSE, "in the air"
        edge = np.stack([np.broadcast_to(near, least.shape) for near in edges])
        clear[row] = (second > 2 * CLOSE) & ~np.take_along_axis(edge, nearest[None], 0)[0]
        assert np.array_equal(np.array(labels)[nearest][clear[row]], train["segmentation"][row][clear[row]])
        normal = np.take_along_axis(np.stack(expected), nearest[None, ..., None], 0)[0]
        assert np.allclose(normal[clear[row]], seen[row][clear[row]], atol=CLOSE)
    assert clear.mean() > 0.98


def angles_to_depth(depth, segmentation, normal, scenes):
    """Degrees between the normals and those of the planes through neighbouring points, on the room's own planes."""
    points = camera_points(depth, scenes)
    corner, right, below = (slice(-1), slice(-1)), (slice(-1), slice(1, None)), (slice(1, None), slice(-1))
    plane = np.cross(points[:, *below] - points[:, *corner], points[:, *right] - points[:, *corner])
    plane /= np.linalg.norm(plane, axis=-1, keepdims=True)
    normal = np.moveaxis(normal, 1, -1).astype(float)
    flat = np.isin(segmentation, (FLOOR, CEILING, WALL))[:, *corner]
    for other in (right, below):
        flat &= segmentation[:, *corner] == segmentation[:, *other]
        flat &= (normal[:, *corner] * normal[:, *other]).sum(axis=-1) > 1 - 1e-5
    assert flat.mean() > 0.4
    cosines = (plane * normal[:, *corner]).sum(axis=-1)[flat]
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def test_normals_are_those_of_the_depth(train):
    angles = angles_to_depth(train["depth"], train["segmentation"], train["normals"], draw_scenes(draws()))
    assert angles.max() < 1


def test_mirrored_targets_fit_together_only_with_x_negated(train):
    scenes = draw_scenes(draws())
    depth, segmentation, normal = (train[name][..., ::-1] for name in ("depth", "segmentation", "normals"))
    mirrored = normal * np.array([-1, 1, 1], np.float32)[:, None, None]
    assert angles_to_depth(depth, segmentation, mirrored, scenes).max() < 1
    assert angles_to_depth(depth, segmentation, normal, scenes).max() > 60


def test_the_same_seed_gives_the_same_bytes_however_many_at_once(splits, monkeypatch):
    for at_once in (rooms.SCENES_AT_ONCE, 1, 5):
        monkeypatch.setattr(rooms, "SCENES_AT_ONCE", at_once)
        again = CONFIG.compose().splits
        for split in SPLITS:
            assert all(again[split][name].tobytes() == array.tobytes() for name, array in splits[split].items())


def test_the_first_scenes_stay_when_more_are_asked_for(splits):
    fewer = CONFIG.model_copy(update={"scenes": {"test": 3}}).compose().splits
    assert list(fewer) == ["test"]
    assert all(np.array_equal(array, splits["test"][name][:3]) for name, array in fewer["test"].items())


def test_splits_seeds_and_scenes_differ(splits):
    other = CONFIG.model_copy(update={"seed": CONFIG.seed + 1, "scenes": CONFIG.scenes | {"train": 5}}).compose().splits
    depths = [arrays["depth"] for source in (splits, other) for arrays in source.values()]
    assert len(np.unique(np.concatenate(depths).reshape(-1, SIZE * SIZE), axis=0)) == sum(map(len, depths))


def test_noise_has_the_given_size_and_changes_nothing_else(train):
    clean, noisy = (CONFIG.model_copy(update={"noise": noise}).compose().splits["train"] for noise in (0.0, 0.1))
    middle = np.abs(clean["images"] - 127.5) < 30  # four deviations from either end
    noise = (noisy["images"].astype(float) - clean["images"])[middle] / 255
    assert middle.sum() > 30_000
    assert abs(noise.mean()) < 0.002
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    for name in ("segmentation", "depth", "normals"):
        assert np.array_equal(clean[name], noisy[name])
        assert np.array_equal(clean[name], train[name])


def test_every_class_is_frequent(train):
    shares = np.stack([(train["segmentation"] == label).mean(axis=(1, 2)) for label in range(CONFIG.tasks[0].classes)])
    assert (shares.mean(axis=1) > 0.05).all(), shares.mean(axis=1)
    assert ((shares > 0.01).mean(axis=1) > 0.6).all(), (shares > 0.01).mean(axis=1)


def test_colours_alone_hardly_tell_the_class():
    arrays = CONFIG.model_copy(update={"noise": 0.0, "scenes": {"train": 300, "test": 100}}).compose().splits
    random = np.random.default_rng(0)
    samples = {}
    for split, each in arrays.items():
        pixels = np.moveaxis(each["images"], 1, -1).reshape(-1, 3).astype(float)
        chosen = random.choice(len(pixels), 10_000)
        samples[split] = pixels[chosen], each["segmentation"].reshape(-1)[chosen]
    accuracy = KNeighborsClassifier(50).fit(*samples["train"]).score(*samples["test"])
    majority = np.bincount(samples["test"][1]).max() / 10_000
    assert accuracy < majority + 0.08
