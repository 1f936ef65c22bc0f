"""The embedding stage: two runs' test representations as points in the plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.config.runs import EmbeddingConfig
from dgr.core.errors import DGRError
from dgr.core.files import write_text
from dgr.core.paths import DATA, output_path, trained_folder
from dgr.datasets.prepared import load
from dgr.measurements.representation_file import load_representation


def embed(key: str) -> None:
    """Embed the same test samples of a plain and of a regularized run and write their places.

    Columns: ``regularizer, x, y``, then the label of each task of classification; one row a sample.

    Args:
        key: a key of the plan's embeddings.

    Raises:
        DGRError: unknown key, missing data or runs, no task of classification, or fewer samples than asked for or than
            the perplexity needs.
    """
    config = parse(EmbeddingConfig, plan_entry(key, ("embeddings",)), key)
    data = load(config.dataset, DATA, config.seed)
    coloured = [task.name for task in data.tasks if task.kind == "classification"]
    if not coloured:
        raise DGRError(f"{key}: points are coloured by class, but {config.dataset} has no task of classification.")
    labels = {task: data.splits["test"].targets[task].numpy() for task in coloured}
    available = len(data.splits["test"])
    if not config.perplexity < config.samples <= available:
        raise DGRError(
            f"{key}: {config.samples} samples are embedded, but that must be more than the perplexity "
            f"{config.perplexity:g} and at most the {available} of the test split."
        )
    chosen = np.sort(np.random.default_rng(config.seed).permutation(available)[: config.samples])
    frames = []
    for run in (config.plain, config.regularized):
        z = _representation(config.suite, run, config.seed, available)[chosen]
        places = tsne(z, config.perplexity, config.seed)
        columns = {"regularizer": run.rpartition("-")[2], "x": places[:, 0], "y": places[:, 1]}
        frames.append(pd.DataFrame(columns | {task: values[chosen] for task, values in labels.items()}))
    # Four decimals of some tens of units are far finer than a dot.
    text = pd.concat(frames).to_csv(index=False, lineterminator="\n", float_format="%.4f")
    write_text(output_path(config.suite, "embed", f"{key}.csv"), text)


def tsne(representation: NDArray[np.float32], perplexity: float, seed: int) -> NDArray[np.float32]:
    """t-SNE in two dimensions, started from the principal components, with Euclidean distances.

    Args:
        representation: shape ``(samples, …)``, taken as they are: neither centred nor scaled.
        perplexity: effective number of neighbours.
        seed: of what is random in it.

    Returns:
        Shape ``(samples, 2)``; the same on one machine for the same input.
    """
    model = TSNE(n_components=2, perplexity=perplexity, init="pca", random_state=seed)
    with threadpool_limits(limits=1):  # sums come out differently with another number of threads
        places: NDArray[np.float32] = model.fit_transform(representation.reshape(len(representation), -1))
    return places


def _representation(suite: str, run: str, seed: int, samples: int) -> NDArray[Any]:
    remedy = f"run `python -m dgr train {run}`"
    path = trained_folder(suite, run) / f"seed-{seed}.npz"
    z = load_representation(path, remedy)["test"]
    if len(z) != samples:
        raise DGRError(f"{path} has {len(z)} test samples, but the data set {samples}; {remedy}.")
    return z
