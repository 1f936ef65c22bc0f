"""UTKFace: faces with three tasks, age in seven bins, gender, and ethnicity, from the aligned and cropped chips.

Labels stand in the file names, ``AGE_GENDER_RACE_TIME.jpg.chip.jpg``. Zhang, Song, Qi, CVPR 2017.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import PositiveInt, model_validator
from typing_extensions import override

from dgr.config.datasets import Composed, FetchedDataset, RandomSeed, Share
from dgr.config.runs import SPLITS, SplitName
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.datasets.input_files import opened_image, refusal

AGE_EDGES = (0, 10, 20, 30, 40, 50, 60, 120)
"""Right-closed bins, as in the authors' code: (0, 10], (10, 20], …"""
CHIP = re.compile(r"(\d+)_([01])_([0-4])_[^/]*\.?jpg\.chip\.jpg")
"""One file of the public archive lacks the first dot."""

FaceLabels = tuple[int, int, int]


class Face(NamedTuple):
    """One distinct image: its bytes, a name it has, and its labels."""

    content: bytes
    name: str
    labels: FaceLabels


class Config(FetchedDataset):
    """UTKFace from a folder of its chips."""

    kind: Literal["utkface"]
    image_size: PositiveInt
    """Height and width, in pixels."""
    shares: dict[SplitName, Share]
    """Of all faces, by split; together 1."""
    protocol: Literal["clean", "authors"] = "clean"
    """``authors``: every file counts, also copies, and validation is done on test."""
    seed: RandomSeed

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        wanted = SPLITS if self.protocol == "clean" else ("train", "test")
        if set(self.shares) != set(wanted) or abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares must be those of {' and '.join(wanted)} and add up to 1, but are {self.shares}")
        return self

    @property
    @override
    def tasks(self) -> tuple[Task, ...]:
        sizes = {"age": len(AGE_EDGES) - 1, "gender": 2, "race": 5}
        return tuple(Task(name, "classification", classes) for name, classes in sizes.items())

    @property
    @override
    def image_shape(self) -> tuple[int, int, int]:
        return 3, self.image_size, self.image_size

    @override
    def training_samples(self, source: SourceConfig | None) -> int | None:
        """An upper bound, since some files are no distinct face; known where the source says how many it holds."""
        files = source.contents.files if source else None
        return None if files is None else math.ceil(files * self.shares["train"])

    @override
    def compose(self, place: Path) -> Composed:
        """Images and labels of each split, and what was left out.

        Files whose names do not carry three labels are left out. Byte-identical files are one face: kept once where
        all their names agree on all three classes, left out where they contradict each other, since none of them can
        be trusted. So no image is in two splits. Faces are put in the order of their content's hash, then shuffled
        with the seed, so that the splits do not depend on the order of files.

        With ``protocol: authors`` it is as in the authors' code: every file counts, copies and contradictions too, and
        the validation split is the test split.

        Args:
            place: a folder with the chips.

        Returns:
            For each split ``images`` ``(faces, 3, size, size)``, uint8, and ``age``, ``gender``, ``race``
            ``(faces,)``; and the counts of files, of odd names (with the first of them), of copies and of
            contradictions.

        Raises:
            DGRError: the folder holds no faces, or an image that cannot be decoded.
        """
        files = ((path.name, _content(path)) for path in sorted(place.rglob("*.jpg")))
        faces, report = read_faces(files, place, distinct=self.protocol == "clean")
        order = np.random.default_rng(self.seed).permutation(len(faces))
        bounds = np.rint(np.cumsum([0.0, *self.shares.values()]) * len(faces)).astype(int)
        splits: dict[SplitName, dict[str, NDArray[np.generic]]] = {}
        for split, start, stop in zip(self.shares, bounds[:-1], bounds[1:], strict=True):
            if start == stop:
                raise DGRError(f"{place} has {len(faces)} faces, of which split '{split}' gets none; raise its share.")
            chosen = [faces[index] for index in order[start:stop]]
            labels = np.array([face.labels for face in chosen], np.int64)
            images = np.stack([_decode(face, self.image_size, place) for face in chosen])
            splits[split] = {"images": images} | {task.name: labels[:, k] for k, task in enumerate(self.tasks)}
        return Composed(splits if "val" in splits else {**splits, "val": splits["test"]}, report)


def read_faces(
    files: Iterable[tuple[str, bytes]], source: Path, distinct: bool = True
) -> tuple[list[Face], dict[str, Any]]:
    """The faces that are kept, in the order of their content's hash, and the counts of what is left out or double.

    Args:
        files: names and contents.
        source: where they are from, for messages.
        distinct: keep one of a group of copies, and none of one that contradicts itself; otherwise keep all.

    Raises:
        DGRError: there is none.
    """
    by_content: dict[str, list[Face]] = defaultdict(list)
    odd = []
    for name, content in files:
        labels = read_labels(name)
        if labels is None:
            odd.append(name)
        else:
            by_content[hashlib.sha256(content).hexdigest()].append(Face(content, name, labels))
    groups = [by_content[digest] for digest in sorted(by_content)]
    agreeing = [group[0] for group in groups if len({face.labels for face in group}) == 1]
    kept = agreeing if distinct else [face for group in groups for face in group]
    if not kept:
        raise DGRError(f"{source} holds no file named AGE_GENDER_RACE_TIME.jpg.chip.jpg; give the UTKFace chips.")
    report = {
        "files": len(odd) + sum(map(len, groups)),
        "odd_names": len(odd),
        "first_odd_names": sorted(odd)[:5],
        "copies": sum(len(group) - 1 for group in groups),
        "contradicting_faces": len(groups) - len(agreeing),
        "faces": len(kept),
    }
    return kept, report


def _content(path: Path) -> bytes:
    if not path.is_file():  # opening a pipe would wait for ever
        raise refusal(path, "is no plain file")
    return path.read_bytes()


def read_labels(name: str) -> FaceLabels | None:
    """Age bin, gender and race of a file name; None where it does not carry all three."""
    match = CHIP.fullmatch(name)
    if match is None:
        return None
    age, gender, race = map(int, match.groups())
    if not AGE_EDGES[0] < age <= AGE_EDGES[-1]:
        return None
    return int(np.searchsorted(AGE_EDGES, age)) - 1, gender, race


def _decode(face: Face, size: int, source: Path) -> NDArray[np.uint8]:
    """Channels first, scaled to a square where it is not of that size already."""
    with opened_image(io.BytesIO(face.content), f"{face.name} in {source}") as image:
        scaled = image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(scaled).transpose(2, 0, 1)
