import numpy as np
import pandas as pd
import pytest
from made_up_records import make_records

from dgr.core.errors import DGRError
from dgr.records.outcomes import (
    delta_m_per_run,
    last_universality,
    mean_over_tasks,
    metric_values,
    primary_metrics,
    probe_accuracies,
    trained_out,
    trained_tasks,
)

RUN = ("pcgrad", "dgr", 3)


def of_run(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame[["method", "regularizer", "seed"]] == list(RUN)).all(axis=1)]


def test_delta_m_at_either_moment_is_that_of_plain_numpy() -> None:
    runs = make_records().runs
    runs.loc[runs["moment"] == "best_validation", "value"] += 0.01 * (runs["method"] != "single_task")
    for moment in ("final", "best_validation"):
        rows = runs[(runs["split"] == "test") & (runs["moment"] == moment) & runs["primary"]]
        reference = rows[rows["method"] == "single_task"].groupby("task")["value"].mean()
        own = of_run(rows).set_index("task")["value"]
        assert delta_m_per_run(runs, moment)[RUN] == pytest.approx(100 * np.mean(own / reference - 1))
    assert (delta_m_per_run(runs, "best_validation") > delta_m_per_run(runs)).loc["pcgrad"].all()


def test_primary_metrics_and_their_values() -> None:
    runs = make_records().runs
    assert primary_metrics(runs) == {"left": "accuracy", "right": "accuracy"}
    assert trained_tasks(runs) == {"left", "right"}
    values = metric_values(runs, {"right": "accuracy"}, "val")
    wanted = of_run(runs).query("task == 'right' and split == 'val' and moment == 'final'")["value"]
    assert values.loc[RUN].tolist() == wanted.tolist()


@pytest.mark.parametrize(("tasks", "names"), [("trained", ["left", "right"]), ("new", ["parity"])])
def test_probe_accuracies_are_averaged_over_the_chosen_tasks(tasks: str, names: list[str]) -> None:
    records = make_records()
    found = mean_over_tasks(probe_accuracies(records.probes), trained_tasks(records.runs), tasks)
    own = of_run(records.probes).query("given == 'representation' and classifier == 'knn' and task in @names")
    assert found[(*RUN, "knn")] == pytest.approx(own["value"].mean())


def test_universality_is_that_of_the_last_epoch() -> None:
    records = make_records()
    values = last_universality(records.universality, "refitted_loss")
    last = of_run(records.universality).query("epoch == 3")
    for tasks, names in (("trained", ["left", "right"]), ("new", ["parity"])):
        found = mean_over_tasks(values, {"left", "right"}, tasks)
        assert found[RUN] == pytest.approx(last[last["task"].isin(names)]["refitted_loss"].mean())


def test_a_run_that_lacks_a_task_has_no_mean_over_fewer() -> None:
    records = make_records()
    probes = records.probes
    gone = of_run(probes).query("task == 'left' and classifier == 'knn'").index
    found = mean_over_tasks(probe_accuracies(probes.drop(gone)), {"left", "right"}, "trained")
    assert np.isnan(found[(*RUN, "knn")])
    assert not found.drop((*RUN, "knn")).isna().any()


def test_a_missing_metric_is_named() -> None:
    runs = make_records().runs
    gone = of_run(runs).query("task == 'left' and split == 'test' and moment == 'final'").index
    with pytest.raises(DGRError, match="1 runs lack a task's test metric, the first pcgrad, dgr, 3; train"):
        delta_m_per_run(runs.drop(gone))


def with_history(**columns: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Metrics of one run of two tasks, one whose error falls, and its history."""
    run = dict(zip(("method", "regularizer", "seed"), RUN, strict=True))
    metrics = {"left": "accuracy", "right": "absolute_error"}
    frame = [{**run, "task": task, "metric": metric, "primary": True} for task, metric in metrics.items()]
    history = {f"val_{metrics[task]}/{task}": values for task, values in columns.items()}
    return pd.DataFrame(frame), pd.DataFrame({**{k: [v] * 4 for k, v in run.items()}, **history})


@pytest.mark.parametrize(
    ("left", "right", "change"),
    [
        ([0.5, 0.5, 0.5, 0.52], [2.0] * 4, (0.51 / 0.5 - 1) / 2),
        ([0.4, 0.5, 0.6, 0.6], [2.0, 2.0, 1.0, 1.0], (0.6 / 0.45 - 1 + 0.5) / 2),  # both grow better
        ([0.5, 0.5, 0.55, 0.55], [2.0, 2.0, 2.2, 2.2], 0.0),  # one grows better, one as much worse
    ],
)
def test_a_run_is_trained_out_where_its_validation_hardly_changes(
    left: list[float], right: list[float], change: float
) -> None:
    frames = with_history(left=left, right=right)
    for points, flat in ((100 * change + 0.01, True), (100 * change - 0.01, False)):
        if points > 0:
            assert trained_out(*frames, 2, points)[RUN] == flat


def test_a_run_that_is_too_short_to_be_held_flat_is_refused() -> None:
    with pytest.raises(DGRError, match="Runs of fewer than 6 epochs cannot be held to be flat over 3; train longer"):
        trained_out(*with_history(left=[0.5] * 4, right=[1.0] * 4), 3, 1.0)
