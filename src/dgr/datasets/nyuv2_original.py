"""From the original labelled NYUv2 file to the layout that :mod:`dgr.datasets.kinds.nyuv2` reads.

The normals written here are **our reconstruction** from depth, not those of the published pre-processed data; this is
noted in ``conversion.json`` beside the files, and from there in the prepared data set's report.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from dgr.core.errors import DGRError
from dgr.core.files import sha256, write_json
from dgr.core.task import VOID
from dgr.datasets.dense_folder import CONVERSION, made_whole
from dgr.datasets.input_files import Array
from dgr.datasets.kinds.nyuv2 import NYUV2_CLASSES
from dgr.datasets.matlab import matlab_list

NORMALS = "reconstructed from depth by this project; not the normals of the published pre-processed data"
FOLDERS = ("image", "label", "depth", "normal")
LACKING = {"label": VOID, "depth": 0, "normal": 0}
"""What stands where there is none."""


class Intrinsics(NamedTuple):
    """A pinhole camera, in pixels of the original picture; the centre of its top left pixel is (0, 0)."""

    fx: float
    fy: float
    cx: float
    cy: float


def convert_original_nyuv2(
    original: Path,
    target: Path,
    splits: Path,
    classes40: Path,
    classes13: Path,
    intrinsics: Intrinsics,
    size: tuple[int, int] = (288, 384),
) -> None:
    """Write ``target/{train,val}/{image,label,depth,normal}/{number}.npy``, all or nothing.

    Numbers follow the order of the split's indices. Images are scaled with Pillow's bilinear filter, which averages
    over the area of a new pixel; labels, depth and normals are those of the nearest original pixel.

    Args:
        original: ``nyu_depth_v2_labeled.mat`` (MATLAB 7.3) with ``images``, ``depths`` and ``labels``.
        target: the folder to make.
        splits: ``splits.mat`` with ``trainNdxs`` (to ``train``) and ``testNdxs`` (to ``val``), counted from 1.
        classes40: ``classMapping40.mat``, whose ``mapClass`` maps the 894 label ids to 40 classes.
        classes13: ``class13Mapping.mat``, whose ``classMapping13`` maps these to 13 classes.
        intrinsics: of the camera that the depth belongs to.
        size: height and width of what is written.

    Raises:
        DGRError: the camera is none, a file is missing, damaged or not what it should be, a side has no pixel with a
            class, depth or normal, or the target exists or cannot be written.
    """
    if not (all(map(isfinite, intrinsics)) and intrinsics.fx > 0 and intrinsics.fy > 0):
        given = " ".join(f"{value:g}" for value in intrinsics)
        raise DGRError(f"Camera '{given}' is none; give fx fy cx cy in pixels, the focal lengths fx and fy above 0.")
    table = class_table(classes40, classes13)
    with opened(original) as file, made_whole(target) as folder:
        for side, indices in read_splits(splits, len(file["images"])).items():
            for name in FOLDERS:
                (folder / side / name).mkdir(parents=True)
            known = dict.fromkeys(LACKING, False)
            for number, index in enumerate(indices):
                image, depth, labels = read_picture(file, index, original, len(table))
                normals = normals_from_depth(depth, intrinsics)
                layers = (
                    scaled(image, size, Image.Resampling.BILINEAR).astype(np.float32) / 255,
                    table[scaled(labels, size)],
                    scaled(depth, size)[:, :, None],
                    np.stack([scaled(part, size) for part in np.moveaxis(normals, -1, 0)], axis=-1),
                )
                for name, layer in zip(FOLDERS, layers, strict=True):
                    np.save(folder / side / name / f"{number}.npy", layer, allow_pickle=False)
                    if name in LACKING:
                        known[name] |= bool((layer != LACKING[name]).any())
            for name, some in known.items():
                if not some:
                    raise DGRError(f"No pixel of side '{side}' has a {name}; check {original}, {splits}, the camera.")
        sources = {path.name: sha256(path) for path in (original, splits, classes40, classes13)}
        write_json(folder / CONVERSION, {"normals": NORMALS, "intrinsics": intrinsics._asdict(), "sha256": sources})


def normals_from_depth(depth: Array, intrinsics: Intrinsics) -> Array:
    r"""Unit normals that face the camera, from depth.

    Each pixel (u, v) of depth d is taken back to the point :math:`P = d\,((u-c_x)/f_x,\ (v-c_y)/f_y,\ 1)`, with x to
    the right, y down and z into the scene. The normal is along
    :math:`(P_{u,v+1}-P_{u,v-1})\times(P_{u+1,v}-P_{u-1,v})`: exact on planes, (0, 0, −1) where one faces the camera.

    Args:
        depth: ``(height, width)``, metres, 0 where unknown.
        intrinsics: of the camera.

    Returns:
        ``(height, width, 3)``, float32; zero on the outermost pixels, and where the depth of the pixel or of one of the
        four beside it is unknown.
    """
    height, width = depth.shape
    x = (np.arange(width) - intrinsics.cx) / intrinsics.fx
    y = (np.arange(height)[:, None] - intrinsics.cy) / intrinsics.fy
    points = depth[:, :, None] * np.stack(np.broadcast_arrays(x, y, 1.0), axis=-1)
    across = points[1:-1, 2:] - points[1:-1, :-2]
    down = points[2:, 1:-1] - points[:-2, 1:-1]
    vectors = np.cross(down, across)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    known = (depth > 0)[:, :, None]
    around = known[1:-1, 1:-1] & known[1:-1, 2:] & known[1:-1, :-2] & known[2:, 1:-1] & known[:-2, 1:-1]
    normals = np.zeros((height, width, 3), np.float32)
    normals[1:-1, 1:-1] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=around & (lengths > 0))
    return normals


def scaled(values: Array, size: tuple[int, int], resampling: Image.Resampling = Image.Resampling.NEAREST) -> Array:
    """A picture, or one number a pixel, at another height and width."""
    return np.asarray(Image.fromarray(values).resize(size[::-1], resampling))


@contextmanager
def opened(original: Path) -> Iterator[Any]:
    """The original file, once its three arrays are known to fit together.

    Raises:
        DGRError: h5py is not installed, or this is not the original file.
    """
    try:
        h5py = importlib.import_module("h5py")
    except ImportError as error:
        raise DGRError("NYUv2's original file is read with h5py; run `pip install h5py`.") from error
    try:
        file = h5py.File(original, "r")
    except OSError as error:
        raise DGRError(f"{original} is no readable MATLAB 7.3 file ({error}); fetch it again.") from error
    with file:
        shapes = {name: getattr(file.get(name), "shape", ()) for name in ("images", "depths", "labels")}
        samples, *rest = shapes["labels"] or (0,)
        if len(rest) != 2 or shapes["images"] != (samples, 3, *rest) or shapes["depths"] != shapes["labels"]:
            raise DGRError(f"{original} holds arrays of shapes {shapes}; give nyu_depth_v2_labeled.mat.")
        yield file


def read_picture(file: Any, index: int, original: Path, label_ids: int) -> tuple[Array, Array, Array]:
    """Image ``(height, width, 3)``, depth and labels ``(height, width)``; MATLAB's axes are in reverse.

    Raises:
        DGRError: they cannot be read, or hold impossible values.
    """
    place = f"{original} at picture {index + 1}"
    try:
        image, depth, labels = (file[name][index].T for name in ("images", "depths", "labels"))
    except (OSError, RuntimeError, ValueError) as error:
        raise DGRError(f"{place} cannot be read ({error}); fetch it again.") from error
    if image.dtype != np.uint8 or not (np.isfinite(depth).all() and depth.min() >= 0):
        raise DGRError(f"{place} has images of type {image.dtype}, or depths that are no metres; fetch it again.")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= label_ids:
        raise DGRError(f"{place} has label {labels.max()} beyond the mapping's last, {label_ids - 1}; give a longer.")
    return np.ascontiguousarray(image), depth.astype(np.float32), labels.astype(np.int32)


def read_splits(path: Path, samples: int) -> dict[str, list[int]]:
    """Indices counted from 0, for the folders ``train`` and ``val``.

    Raises:
        DGRError: there are none, they exceed the number of pictures, or one is there twice.
    """
    indices = {side: whole_numbers(path, name, samples) for side, name in (("train", "trainNdxs"), ("val", "testNdxs"))}
    together = np.concatenate(list(indices.values()))
    if together.min(initial=1) < 1 or len(np.unique(together)) != len(together) or not all(map(len, indices.values())):
        raise DGRError(f"{path} must name pictures from 1, each once, and some for each side; fetch it again.")
    return {side: (found - 1).tolist() for side, found in indices.items()}


def class_table(classes40: Path, classes13: Path) -> Array:
    """Class 0…12 by label id, int8; −1 for what has none, label id 0 among it.

    Raises:
        DGRError: a mapping is missing or does not lead to 13 classes.
    """
    thirteen = np.concatenate([[0], whole_numbers(classes13, "classMapping13", NYUV2_CLASSES)])
    forty = np.concatenate([[0], whole_numbers(classes40, "mapClass", len(thirteen) - 1)])
    table: Array = (thirteen[forty] - 1).astype(np.int8)
    return table


def whole_numbers(path: Path, name: str, highest: int) -> Array:
    """A list of numbers 0 … highest in a MATLAB file before 7.3: a variable, or the first field of a structure.

    Raises:
        DGRError: the file is missing or damaged, or holds no such list.
    """
    numbers = matlab_list(path, name)
    if numbers.dtype.kind not in "iuf" or not np.isin(numbers, np.arange(highest + 1)).all():
        raise DGRError(f"{path} holds no '{name}' of whole numbers 0…{highest}; give the file that does.")
    return numbers.astype(np.int64)
