"""Every block of Python on every page runs. A page's blocks run in their order, in one namespace."""

import os
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from docs_pages import DOCS, ROOT, blocks, named_blocks, python_blocks
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import dgr

Names = dict[str, Any]


def loop() -> Names:
    """A small model and data, as the loops of docs/penalty.md name them."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    heads = nn.ModuleList(nn.Linear(4, 3) for _ in range(2))
    loader = [(torch.randn(8, 6), [torch.randint(3, (8,)) for _ in heads]) for _ in range(3)]
    losses = [cross_entropy] * 2
    regularizer = dgr.DummyGradientNorm(heads, losses)
    optimizer = torch.optim.SGD([*encoder.parameters(), *heads.parameters()], lr=0.1)
    z = encoder(loader[0][0])
    tasks_loss = cross_entropy(heads[0](z), loader[0][1][0])
    names = {
        "torch": torch,
        "device": "cpu",
        "DummyGradientNorm": dgr.DummyGradientNorm,
        "cross_entropy": cross_entropy,
    }
    return names | {
        "encoder": encoder, "heads": heads, "losses": losses, "loader": loader, "batches": loader,
        "regularizer": regularizer, "optimizer": optimizer, "z": z, "loss": tasks_loss, "targets": loader[0][1],
    }  # fmt: skip


def with_lightning() -> Names:
    """The same, and Lightning or what of it the page uses; four samples, and a head for each kind of task."""
    try:
        import lightning.pytorch as lightning
    except ImportError:
        lightning = types.SimpleNamespace(LightningModule=nn.Module)
    names = loop()
    heads = {"classify": nn.Linear(4, 3), "measure": nn.Linear(4, 1)}
    return names | heads | {"lightning": lightning}


def methods() -> Names:
    """A model of dgr's, for docs/methods.md."""
    tasks = [dgr.Task(name, "classification", 3) for name in ("left", "right")]
    model = dgr.MultiTaskModel(nn.Linear(6, 4), {task.name: nn.Linear(4, 3) for task in tasks})
    batch = torch.randn(8, 6), {task.name: torch.randint(3, (8,)) for task in tasks}
    return {"torch": torch, "model": model, "tasks": tasks, "train_batches": [batch] * 2, "held_out_batch": batch}


def parameters(encoder: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten().clone() for p in encoder.parameters()])


def test_the_loops_of_the_page_of_the_penalty_train_the_encoder() -> None:
    names = with_lightning()
    plain, bfloat, half, module, partial = python_blocks(DOCS / "penalty.md")
    for block in (plain, bfloat, half):
        before = parameters(names["encoder"])
        exec(block, names)
        assert not torch.equal(before, parameters(names["encoder"]))
        assert all(p.grad is None for p in names["regularizer"].parameters())
    exec(module, names)
    made = names["Multitask"](names["encoder"], names["heads"], names["losses"], 0.3)
    optimizer, before = made.configure_optimizers(), parameters(names["encoder"])
    dummies = parameters(made.regularizer)
    assert made.training_step(names["loader"][0], 0).backward() is None
    optimizer.step()
    assert not torch.equal(before, parameters(names["encoder"]))
    assert torch.equal(dummies, parameters(made.regularizer))
    names["z"] = names["encoder"](torch.randn(4, 6))
    exec(partial, names)
    # With four known or unknown samples each, the task without a target adds nothing, the other one more.
    assert 0 < names["one"].item() < names["both"].item()


def test_the_recipe_for_lambda_starts_where_the_ratio_is_a_tenth() -> None:
    names = loop()
    exec(*python_blocks(DOCS / "choose_lambda.md"), names)
    regularizer, ratios = names["regularizer"], []
    for inputs, targets in names["batches"]:
        z = names["encoder"](inputs)
        loss = sum(cross_entropy(head(z), target) for head, target in zip(names["heads"], targets, strict=True))
        ratios.append(regularizer.gradient_ratio(loss, z, targets))
    assert sum(ratios) / len(ratios) == pytest.approx(0.1)
    assert names["grid"][2] == regularizer.strength
    assert names["grid"][-1] == pytest.approx(81 * names["grid"][0])


def test_the_quick_start_adds_a_penalty() -> None:
    names = loop()
    exec(*python_blocks(DOCS / "index.md"), names)
    assert names["penalised"] > names["loss"]


def test_the_loop_of_the_methods_trains() -> None:
    names = methods()
    before = parameters(names["model"])
    exec(*python_blocks(DOCS / "methods.md"), names)
    assert not torch.equal(before, parameters(names["model"]))


def test_the_examples_of_the_api_run_in_their_order() -> None:
    names: Names = {}
    torch.manual_seed(0)
    for block in python_blocks(DOCS / "api.md"):
        exec(block, names)


def test_two_processes_of_the_page_end_with_the_same_weights(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(blocks("penalty.md")["train.py"], encoding="utf-8")
    done = subprocess.run(
        (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train.py"),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    # Two processes write to one pipe: their lines may run into each other.
    ranks = dict(re.findall(r"([01]): (-?\d+\.\d{6})", done.stdout))
    assert set(ranks) == {"0", "1"}
    assert ranks["0"] == ranks["1"]


TESTED_HERE = {"penalty.md", "choose_lambda.md", "data.md", "index.md", "methods.md", "api.md"}
WRITTEN_AND_RUN = {
    "penalty.md": {"train.py"},  # above
    "data.md": {"own/draw_shapes.py", "own/write_vectors.py", "src/dgr/datasets/kinds/blobs.py"},  # tests/datasets
    "own_parts.md": {
        "src/dgr/methods/loss_softmax.py",  # tests/methods/test_adding_a_method.py, and so on
        "src/dgr/regularizers/spread.py",
        "src/dgr/models/encoders/flat.py",
        "src/dgr/measurements/classifiers/centroid.py",
    },
}


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_no_block_of_python_is_left_out(page: Path) -> None:
    shown = page.read_text(encoding="utf-8").count("```python")
    files = {path for path, _ in named_blocks(page.name) if path.endswith(".py")}
    assert files == WRITTEN_AND_RUN.get(page.name, set())
    assert shown == len(files) + len(python_blocks(page))
    assert bool(python_blocks(page)) == (page.name in TESTED_HERE)


def test_tasks_with_inputs_of_their_own_train_one_encoder() -> None:
    names: Names = {}
    exec(python_blocks(DOCS / "data.md")[-1], names)
    encoder, heads, regularizer = names["encoder"], names["heads"], names["regularizer"]
    assert encoder.weight.grad.abs().sum() > 0
    penalties = [
        regularizer(encoder(inputs), [target if task == each else None for each in range(2)])
        for task, (inputs, target) in enumerate(names["batches"])
    ]
    assert all(penalty > 0 for penalty in penalties)
    plain = sum(cross_entropy(heads[0](encoder(inputs)), target) for inputs, target in names["batches"][:1])
    inputs, target = names["batches"][1]
    plain = plain + nn.functional.mse_loss(heads[1](encoder(inputs)), target)
    assert torch.isclose(names["loss"], plain + sum(penalties))
