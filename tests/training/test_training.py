import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from method_support import options_for

from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS, DATA, MADE, PLAN, UNFINISHED, output_path, trained_folder
from dgr.datasets.prepared import load
from dgr.methods.registry import METHODS, build_method
from dgr.methods.shared.base import forward
from dgr.training import stages
from dgr.training.configuration import RunConfig
from dgr.training.epoch import Epoch
from dgr.training.run import Run

EW = "mini-multimnist-conv-equal_weighting-none"
DGR = "mini-multimnist-conv-equal_weighting-dgr"
STL = "mini-multimnist-conv-single_task-none"
CPU = torch.device("cpu")


def make_run(method="equal_weighting", regularizer=None, seed=0, checkpoint=Path("resume.pt"), **training):
    entry = yaml.safe_load(PLAN.read_text())["runs"][EW]
    entry["method"] = {"name": method, "options": options_for(method, "left")}
    entry["regularizer"] = regularizer or {"name": "none"}
    entry["training"] |= training
    return Run(RunConfig(**entry), seed, load("multimnist", DATA), CPU, checkpoint)


def same_state(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_stage_writes_the_files_of_every_seed(project):
    stages.train(EW, "cpu")
    plan = yaml.safe_load(PLAN.read_text())["runs"][EW]
    data = load("multimnist", DATA)
    for seed in plan["seeds"]:
        folder = output_path("mini", "train", EW) / f"seed-{seed}"
        assert {path.name for path in folder.iterdir()} == {
            "metrics.json", "history.csv", "answers.npz", "manifest.json",
        }  # fmt: skip
        with np.load(trained_folder("mini", EW) / f"seed-{seed}.npz") as arrays:
            for split in ("train", "val", "test"):
                assert arrays[split].dtype == np.float32
                assert len(arrays[split]) == len(data.splits[split])
        assert json.loads((folder / "metrics.json").read_text())["config"]["method"]["name"] == "equal_weighting"
        origin = json.loads((MADE / "mini" / EW / f"seed-{seed}.json").read_text())
        assert origin["threads"] == 1
        assert origin["wall_seconds"] > origin["median_epoch_seconds"] > 0 or plan["training"]["epochs"] == 1
    assert not list(UNFINISHED.iterdir()), "nothing is left behind"


def test_recorded_metrics_follow_from_checkpoint_and_representation(project):
    """The test accuracy in metrics.json, computed again by hand from the stored files."""
    stages.train(EW, "cpu")
    folder = output_path("mini", "train", EW) / "seed-0"
    metrics = json.loads((folder / "metrics.json").read_text())
    weights = torch.load(trained_folder("mini", EW) / "seed-0.pt", weights_only=True)["model"]
    test = load("multimnist", DATA).splits["test"]
    with np.load(trained_folder("mini", EW) / "seed-0.npz") as arrays:
        z = torch.from_numpy(arrays["test"])
    for task in ("left", "right"):
        hidden = (z @ weights[f"heads.{task}.0.weight"].T + weights[f"heads.{task}.0.bias"]).relu()
        logits = hidden @ weights[f"heads.{task}.2.weight"].T + weights[f"heads.{task}.2.bias"]
        accuracy = (logits.argmax(dim=1) == test.targets[task]).double().mean().item()
        assert metrics["final"]["test"][task]["accuracy"] == pytest.approx(accuracy, abs=1e-7)
    assert metrics["representation_norm"]["test"] == pytest.approx(z.norm(dim=1).mean().item(), rel=1e-6)


def test_the_same_seed_gives_identical_metrics(project):
    first, second, other = make_run(), make_run(checkpoint=Path("b.pt")), make_run(seed=1, checkpoint=Path("c.pt"))
    for run in (first, second, other):
        run.train()
    assert first.progress.history == second.progress.history
    assert first.progress.history != other.progress.history


def test_equal_seeds_start_every_method_from_the_same_weights(project):
    reference = make_run()
    for method in METHODS:
        run = make_run(method)
        encoders = run.model.encoder.encoders if run.parts.method.separate_encoders else [run.model.encoder]
        assert all(same_state(encoder, reference.model.encoder) for encoder in encoders), method
    regularized = make_run(regularizer={"name": "dgr", "strength": 0.1})
    assert same_state(regularized.model, reference.model)


def test_single_task_learning_is_one_independent_network_a_task(project):
    """Training both tasks' networks together equals training each alone."""
    both = make_run("single_task", epochs=2)
    both.train()
    alone = make_run("single_task", epochs=2, checkpoint=Path("alone.pt"))
    alone.tasks, alone.parts = alone.tasks[:1], replace(alone.parts, method=build_method("single_task", 1))
    alone.train()
    assert same_state(both.model.encoder.encoders[0], alone.model.encoder.encoders[0])
    assert same_state(both.model.heads["left"], alone.model.heads["left"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("regularizer", [None, {"name": "dgr", "strength": 0.1, "resample": True}], ids=["none", "dgr"])
def test_a_resumed_run_is_bit_identical(project, method, regularizer):
    whole = make_run(method, regularizer, epochs=4, checkpoint=Path("whole.pt"))
    whole.train()
    interrupted = make_run(method, regularizer, epochs=4)
    validate, interrupted._validate = interrupted._validate, None
    interrupted._validate = lambda epoch: (_ for _ in ()).throw(KeyboardInterrupt) if epoch == 3 else validate(epoch)
    with pytest.raises(KeyboardInterrupt):
        interrupted.train()
    resumed = make_run(method, regularizer, epochs=4)
    resumed.train()
    assert resumed.progress.history == whole.progress.history
    assert same_state(resumed.model, whole.model)


def test_kill_9_and_resume_gives_identical_metrics(project, edit_plan):
    edit_plan("runs", EW, training={"epochs": 80}, seeds=[0])
    for file in CONFIGS.glob("*.yaml"):  # which would say that the plan is not current
        file.unlink()
    killed = subprocess.Popen([sys.executable, "-m", "dgr", "train", EW], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(UNFINISHED.glob("*/seed-0.pt")) and time.monotonic() < deadline:
        assert killed.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    (checkpoint,) = UNFINISHED.glob("*/seed-0.pt")
    done = len(torch.load(checkpoint, weights_only=True)["progress"]["history"])
    assert 0 < done < 80
    stages.train(EW, "cpu")
    resumed = (output_path("mini", "train", EW) / "seed-0" / "metrics.json").read_bytes()
    stages.train(EW, "cpu")
    assert (output_path("mini", "train", EW) / "seed-0" / "metrics.json").read_bytes() == resumed


def test_finished_seeds_of_a_killed_stage_are_kept(project, monkeypatch):
    train = Run.train
    monkeypatch.setattr(Run, "train", lambda run: (_ for _ in ()).throw(KeyboardInterrupt) if run.seed else train(run))
    with pytest.raises(KeyboardInterrupt):
        stages.train(EW, "cpu")
    trained = []
    monkeypatch.setattr(Run, "train", lambda run: (trained.append(run.seed), train(run)))
    stages.train(EW, "cpu")
    assert trained == [1]


def test_unfinished_work_of_other_settings_is_not_continued(project, edit_plan, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(stages, "write_records", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            stages.train(EW, "cpu")
    edit_plan("runs", EW, training={"learning_rate": 0.5})
    stages.train(EW, "cpu")
    rates = [
        line.split(",")[1]
        for line in (output_path("mini", "train", EW) / "seed-0" / "history.csv").read_text().splitlines()[1:]
    ]
    assert rates[0] == "0.5"


def test_a_non_finite_loss_stops_with_step_task_and_value(project, monkeypatch):
    run = make_run(epochs=3)
    train = Epoch.train

    def poisoned(epoch):
        if epoch.number == 1:
            torch.nn.init.constant_(run.model.heads["right"][2].bias, float("inf"))
        return train(epoch)

    monkeypatch.setattr(Epoch, "train", poisoned)
    with pytest.raises(
        DGRError, match=r"seed 0: the loss of task 'right' is nan in epoch 2, step 1; the checkpoint of an earlier"
    ):
        run.train()
    kept = torch.load(run.checkpoint, weights_only=True)
    assert len(kept["progress"]["history"]) == 1
    assert all(tensor.isfinite().all() for tensor in kept["model"].values())


def test_the_gradient_ratio_is_that_of_the_encoder_gradients(project):
    """λ|g_R|/|g_task| of the first batch, against two separate backward passes."""
    run = make_run(regularizer={"name": "dgr", "strength": 0.5}, epochs=1)
    parts = run.parts
    batch, _ = next(Epoch(run.config, run.seed, parts, run.tasks, run.splits["train"], 0)._batches())
    step = forward(parts.model.train(), run.tasks, parts.regularizer, batch, None, parts.optimizer)
    shared = run.model.shared_parameters()
    norms = [
        torch.cat([g.flatten() for g in torch.autograd.grad(value, shared, retain_graph=True)]).norm()
        for value in (step.penalty, sum(step.losses))
    ]
    run.train()
    assert run.progress.history[0]["gradient_ratio"] == pytest.approx((norms[0] / norms[1]).item(), rel=1e-4)


@pytest.mark.parametrize("earlier", [0, 1])  # calls of the penalty before: an epoch may begin between two of them
def test_the_gradient_ratio_does_not_depend_on_every(project, earlier):
    """The penalty comes at each k-th step, k times as strong."""
    ratios = []
    for every in (1, 2):
        run = make_run(regularizer={"name": "dgr", "strength": 0.5, "every": every}, epochs=1)
        run.parts.optimizer.param_groups[0]["lr"] = 0.0  # the same model at each step
        run.parts.regularizer._calls = earlier
        epoch = Epoch(run.config, run.seed, run.parts, run.tasks, run.splits["train"], 0)
        ratios.append(epoch.train()["gradient_ratio"])
    if earlier == 0:
        assert ratios[1] == pytest.approx(ratios[0], rel=1e-4)
    else:  # of the second batch
        assert 0.5 < ratios[1] / ratios[0] < 2
