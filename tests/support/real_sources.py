"""Made folders in the form of the sources that studies of fetched data read, and where the real copies lie."""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from dgr.config.sources import read_source
from dgr.datasets.fetch import fetch_source
from dgr.real_studies.pictures import PICTURE_CLASSES
from dgr.real_studies.sentences import SETS

ROOT = Path(__file__).parents[2]
MIRROR = Path(os.environ.get("DGR_DATA_MIRROR", ROOT.parent / "shared/data"))


def real(source: str) -> Path:
    """The small copy, which may be missing."""
    return MIRROR / source / f"{source}.tar.gz"


def fetched(source: str, root: Path) -> Path:
    """The small copy, unpacked and checked against ``sources.yaml``."""
    fetch_source(source, read_source(ROOT / "paper_configs", source), root, str(real(source)))
    return root / source


def made_pictures(root: Path, train: int = 6, test: int = 6) -> Path:
    """Pictures of ten classes: noise around a grey that tells the class."""
    generator = np.random.default_rng(0)
    for folder, count in (("train", train), ("test", test)):
        for label, name in enumerate(PICTURE_CLASSES):
            (root / folder / name).mkdir(parents=True)
            for number in range(count):
                noise = generator.integers(0, 40, (32, 32, 3)) + 20 * label
                Image.fromarray(noise.astype(np.uint8)).save(root / folder / name / f"{number:04}.png")
    return root


def made_sentences(root: Path, each: int = 200) -> Path:
    """Six sets whose words tell the class, with SST made of MR's sentences and a line of another encoding."""
    root.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(generator.choice(letters, 5)) for _ in range(60)]
    kept: list[str] = []
    for name, (classes, files) in SETS.items():
        lines = []
        for number in range(each * len(files)):
            label = number % classes
            chosen = [words[9 * label + k] for k in generator.integers(0, 9, 5)]
            chosen += [words[k] for k in generator.integers(0, 60, 5)]
            lines.append(f"{label} {' '.join(chosen)} .")
        if name == "mr":
            kept = lines
            lines = [*lines, "1 caf\u00e9 noir is tr\u00e8s bon ."]
        if name == "sst":
            lines[: len(kept)] = [line.upper().replace(" .", " !") for line in kept]
        for part, file in enumerate(files):
            own = lines[part :: len(files)]
            (root / file).write_bytes("\n".join([*own, ""]).encode("latin-1"))
    return root
