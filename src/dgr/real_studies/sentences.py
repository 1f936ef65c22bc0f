"""Six sets of labelled sentences, read line by line, and which of them are copies of each other.

MR (film reviews, for or against), SUBJ (subjective or not), CR (reviews of products), MPQA (opinions), TREC (six kinds
of questions) and SST-2. SST is made of MR's sentences, and SUBJ's subjective ones are largely MR's too: as tasks of one
model, a copy in training and another in test would be a leak.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Literal, NamedTuple

from scipy.cluster.hierarchy import DisjointSet

from dgr.core.errors import DGRError

SetName = Literal["mr", "subj", "cr", "mpqa", "trec", "sst"]
SETS: dict[SetName, tuple[int, tuple[str, ...]]] = {
    "mr": (2, ("rt-polarity.all",)),
    "subj": (2, ("subj.all",)),
    "cr": (2, ("custrev.all",)),
    "mpqa": (2, ("mpqa.all",)),
    "trec": (6, ("TREC.train.all", "TREC.test.all")),
    "sst": (2, ("stsa.binary.train", "stsa.binary.dev", "stsa.binary.test")),
}
"""Classes and files of each set. Published splits are not kept: three sets have none."""
WORD = re.compile(r"[a-z0-9']+")
NOT_IN_KEY = re.compile(r"-lrb-|-rrb-|[^a-z0-9]")
EDGE = 30
"""Letters at the start or the end by which longer sentences count as copies: SST parts and corrects MR's."""


class Sentence(NamedTuple):
    """One sentence of a set: its class, its words, and the group of copies that it belongs to."""

    label: int
    words: list[str]
    group: int


def read_sets(place: Path) -> dict[SetName, list[Sentence]]:
    """Every distinct sentence of each set, and groups over all sets.

    Two sentences are the same where their letters and digits are (:func:`sentence_key`). A set keeps one of them, or
    none where their labels contradict each other. Sentences without a letter or digit are left out: CR and MPQA, as
    published, have eight that are empty. A group holds what is the same or has the first or last :data:`EDGE` letters
    in common, in whatever set; a whole group has to be on one side of a split.

    Args:
        place: a folder with the files of :data:`SETS`, at any depth.

    Raises:
        DGRError: a file is missing or there twice, or a line's label is no class.
    """
    found: dict[SetName, dict[str, list[tuple[int, str]]]] = {}
    for name, (classes, files) in SETS.items():
        found[name] = defaultdict(list)
        for file in files:
            for label, text in _read(_file(place, file), classes):
                found[name][sentence_key(text)].append((label, text))
    groups = group_copies(sorted({key for keys in found.values() for key in keys if key}))
    return {
        name: [
            Sentence(same[0][0], words_of(same[0][1]), groups[key])
            for key, same in keys.items()
            if key and len({label for label, _ in same}) == 1
        ]
        for name, keys in found.items()
    }


def sentence_key(text: str) -> str:
    """Letters a to z and digits of a sentence, without accents, case, spaces and what stands for brackets."""
    return NOT_IN_KEY.sub("", _plain(text))


def words_of(text: str) -> list[str]:
    """Words in small letters, without accents; apostrophes stay, since ``n't`` matters."""
    return WORD.findall(_plain(text))


def group_copies(keys: list[str]) -> dict[str, int]:
    """The group of each key, numbered in the order of the keys."""
    sets = DisjointSet(range(len(keys)))
    first: dict[tuple[str, str], int] = {}
    for number, key in enumerate(keys):
        for edge in (("start", key[:EDGE]), ("end", key[-EDGE:])):
            sets.merge(first.setdefault(edge, number), number)
    roots = [sets[number] for number in range(len(keys))]
    names = {root: group for group, root in enumerate(dict.fromkeys(roots))}
    return {key: names[root] for key, root in zip(keys, roots, strict=True)}


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.lower())
    return apart if apart.isascii() else "".join(letter for letter in apart if not unicodedata.combining(letter))


def _file(place: Path, name: str) -> Path:
    paths = sorted(place.rglob(name))
    if len(paths) != 1:
        raise DGRError(f"{place} has {len(paths)} files {name}, but must have one; fetch the source again.")
    return paths[0]


def _read(path: Path, classes: int) -> list[tuple[int, str]]:
    """Label and text of each line. Lines end with a line feed and nothing else: MR and SUBJ hold other separators."""
    lines = path.read_bytes().split(b"\n")
    return [_parsed(line, f"{path}, line {number}", classes) for number, line in enumerate(lines, start=1) if line]


def _parsed(line: bytes, where: str, classes: int) -> tuple[int, str]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")  # some lines of MR, SUBJ and TREC; every byte is a letter there
    label, _, sentence = text.partition(" ")
    if label not in map(str, range(classes)):
        raise DGRError(f"{where} has the label '{label[:20]}', but labels are 0 to {classes - 1}; correct the line.")
    return int(label), sentence
