"""Adding an encoder takes one file: here the one that docs/own_parts.md shows."""

from pathlib import Path

import pytest
import torch
from adding_support import ProjectCopy
from docs_pages import blocks

FILE = "src/dgr/models/encoders/flat.py"
ENCODER = blocks("own_parts.md")[FILE]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, tiny_data: Path) -> ProjectCopy:
    """With the encoder's file, and a suite on the new encoder."""
    project = ProjectCopy(tmp_path_factory.mktemp("adding"), tiny_data)
    project.write(FILE, ENCODER)
    for other in ("T5", "T6"):
        (project.root / f"paper_configs/mini/{other}.yaml").unlink()
    settings = {"architecture": {"name": "flat", "width": 5, "hidden": 3}, "tables": ["T1", "T4"]}
    project.edit_yaml("paper_configs/mini/T1.yaml", lambda suite: suite.update(settings))
    project.edit_yaml("paper_configs/mini/T1.yaml", lambda suite: suite["regularizers"].pop())
    project.make_tables()
    return project


def test_it_is_trained_probed_and_in_the_tables_under_its_label(copy: ProjectCopy) -> None:
    for table in ("T1", "T4"):
        text = copy.read(f"results/mini/tables/{table}.md")
        assert "(data set multimnist, architecture flat layer)." in text
        rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in text.splitlines() if line[:1] == "|"]
        assert ["EW", "+ DGR"] in rows
    weights = copy.root / "trained/mini/mini-multimnist-flat-equal_weighting-dgr/seed-0.pt"
    assert torch.load(weights, weights_only=True)["model"]["encoder.1.weight"].shape == (5, 1296)
    assert copy.changed() == {FILE}


def test_a_setting_that_it_does_not_have_is_named(copy: ProjectCopy, tmp_path: Path) -> None:
    before = copy.read("paper_configs/mini/T1.yaml")
    copy.edit("paper_configs/mini/T1.yaml", "hidden: 3", "hiden: 3")
    said = copy.dgr("plan", fails=True)
    copy.write("paper_configs/mini/T1.yaml", before)
    assert "T1.yaml: architecture: unknown key 'hiden'; did you mean 'hidden'?" in said
