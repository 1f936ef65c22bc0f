"""Made pictures in the public layout of NYUv2: a wall, a floor and a box in each, its place and depths by number."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

HEIGHT, WIDTH = 24, 32
THIRTEEN = np.fromstring(
    "12 5 6 1 4 9 10 12 13 6 8 6 13 10 6 13 6 7 7 5 7 3 2 6 11 7 7 7 7 7 7 6 7 7 7 7 7 7 6 7", np.uint8, sep=" "
)
"""Class 1…13 of the 40, as in ``class13Mapping.mat``."""
TRAIN, TEST = (1, 3, 4, 6, 8, 9, 11, 12), (2, 5, 7, 10)
"""As ``splits.mat`` counts, from 1."""


def picture(number: int, height: int = HEIGHT, width: int = WIDTH) -> dict[str, np.ndarray]:
    """Layers of one picture: labels 0 (wall), 1 (floor), a box of another, and void; nothing is symmetric."""
    generator = np.random.default_rng(number)
    labels = np.zeros((height, width), np.uint8)
    labels[2 * height // 3 :] = 1
    top, left = int(generator.integers(0, height // 4)), int(generator.integers(1, width // 4))
    box = slice(top, top + height // 3), slice(left, left + width // 4)
    labels[box] = 3 + number % 36
    labels[0, 0] = 39
    depth = np.where(labels == 0, 120, np.where(labels == 1, 80, 40)).astype(np.uint8) + np.uint8(number)
    image = np.stack([depth, 255 - depth, np.full_like(depth, 10 * number)], axis=-1)
    return {"nyu_images": image, "nyu_labels40": labels, "nyu_depths": depth}


def save(folder: Path, number: int, layers: dict[str, np.ndarray]) -> None:
    for name, values in layers.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        suffix, options = (".jpg", {"quality": 95, "subsampling": 0}) if name == "nyu_images" else (".png", {})
        Image.fromarray(values).save(folder / name / f"{number}{suffix}", **options)


def save_lists(folder: Path, train=TRAIN, test=TEST, thirteen=THIRTEEN) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / "splits.mat", {"trainNdxs": np.array(train)[:, None], "testNdxs": np.array(test)[:, None]})
    names = np.array([f"class{number}" for number in range(13)], object)
    savemat(folder / "class13Mapping.mat", {"classMapping13": {"labels13": thirteen, "classNames": names}})


def save_all(folder: Path, **size: int) -> Path:
    for number in range(len(TRAIN) + len(TEST)):
        save(folder, number, picture(number, **size))
    save_lists(folder)
    return folder
