"""From the official CityScapes folders to the layout that :mod:`dgr.datasets.kinds.cityscapes` reads."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from PIL import Image

from dgr.core.errors import DGRError
from dgr.core.files import write_json, write_text
from dgr.datasets.dense_folder import CONVERSION, made_whole
from dgr.datasets.input_files import Array, read_image, refusal

_SIDES = ("train", "val")
IMAGES = "scaled bilinearly by this project; not the images of the published pre-processed data"


class Package(NamedTuple):
    """One official package: where it lies, how its files end, and where they go."""

    package: str
    ending: str
    folder: str
    suffix: str
    resampling: Image.Resampling = Image.Resampling.NEAREST

    def path(self, original: Path, side: str, frame: str) -> Path:
        """Of a frame, named ``CITY/CITY_SEQUENCE_NUMBER``."""
        return original / self.package / side / f"{frame}{self.ending}"


_PACKAGES = (
    Package("leftImg8bit", "_leftImg8bit.png", "image", ".png", Image.Resampling.BILINEAR),
    Package("disparity", "_disparity.png", "depth", ".png"),
    Package("gtFine", "_gtFine_labelIds.png", "seg", ".png"),
    Package("gtFinePanopticParts", "_gtFinePanopticParts.tif", "part_seg", ".tif"),
)


def convert_official_cityscapes(original: Path, target: Path, size: tuple[int, int] = (256, 512)) -> None:
    """Write ``target/{train,val}/{image,depth,seg,part_seg}/{number}``, all or nothing.

    Frames are numbered in the order of city and name, as ``frames.txt`` of each side lists them. Images are scaled with
    Pillow's bilinear filter, which averages over the area of a new pixel; disparity, label ids and uids are those of
    the nearest original pixel, their values unchanged.

    Args:
        original: the folder with ``leftImg8bit``, ``disparity``, ``gtFine`` and ``gtFinePanopticParts``, each with
            ``{train,val}/{city}/``.
        target: the folder to make.
        size: height and width of what is written.

    Raises:
        DGRError: a file is missing or damaged, the files of a frame differ in size, or the target exists or cannot be
            written.
    """
    frames = {side: list_frames(original, side) for side in _SIDES}
    with made_whole(target) as folder:
        for side in _SIDES:
            for kind in _PACKAGES:
                (folder / side / kind.folder).mkdir(parents=True)
            for number, frame in enumerate(frames[side]):
                for kind, values in zip(_PACKAGES, _read_frame(original, side, frame), strict=True):
                    picture = Image.fromarray(values).resize(size[::-1], kind.resampling)
                    picture.save(folder / side / kind.folder / f"{number}{kind.suffix}")
            write_text(folder / side / "frames.txt", "\n".join(frames[side]) + "\n")
        write_json(folder / CONVERSION, {"images": IMAGES})


def list_frames(original: Path, side: str) -> list[str]:
    """Names ``CITY/CITY_SEQUENCE_NUMBER`` of the frames that every package has, in order.

    Raises:
        DGRError: there are none, or a package lacks one.
    """
    found: list[set[str]] = []
    for kind in _PACKAGES:
        folder = original / kind.package / side
        paths = folder.glob(f"*/*{kind.ending}")
        found.append({str(path.relative_to(folder)).removesuffix(kind.ending) for path in paths})
        if not found[-1]:
            raise DGRError(
                f"{folder} holds no CITY/*{kind.ending} files; put the official package {kind.package} there."
            )
        if found[-1] != found[0]:
            odd = min(found[0] ^ found[-1])
            present, missing = (_PACKAGES[0], kind) if odd in found[0] else (kind, _PACKAGES[0])
            raise DGRError(
                f"{missing.path(original, side, odd)} is missing, but {present.path(original, side, odd)} is there; "
                f"complete the copy of the package {missing.package}."
            )
    return sorted(found[0])


def _read_frame(original: Path, side: str, frame: str) -> list[Array]:
    paths = [kind.path(original, side, frame) for kind in _PACKAGES]
    layers = [read_image(path) for path in paths]
    for path, layer in zip(paths, layers, strict=True):
        if layer.shape[:2] != layers[0].shape[:2]:
            raise refusal(path, f"is of size {layer.shape[:2]}, but {paths[0]} of {layers[0].shape[:2]}")
    return layers
