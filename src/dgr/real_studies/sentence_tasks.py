"""Six tasks of sentences as vectors, drawn so that no split shares a sentence or a copy of one with another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from dgr.config.parsing import Strict
from dgr.config.runs import SPLITS, SplitName
from dgr.core.errors import DGRError
from dgr.core.seeds import seed_for
from dgr.core.task import Task
from dgr.real_studies.sentences import SETS, Sentence, SetName
from dgr.real_studies.word_vectors import WordVectors
from dgr.studies.misaligned import TaskSplit

_EXPERIMENT = "sentence_pairs"
SHARES: dict[SplitName, float] = {"train": 0.55, "val": 0.15, "test": 0.3}
"""Of the groups of copies, by the split that they belong to."""


class SentenceSizes(Strict):
    """Sentences of each set and split; of sets with two classes as many of each."""

    train: Annotated[int, Field(gt=0, multiple_of=2)]
    """What arms train on."""
    val: Annotated[int, Field(gt=0, multiple_of=2)]
    """For choosing learning rates."""
    test: Annotated[int, Field(gt=0, multiple_of=2)]
    """What results are measured on."""


class VectorSettings(Strict):
    """Of the vectors of words, see :class:`dgr.real_studies.word_vectors.WordVectors`."""

    width: PositiveInt
    """Numbers a word, and so a sentence."""
    least: PositiveInt
    """Training sentences that a word must be in."""


class SentenceTask(NamedTuple):
    """A set as a task: inputs ``(sentences, width)`` and classes of each split."""

    task: Task
    splits: dict[SplitName, TaskSplit]


def draw_sentence_tasks(
    sets: Mapping[SetName, Sequence[Sentence]], sizes: SentenceSizes, vectors: VectorSettings, seed: int
) -> dict[SetName, SentenceTask]:
    """The six tasks of one draw.

    Groups of copies over all sets are dealt to the splits at random, and each set draws its sentences of a split from
    the groups that are there. Vectors of words are made from all training groups' sentences. A sentence is the mean of
    its words' vectors, less the mean over all tasks' training sentences and over one standard deviation common to all
    of them, so that what sets tasks apart stays.

    Args:
        sets: what :func:`dgr.real_studies.sentences.read_sets` read.
        sizes: sentences of each split.
        vectors: settings of the vectors.
        seed: of the draw.

    Raises:
        DGRError: a set has too few sentences of a class, or there are too few words.
    """
    generator = np.random.default_rng(seed_for(_EXPERIMENT, seed, "split"))
    side = _dealt(1 + max(sentence.group for members in sets.values() for sentence in members), generator)
    by_words = {tuple(s.words): None for members in sets.values() for s in members if side[s.group] == 0}
    found = WordVectors(list(by_words), vectors.width, vectors.least, seed_for(_EXPERIMENT, seed, "untrained_heads"))
    drawn: dict[SetName, dict[SplitName, list[Sentence]]] = {}
    for name, members in sets.items():
        wanted = sizes.model_dump()
        drawn[name] = {
            split: _drawn(name, split, [s for s in members if side[s.group] == place], wanted[split], generator)
            for place, split in enumerate(SPLITS)
        }
    means = {
        name: {split: found.mean_of([s.words for s in chosen]) for split, chosen in splits.items()}
        for name, splits in drawn.items()
    }
    training = np.concatenate([splits["train"] for splits in means.values()])
    middle, spread = training.mean(axis=0), training.std()
    return {
        name: SentenceTask(
            Task(name, "classification", SETS[name][0]),
            {
                split: TaskSplit(
                    torch.from_numpy((means[name][split] - middle) / spread).float(),
                    torch.tensor([s.label for s in chosen]),
                )
                for split, chosen in splits.items()
            },
        )
        for name, splits in drawn.items()
    }


def _dealt(groups: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """The position in :data:`SPLITS` of each group's split."""
    bounds = np.rint(np.cumsum([SHARES[split] for split in SPLITS])[:-1] * groups).astype(int)
    dealt = np.searchsorted(bounds, np.arange(groups), side="right")
    side: NDArray[np.int64] = dealt[generator.permutation(groups)]
    return side


def _drawn(
    name: SetName, split: SplitName, members: list[Sentence], size: int, generator: np.random.Generator
) -> list[Sentence]:
    """As many of each class where there are two, else as they come; in random order."""
    shuffled = [members[row] for row in generator.permutation(len(members))]
    kinds = [[s for s in shuffled if s.label == label] for label in (0, 1)] if SETS[name][0] == 2 else [shuffled]
    each = size // len(kinds)
    if (least := min(map(len, kinds))) < each:
        raise DGRError(
            f"Set '{name}' has {least} sentences of a class for split '{split}', but {each} are asked for; lower "
            f"'sentences: {split}' in the study's file."
        )
    chosen = [sentence for kind in kinds for sentence in kind[:each]]
    return [chosen[row] for row in generator.permutation(len(chosen))]
