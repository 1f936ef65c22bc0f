"""Adding a method takes one file and its section in docs/methods.md: here the file that docs/own_parts.md shows."""

import re
from pathlib import Path

import pytest
from adding_support import ProjectCopy, without_measurements
from docs_pages import blocks

FILE, DOCS = "src/dgr/methods/loss_softmax.py", "docs/methods.md"
METHOD = blocks("own_parts.md")[FILE]
SECTION = r"""### `loss_softmax` — LSM
$w_k = K\,\mathrm{softmax}_k(L_k / T)$.
- **Cost**: 1 backward pass. Memory: none. **Python**: `build_method("loss_softmax", num_tasks, temperature=1.0)`
```yaml
- {name: loss_softmax, options: {temperature: 1.0}}
```

"""
ROW = "| [`loss_softmax`](#loss_softmax--lsm) | LSM | loss weighting | 1 | no | no | – |\n"
OF_DOCS, OF_METHODS = "tests/project/test_methods_documentation.py", "tests/methods"
CHOSEN = ("-k", "loss_softmax or no_section or links")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, tiny_data: Path) -> ProjectCopy:
    """With the method's file and a configuration that has the new method in place of equal weighting."""
    project = ProjectCopy(tmp_path_factory.mktemp("adding"), tiny_data)
    project.write(FILE, METHOD)
    suite = "paper_configs/mini/T1.yaml"
    project.write(suite, project.read(suite).replace("equal_weighting", "loss_softmax"))
    project.edit_yaml(suite, without_measurements)
    for other in ("T5", "T6"):
        Path(project.root, "paper_configs/mini", f"{other}.yaml").unlink()
    return project


def test_it_is_listed_trained_tuned_and_in_the_table_under_its_label(copy: ProjectCopy) -> None:
    assert "loss_softmax" in copy.python("from dgr.methods import METHODS; print(*METHODS)").split()
    copy.make_tables()
    rows = [line.split("|")[1:3] for line in copy.read("results/mini/tables/T1.md").splitlines() if line[:1] == "|"]
    arms = [["LSM", "–"], ["LSM", "+ DGR"], ["LSM", "+ norm at DGR's ‖z‖"]]
    assert [[cell.strip() for cell in row] for row in rows[2:]] == [["STL", "–"], *arms]
    assert copy.changed() == {FILE}


def test_the_test_of_the_documentation_asks_for_its_section_and_the_tests_of_every_method_try_it(
    copy: ProjectCopy,
) -> None:
    assert "KeyError: 'loss_softmax'" in copy.pytest(OF_DOCS, *CHOSEN, fails=True)
    copy.edit(DOCS, "## Gradient balancing\n", f"{SECTION}## Gradient balancing\n")
    copy.edit(DOCS, "| [`dgr`](#dgr", f"{ROW}| [`dgr`](#dgr")
    (passed,) = re.findall(r"(\d+) passed", copy.pytest(OF_DOCS, OF_METHODS, *CHOSEN))
    assert int(passed) > 15
    assert copy.changed() == {FILE, DOCS}
