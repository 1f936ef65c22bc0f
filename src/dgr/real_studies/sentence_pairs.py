"""Study W4: pairs of sentence sets: does alignment of their inputs help, and does their likeness predict transfer?

Question and method of Wu, Zhang, Ré, ICLR 2020, arXiv 2005.00944, who share an LSTM on the same six sets; what words
they start from is not known here. Here a sentence is the mean of word vectors that are learned from the training
sentences, since no pretrained ones can be had, and a narrow ReLU layer is shared: as in study W2, joint training, then
layers in front of the frozen layer. A number of a seed is made of several draws, so that a seed stands for a whole
experiment like theirs (five runs): pairs are counted on the mean of the draws.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveInt

from dgr.config.parsing import Strict
from dgr.core.seeds import seed_for
from dgr.real_studies.pair_statistics import SetPair, rank_correlation, relabelled_share, resampled_interval
from dgr.real_studies.pair_training import PairTraining, TrainedArms, accuracy_of
from dgr.real_studies.sentence_tasks import SentenceSizes, SentenceTask, VectorSettings, draw_sentence_tasks
from dgr.real_studies.sentences import SETS, Sentence, SetName, read_sets
from dgr.studies.alignment_layers import FRONTS, moved
from dgr.studies.covariance_similarity import covariance_cosine, covariance_similarity
from dgr.studies.misaligned import TaskSplit, plane_rotation
from dgr.studies.row import Row
from dgr.studies.tuned_rates import RateGrid, RateOrGrid, Trial, rate_of, tuning_trials

_EXPERIMENT = "sentence_pairs"
PAIRS: list[SetPair] = list(itertools.combinations(SETS, 2))
ALL_PAIRS = "all_pairs"
ALONE, JOINT, CONSTANT = "single_task", "equal_weighting", "constant"
ARMS = (ALONE, JOINT, *FRONTS)
Measured = dict[tuple[str, str, str], float]
"""By setting, arm and measure."""


class SentencePairs(Strict):
    """Settings of the study."""

    kind: Literal["sentence_pairs"]
    source: str
    """The source with the six sets."""
    levels: Annotated[list[Annotated[float, Field(ge=0, le=180)]], Field(min_length=1)]
    """Degrees by which the second task's inputs are turned: 0 leaves them as they are, others are controls."""
    draws: PositiveInt
    """Draws of sentences that a seed's numbers are the mean of."""
    control_draws: PositiveInt
    """The same for the controls."""
    sentences: SentenceSizes
    """How many of each set."""
    vectors: VectorSettings
    """How sentences become vectors."""
    training: PairTraining
    """Of every arm."""
    learning_rate: RateOrGrid
    """One for all, or a grid from which each arm's own is chosen by :func:`pair_trials`."""


def run(config: SentencePairs, seed: int, rates: Mapping[str, float], place: Path) -> Iterator[Row]:
    """Of each pair ``accuracy`` on test, mean of both, and ``similarity`` of inputs as the shared layer sees them.

    Over all pairs: their means, with ``cosine`` (:mod:`dgr.studies.covariance_similarity`); ``pairs_improved``, the
    number in which an arm is above equal weighting (in which equal weighting is above single tasks), and
    ``pairs_alike``, in which it makes inputs more similar, ties half; ``rank_correlation`` of the similarity before
    training with equal weighting's gain over single tasks, its bootstrap interval ``rank_low`` and ``rank_high``, and
    ``rank_p``, exact. Of each set alone: ``accuracy`` of single tasks and of always answering the most frequent class.
    """
    sets = read_sets(place)
    for level in config.levels:
        draws = config.draws if level == 0 else config.control_draws
        found = [measure_draw(config, sets, level, rates, _draw_seed(seed, draw)) for draw in range(draws)]
        means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
        means |= summarised(means, seed)
        for (setting, arm, measure), value in means.items():
            if level == 0 or setting == ALL_PAIRS:
                yield Row(setting, level, arm, measure, value)


def pair_trials(config: SentencePairs, place: Path) -> list[Trial]:
    """Each arm's trials: accuracy on validation sentences of tuning seeds as they are, mean over all pairs."""
    if not isinstance(config.learning_rate, RateGrid):
        return []
    sets, seeds = read_sets(place), config.learning_rate.seeds
    drawn = {seed: draw_sentence_tasks(sets, config.sentences, config.vectors, seed) for seed in seeds}

    def score(arm: str, rate: float, seed: int) -> float:
        tasks = drawn[seed]
        groups = [[name] for name in tasks] if arm == ALONE else PAIRS
        found = []
        for names in groups:
            chosen = [tasks[name] for name in names]  # type: ignore[index]
            model = TrainedArms(config.training, chosen, seed).train(arm, rate)
            found += [accuracy_of(model, task, "val") for task in chosen]
        return float(np.mean(found))

    return list(tuning_trials(config.learning_rate, list(ARMS), score))


