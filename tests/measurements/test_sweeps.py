import json

import pytest
import torch
import yaml
from committed_support import committed

from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS, DATA, PLAN, UNFINISHED, output_path, tuning_file
from dgr.datasets.prepared import load
from dgr.measurements import sweeps
from dgr.measurements.sweeps import ComparedRun, agreement
from dgr.plan.expand import make_plans
from dgr.training.configuration import RunConfig, SweepConfig
from dgr.training.evaluation import represent
from dgr.training.run import Run

KEY = "mini-multimnist-conv-strength"
FINITE = {"name": "dgr", "strength": 0.1, "estimator": "finite_difference", "epsilon": 0.01}


def record():
    return json.loads(output_path("mini", "sweep", f"{KEY}.json").read_text())


def test_every_point_and_seed_is_trained_and_recorded(project, edit_plan):
    run = yaml.safe_load(PLAN.read_text())["sweeps"][KEY]["run"]
    edit_plan("sweeps", KEY, run={"seeds": [0, 1]})
    sweeps.sweep(KEY, "cpu")
    rows = record()["rows"]
    quantities = {(row["split"], row["task"], row["metric"]) for row in rows}
    metrics = [("left", "accuracy"), ("left", "loss"), ("right", "accuracy"), ("right", "loss")]
    metrics.append(("representation", "mean_norm"))
    assert quantities == {(split, *metric) for split in ("val", "test") for metric in metrics}
    assert len(rows) == 2 * 2 * len(quantities)
    assert not list(UNFINISHED.iterdir()), "nothing is left behind"
    assert record()["agreement"] == [], "only finite differences are compared"

    # A point is the run of that configuration.
    config = RunConfig(**run)
    config = config.resolved(config.training.learning_rate, 1.0)
    alone = Run(config, 0, load("multimnist", DATA), torch.device("cpu"), project / "alone.pt")
    alone.train()
    at_one = [row for row in rows if row["settings"] == {"regularizer.strength": 1.0} and row["seed"] == 0]
    z = represent(alone.model, alone.splits["test"].batch(slice(None))[0])
    norm = next(row["value"] for row in at_one if row["metric"] == "mean_norm" and row["split"] == "test")
    assert norm == pytest.approx(z.norm(dim=1).mean().item(), rel=1e-5)


def test_finished_points_of_a_killed_sweep_are_kept(project, monkeypatch):
    train, trained = Run.train, []

    def killed_at_the_second(run):
        if trained:
            raise KeyboardInterrupt
        trained.append(run.config.strength)
        train(run)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "train", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            sweeps.sweep(KEY, "cpu")
    assert not output_path("mini", "sweep", f"{KEY}.json").exists()
    monkeypatch.setattr(Run, "train", lambda run: (trained.append(run.config.strength), train(run)))
    sweeps.sweep(KEY, "cpu")
    assert trained == [0.01, 1.0]
    resumed = output_path("mini", "sweep", f"{KEY}.json").read_bytes()
    sweeps.sweep(KEY, "cpu")
    assert output_path("mini", "sweep", f"{KEY}.json").read_bytes() == resumed


def test_agreement_is_recorded_along_training_by_finite_differences(project, edit_plan):
    heads = {"architecture.activation": ["gelu"], "regularizer": [FINITE, FINITE | {"estimator": "exact"}]}
    plan = yaml.safe_load(PLAN.read_text())
    plan["sweeps"][KEY] |= {"vary": heads}
    PLAN.write_text(json.dumps(plan))
    sweeps.sweep(KEY, "cpu")
    rows = record()["agreement"]
    assert [row["epoch"] for row in rows] == [0, 1], "the untrained encoder and the end of each epoch"
    assert {row["settings"]["regularizer"]["estimator"] for row in rows} == {"finite_difference"}
    for row in rows:
        assert row["cosine"] == pytest.approx(1, abs=1e-3), "without kinks both estimators agree"
        assert row["norm_ratio"] == pytest.approx(1, abs=0.05)


def test_a_sweep_over_methods_is_refused_for_the_pipeline_watches_the_file_of_one(project):
    entry = yaml.safe_load(PLAN.read_text())["sweeps"][KEY]
    for path, value in (("method.name", "pcgrad"), ("method", {"name": "pcgrad"})):
        with pytest.raises(DGRError, match=r"varies its method.* give each method a sweep of its own"):
            SweepConfig(**entry | {"vary": {path: [value]}}).points()


def test_a_compared_run_trains_like_any_other(project):
    run = yaml.safe_load(PLAN.read_text())["sweeps"][KEY]["run"] | {"regularizer": FINITE}
    made = []
    for kind in (Run, ComparedRun):
        checkpoint = project / f"{kind.__name__}.pt"
        made.append(kind(RunConfig(**run), 0, load("multimnist", DATA), torch.device("cpu"), checkpoint))
        made[-1].train()
    states = [run.model.state_dict().values() for run in made]
    assert all(torch.equal(one, other) for one, other in zip(*states, strict=True))


def test_agreement_of_known_vectors():
    exact = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    assert agreement(exact, exact) == pytest.approx({"cosine": 1, "norm_ratio": 1})
    assert agreement(exact, -2 * exact) == pytest.approx({"cosine": -1, "norm_ratio": 2})
    crossed = torch.tensor([[0.0, 5.0], [5.0, 0.0]])
    assert agreement(exact, crossed)["cosine"] == pytest.approx(0)


def test_a_point_that_diverges_is_named(project, edit_plan, monkeypatch):
    def diverge(run):
        raise DGRError("the loss is nan.")

    monkeypatch.setattr(Run, "train", diverge)
    with pytest.raises(DGRError, match=r"Sweep 'strength' at \{'regularizer.strength': 0.01\}: the loss is nan"):
        sweeps.sweep(KEY, "cpu")


def test_an_unknown_sweep_names_the_nearest(project):
    with pytest.raises(DGRError, match="did you mean 'mini-multimnist-conv-strength'"):
        sweeps.sweep("mini-multimnist-conv-strenght", "cpu")


def test_the_mini_sweeps_compare_with_the_main_comparison(request):
    """Whatever is not varied is as in the main comparison, and the seeds are among its seeds.

    The learning rate is the one that was tuned for DGR there.
    """
    plan = make_plans(request.config.rootpath / CONFIGS)[PLAN]
    plain = RunConfig(**plan["tuned_runs"]["mini-multimnist-conv-equal_weighting-dgr"])
    outcome = committed() / tuning_file("mini", plain.key)
    rate = json.loads(outcome.read_text(encoding="utf-8"))["chosen"]["learning_rate"]
    same = {"learning_rate": rate, "snapshot_epochs": [], "trained_out": None}
    for name, entry in plan["sweeps"].items():
        run = SweepConfig(**entry).run
        for part in ("dataset", "architecture", "method"):
            assert getattr(run, part) == getattr(plain, part), (name, part)
        assert run.training == plain.training.model_copy(update=same), name
        assert set(run.seeds) <= set(plain.seeds), name
