"""T5, T6, F1 and F3 from made-up sweeps, beside the made-up runs of the suite."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from synthetic import SUITE, TASKS, write_plan

from dgr.config.runs import SweepConfig
from dgr.core.errors import DGRError
from dgr.figures.embedding import build as embedding_figure
from dgr.figures.embedding import densest
from dgr.figures.sensitivity import build as sensitivity_figure
from dgr.records.records import load_records
from dgr.records.rows import AGREEMENT_COLUMNS
from dgr.records.scope import Scope, open_scope
from dgr.tables.ablation import build as ablation_table
from dgr.tables.cost import build as cost_table
from dgr.tables.shared import rendering

ARCHITECTURE = {"name": "conv", "channels": [2], "width": 4, "hidden": 4}
DGR = {"name": "dgr", "strength": 0.1}
SWEEPS: dict[str, dict[str, Any]] = {
    "strength": {"regularizer.strength": [0.01, 0.1, 10.0]},
    "norm_strength": {"regularizer": [{"name": "norm", "strength": 0.001}, {"name": "norm", "strength": 0.01}]},
    "estimator": {
        "architecture.activation": ["relu", "gelu"],
        "regularizer": [
            DGR | {"estimator": "exact"},
            DGR | {"estimator": "finite_difference", "epsilon": 0.001},
            DGR | {"estimator": "finite_difference", "epsilon": 0.1},
        ],
    },
    "variant": {"regularizer": [DGR | {"num_dummies": 4}, DGR | {"norm": "plain", "per_task": True}]},
    "normalized": {"architecture.normalize": [True], "regularizer.strength": [0.0, 1.0]},
}
COLLAPSED = 10.0


def make_sweeps(plan: dict[str, Any], names: Any = SWEEPS) -> None:
    for name in names:
        run = {
            "suite": SUITE,
            "dataset": "digits",
            "architecture": ARCHITECTURE,
            "method": {"name": "equal_weighting", "options": {}},
            "regularizer": DGR,
            "seeds": [0, 1],
            "training": {"epochs": 2, "batch_size": 4, "learning_rate": 0.01},
        }
        entry = {"suite": SUITE, "name": name, "run": run, "vary": SWEEPS[name]}
        plan.setdefault("sweeps", {})[f"{SUITE}-digits-conv-{name}"] = entry


def sweep_frames(plan: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, agreement = [], []
    for entry in plan["sweeps"].values():
        for (settings, config), seed in itertools.product(SweepConfig(**entry).points(), entry["run"]["seeds"]):
            names = {"suite": SUITE, "sweep": entry["name"], "settings": json.dumps(settings), "seed": seed}
            strength = getattr(config.regularizer, "strength", 0.0)
            top = 0.2 if strength == COLLAPSED else 0.9 + 0.01 * seed
            values = {(task, "accuracy"): top for task in TASKS} | {("representation", "mean_norm"): 5.0 + seed}
            for split, ((task, metric), value) in itertools.product(("val", "test"), values.items()):
                shifted = value - 0.05 * (split == "val")
                rows.append({**names, "split": split, "task": task, "metric": metric, "value": shifted})
            if getattr(config.regularizer, "estimator", None) == "finite_difference":
                agreement += [{**names, "epoch": e, "cosine": 0.5 + 0.1 * e, "norm_ratio": 2.0} for e in range(3)]
    return pd.DataFrame(rows), pd.DataFrame(agreement, columns=AGREEMENT_COLUMNS)


def make_costs() -> pd.DataFrame:
    place = {"suite": SUITE, "dataset": "digits", "architecture": "conv", "device": "cpu (made up)", "threads": 1}
    cases = [("pcgrad", "dgr", 4, 0.030), ("pcgrad", "none", 0, 0.016), ("pcgrad", "dgr", 1, 0.020)]
    cases += [("equal_weighting", "authors", 1, 0.024), ("equal_weighting", "none", 0, 0.008)]
    names = ("method", "regularizer", "num_dummies", "seconds_per_step")
    rows = [{**place, **dict(zip(names, case, strict=True))} for case in cases]
    return pd.DataFrame(rows).assign(ratio=lambda frame: frame["seconds_per_step"] / 0.008, peak_memory_mb=7.04)


@pytest.fixture
def opened(results: Path, plan: dict[str, Any]) -> Any:
    """A scope with sweeps; the names of some may be given."""

    def open_(name: str, chosen: Any = SWEEPS) -> Scope:
        make_sweeps(plan, chosen)
        for kind, names in (("tables", ("T5", "T6")), ("figures", ("F1", "F3"))):
            plan[kind] |= {f"{SUITE}-{each}": {"suite": SUITE, "name": each} for each in names}
        write_plan(plan)
        sweeps, agreement = sweep_frames(plan)
        texts = {"sweeps": sweeps, "agreement": agreement, "costs": make_costs()}
        for file, frame in texts.items():
            frame.to_csv(results / f"records/{file}.csv", index=False)
        return open_scope(
            "tables" if name[0] == "T" else "figures", SUITE, name, plan, load_records(results / "records")
        )

    return open_


def without(scope: Scope, **values: Any) -> Scope:
    """The same without some rows of the sweeps."""
    sweeps = scope.records.sweeps
    gone = (sweeps[list(values)] == pd.Series(values)).all(axis=1)
    return replace(scope, records=replace(scope.records, sweeps=sweeps[~gone]))


def test_one_row_a_point_under_the_plain_runs(opened: Any, plan: dict[str, Any]) -> None:
    table = ablation_table(opened("T6"))
    points = [point for entry in plan["sweeps"].values() for point in SweepConfig(**entry).points()]
    assert len(table.text) == len(table.data) == len(table.groups) == 1 + len(points)
    assert table.groups == sorted(table.groups)
    swept = [key for key, entry in plan["sweeps"].items() for _ in SweepConfig(**entry).points()]
    assert table.records == [["toy-digits-conv-equal_weighting-none"], *([key] for key in swept)]
    assert not table.text[["Study", "Setting"]].duplicated().any()
    first = table.text.iloc[1]
    assert (first["Study"], first["Setting"], first["n"]) == ("DGR", "λ = 0.01", "2")
    assert first["Accuracy (%) ↑"] == "90.50 ± 0.71"
    assert first["Mean ‖z‖"] == "5.50 ± 0.71"
    for part in ("few seeds (0, 1)", "no test is made", "nothing is chosen"):
        assert part in " ".join(table.notes)
    assert all(ord(letter) < 128 for letter in rendering.to_latex(table, "tab:x"))


def test_the_difference_is_to_the_plain_runs_of_the_same_seeds(opened: Any) -> None:
    scope = opened("T6")
    plain = scope.values("test", dict.fromkeys(TASKS, "accuracy")).loc[("equal_weighting", "none")].mean(axis=1)
    row = ablation_table(scope).data.iloc[1]
    assert row["difference_mean"] == pytest.approx(((0.90 - plain[0]) + (0.91 - plain[1])) / 2)


def test_settings_are_told_in_words(opened: Any) -> None:
    settings = set(ablation_table(opened("T6")).text["Setting"])
    assert {
        "β = 0.001",
        "λ = 0.1, exact, ReLU heads",
        "λ = 0.1, FD, ε = 0.001, GELU heads",
        "λ = 0.1, N = 4",
        "λ = 0.1, plain norm, one norm a task",
        "λ = 0",
    } <= settings


def test_agreement_is_averaged_over_what_was_trained(opened: Any) -> None:
    table = ablation_table(opened("T6"))
    compared = table.data["settings"].str.contains("finite_difference")
    assert table.data.loc[compared, "cosine"].tolist() == pytest.approx([0.65] * 4)
    assert (table.text.loc[~compared, "Cosine"] == "").all()


@pytest.mark.parametrize("gone", [{"sweep": "variant", "seed": 1}, {"split": "test", "task": "left", "seed": 0}])
def test_a_missing_seed_or_metric_is_not_averaged_over(opened: Any, gone: dict[str, Any]) -> None:
    scope = without(opened("T6"), **gone)
    with pytest.raises(DGRError, match=f"not those configured for seeds {gone['seed']}; run `python -m dgr collect"):
        ablation_table(scope)


def test_without_sweeps_or_costs_the_tables_say_what_to_configure(results: Path, plan: dict[str, Any]) -> None:
    scope = open_scope("tables", SUITE, "T1", plan, load_records(results / "records"))
    with pytest.raises(DGRError, match="needs sweeps; add a file of kind 'sweeps'"):
        ablation_table(scope)
    with pytest.raises(DGRError, match="needs measured costs; add a file of kind 'cost'"):
        cost_table(scope)


def titles(figure: Figure) -> list[str]:
    return [axis.get_title(loc="left") for axis in figure.axes]


def test_six_panels(opened: Any) -> None:
    drawing = sensitivity_figure(opened("F3"))
    assert [title[:3] for title in titles(drawing.figure)] == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)"]
    assert not any("not studied" in text.get_text() for axis in drawing.figure.axes for text in axis.texts)
    strength = drawing.figure.axes[0]
    dgr = next(line for line in strength.lines if line.get_label() == "DGR, against λ")
    # The point of the estimator's sweep with the usual settings is one of the curve, and is not counted twice.
    assert list(dgr.get_xdata()) == [0.01, 0.1, 10.0]
    assert list(dgr.get_ydata()) == pytest.approx([90.5, 90.5, 20.0])
    assert [text.get_text() for text in strength.texts] == ["20"], "a mean below the panel stands at its edge"
    for part in ("n = 2 seeds", "no test is made", "shrinking z explains"):
        assert part in drawing.caption


def test_every_multi_task_run_is_in_the_scatter(opened: Any) -> None:
    scope = opened("F3")
    size = sensitivity_figure(scope).figure.axes[1]
    shown = sum(len(np.asarray(group.get_offsets())) for group in size.collections)
    main = sum(len(entry["seeds"]) for entry in scope.runs.values() if entry["method"]["name"] != "single_task")
    points = sum(len(SweepConfig(**entry).points()) for entry in scope.sweeps.values())
    assert shown >= main + 2 * (points - 1), "all but the usual point that two sweeps share"


def test_a_representation_that_vanished_leaves_the_layout_whole(opened: Any) -> None:
    """‖z‖ = 0 on a logarithmic axis, with its accuracy below the panel: marked at the left edge."""
    scope = opened("F3")
    sweeps = scope.records.sweeps.copy()
    vanished = sweeps["settings"].str.contains("10.0") & (sweeps["metric"] == "mean_norm")
    assert vanished.any()
    sweeps.loc[vanished, "value"] = 0.0
    figure = sensitivity_figure(replace(scope, records=replace(scope.records, sweeps=sweeps))).figure
    figure.draw_without_rendering()
    size, below = figure.axes[1], figure.axes[3]
    assert [text.get_text() for text in size.texts] == ["20"]
    assert size.texts[0].xy[0] == size.get_xlim()[0]
    assert below.get_tightbbox().y1 < size.xaxis.label.get_window_extent().y0


def test_what_was_not_studied_says_so(opened: Any) -> None:
    figure = sensitivity_figure(opened("F3", ["strength"])).figure
    empty = [axis for axis in figure.axes if any(text.get_text() == "not studied" for text in axis.texts)]
    assert titles(figure)[2:] == [axis.get_title(loc="left") for axis in empty]


def test_costs_are_told_against_equal_weighting_and_the_method_alone(opened: Any, plan: dict[str, Any]) -> None:
    place = {"suite": SUITE, "dataset": "digits", "architecture": ARCHITECTURE}
    plan["costs"] = {"toy-digits-conv": place, "toy-rooms-conv": {**place, "dataset": "rooms"}}
    table = cost_table(opened("T5"))
    assert table.records == [["toy-digits-conv"]] * 5
    assert table.text["Method"].tolist() == ["PCGrad", "PCGrad", "PCGrad", "EW", "EW"]
    assert table.text["N"].tolist() == ["–", "1", "4", "–", "1"]
    assert table.text["Time (ms) ↓"].tolist() == ["16.0", "20.0", "30.0", "8.0", "24.0"]
    assert table.text["Time / EW"].tolist() == ["2.00", "2.50", "3.75", "1.00", "3.00"]
    assert table.text["Time / method alone"].tolist() == ["1.00", "1.25", "1.88", "1.00", "3.00"]
    assert table.text["Regularizer"].tolist()[-1] == "+ DGR as released"
    for part in ("cpu (made up), 1 thread.", "processor time", "lower bound"):
        assert part in " ".join(table.notes)
    assert all(ord(letter) < 128 for letter in rendering.to_latex(table, "tab:x"))


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
    drawing = embedding_figure(embedded)
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
        embedding_figure(embedded)
    path.unlink()
    with pytest.raises(DGRError, match=r"embedding\.csv is missing"):
        embedding_figure(embedded)


def test_a_label_stands_where_its_class_is_densest() -> None:
    places = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1], [5.0, 5.0], [9.0, 9.0], [-7.0, 3.0]])
    assert densest(places).tolist() == [0.0, 0.0]
    assert densest(places[:1]).tolist() == [0.0, 0.0]