def measure_draw(
    config: SentencePairs,
    sets: Mapping[SetName, Sequence[Sentence]],
    level: float,
    rates: Mapping[str, float],
    seed: int,
) -> Measured:
    """One draw: accuracies and similarities of each pair, accuracies of each set."""
    plain = draw_sentence_tasks(sets, config.sentences, config.vectors, seed)
    generator = np.random.default_rng(seed_for(_EXPERIMENT, seed, "augmentation"))
    turn = plane_rotation(config.vectors.width, level, generator)
    turned = {name: _turned(task, turn) if level else task for name, task in plain.items()}
    rate = {arm: rate_of(config.learning_rate, rates, arm) for arm in ARMS}
    alone: dict[SetName, float] = {}
    found: Measured = {}
    for name, task in plain.items():
        model = TrainedArms(config.training, [task], seed).train(ALONE, rate[ALONE])
        alone[name] = found[name, ALONE, "accuracy"] = accuracy_of(model, task, "test")
        labels = task.splits["test"].targets
        most = task.splits["train"].targets.bincount().argmax()
        found[name, CONSTANT, "accuracy"] = float((labels == most).double().mean())
    for first, second in itertools.combinations(SETS, 2):
        pair = f"{first}_{second}"
        found[pair, ALONE, "accuracy"] = (alone[first] + alone[second]) / 2
        tasks = [plain[first], turned[second]]
        arms = TrainedArms(config.training, tasks, seed)
        inputs = [task.splits["train"].inputs.double() for task in tasks]
        for arm in (JOINT, *FRONTS):
            model = arms.train(arm, rate[arm])
            found[pair, arm, "accuracy"] = float(np.mean([accuracy_of(model, task, "test") for task in tasks]))
            one, two = (seen.numpy() for seen in (inputs if arm == JOINT else moved(model, inputs)))
            found[pair, arm, "similarity"] = covariance_similarity(one, two)
            found[pair, arm, "cosine"] = covariance_cosine(one, two)
    return found


def summarised(means: Measured, seed: int) -> Measured:
    """What is said of all pairs together, from the mean over draws of each."""
    names = {pair: "_".join(pair) for pair in PAIRS}

    def of_pairs(arm: str, measure: str) -> np.ndarray:
        return np.array([means[name, arm, measure] for name in names.values()])

    found: dict[tuple[str, str], float] = {}
    for arm in ARMS:
        found[arm, "accuracy"] = of_pairs(arm, "accuracy").mean()
        if arm != ALONE:
            found |= {(arm, measure): of_pairs(arm, measure).mean() for measure in ("similarity", "cosine")}
            reference = ALONE if arm == JOINT else JOINT
            found[arm, "pairs_improved"] = _above(of_pairs(arm, "accuracy") - of_pairs(reference, "accuracy"))
        if arm in FRONTS:
            found[arm, "pairs_alike"] = _above(of_pairs(arm, "similarity") - of_pairs(JOINT, "similarity"))
    gains, alike = of_pairs(JOINT, "accuracy") - of_pairs(ALONE, "accuracy"), of_pairs(JOINT, "similarity")
    low, high = resampled_interval(alike, gains, seed_for(_EXPERIMENT, seed, "balancer"))
    by_pair = [dict(zip(PAIRS, values.tolist(), strict=True)) for values in (alike, gains)]
    found[JOINT, "rank_correlation"] = float(rank_correlation(alike, gains))
    found |= {(JOINT, "rank_low"): low, (JOINT, "rank_high"): high, (JOINT, "rank_p"): relabelled_share(*by_pair)}
    return {(ALL_PAIRS, *key): float(value) for key, value in found.items()}


def _draw_seed(seed: int, draw: int) -> int:
    """Of a draw; draws of different seeds have nothing in common."""
    return seed_for(f"{_EXPERIMENT}/draw-{draw}", seed, "split")


def _turned(task: SentenceTask, turn: np.ndarray) -> SentenceTask:
    def moved_inputs(split: TaskSplit) -> TaskSplit:
        return split._replace(inputs=(split.inputs.double() @ split.inputs.new_tensor(turn).double()).float())

    return task._replace(splits={name: moved_inputs(split) for name, split in task.splits.items()})


def _above(differences: np.ndarray) -> float:
    """How many are above zero; those at zero count half."""
    return float((differences > 0).sum() + 0.5 * (differences == 0).sum())
