from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from synthetic import SUITE, write_plan

from dgr.core.errors import DGRError
from dgr.figures.embedding import build, densest
from dgr.records.scope import Scope


@pytest.fixture
def embedded(opened: Any, plan: dict[str, Any], results: Path) -> Scope:
    """A scope with an embedding of 30 samples."""
    scope: Scope = opened("F1")
    key = f"{SUITE}-digits-conv-equal_weighting"
    runs = {"plain": f"{key}-none", "regularized": f"{key}-dgr"}
    entry = {"suite": SUITE, "dataset": "digits", **runs, "seed": 0, "samples": 30, "perplexity": 5.0}
    plan["embeddings"] = {SUITE: entry}
    write_plan(plan)
    random = np.random.default_rng(0)
    labels = {"left": np.arange(30) % 10, "right": np.arange(30) // 3}
    frames = [
        pd.DataFrame({"regularizer": name, "x": random.random(30), "y": random.random(30), **labels})
        for name in ("none", "dgr")
    ]
    pd.concat(frames).to_csv(results / "records/embedding.csv", index=False)
    return scope


def test_a_row_a_task_and_a_column_a_run(embedded: Scope) -> None:
    drawing = build(embedded)
    assert [axis.get_title() for axis in drawing.figure.axes] == [
        "EW: coloured by the left label",
        "EW + DGR: coloured by the left label",
        "EW: coloured by the right label",
        "EW + DGR: coloured by the right label",
    ]
    for axis in drawing.figure.axes:
        assert sorted(int(text.get_text()) for text in axis.texts) == list(range(10)), "each class is named"
    for part in ("perplexity 5", "seed 0 for both", "no evidence"):
        assert part in drawing.caption


def test_an_embedding_of_other_samples_is_refused(embedded: Scope, results: Path) -> None:
    path = results / "records/embedding.csv"
    pd.read_csv(path).iloc[:-1].to_csv(path, index=False)
    with pytest.raises(DGRError, match=r"30 samples of both runs; make it with `python -m dgr embed toy`"):
        build(embedded)
    path.unlink()
    with pytest.raises(DGRError, match=r"embedding\.csv is missing"):
        build(embedded)


def test_a_label_stands_where_its_class_is_densest() -> None:
    places = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1], [5.0, 5.0], [9.0, 9.0], [-7.0, 3.0]])
    assert densest(places).tolist() == [0.0, 0.0]
    assert densest(places[:1]).tolist() == [0.0, 0.0]
