"""docs/methods.md against the code: a reader must be able to switch every method on from that file alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
import yaml
from pydantic import TypeAdapter
from torch import nn

import dgr
from dgr.config.runs import MethodConfig
from dgr.core.task import Task
from dgr.methods import METHODS, Method, Step, build_method
from dgr.methods.shared.base import forward
from dgr.models.model import MultiTaskModel
from dgr.records.names import method_label
from dgr.regularizers.registry import AnyRegularizer

TEXT = (Path(__file__).parents[2] / "docs" / "methods.md").read_text()
SECTIONS = {
    re.findall(r"`(\w+)`", title)[0]: (title, body)
    for title, body in re.findall(r"^### (`.*)\n((?:(?!^##).*\n?)*)", TEXT, re.MULTILINE)
}
ROWS = {
    name: [cell.strip() for cell in rest.split("|")]
    for name, rest in re.findall(r"^\| \[`(\w+)`\]\([^)]*\) \|(.*)\|$", TEXT, re.MULTILINE)
}
PENALTIES = ("dgr", "norm")
TASKS = [Task(name, "classification", 3) for name in ("left", "right", "middle")]


def entry(name: str) -> dict:
    (block,) = re.findall(r"```yaml\n(.*?)```", SECTIONS[name][1], re.DOTALL)
    (item,) = yaml.safe_load(block)
    return item


def python_line(name: str) -> str:
    (line,) = re.findall(r"\*\*Python\*\*: `(.*)`", SECTIONS[name][1])
    return line


def documented(name: str, num_tasks: int) -> Method:
    config = MethodConfig.model_validate(entry(name))
    assert config.name == name
    return build_method(config.name, num_tasks, **config.options)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_section_under_its_name_and_its_label_in_reports(name):
    assert SECTIONS[name][0] == f"`{name}` — {method_label(name)}"
    assert ROWS[name][0] == method_label(name)


@pytest.mark.parametrize("name", METHODS)
def test_the_yaml_of_a_section_builds_its_method(name):
    assert type(documented(name, 2)) is METHODS[name]


@pytest.mark.parametrize("name", METHODS)
def test_the_python_of_a_section_builds_the_method_that_its_yaml_builds(name):
    built = eval(python_line(name), {"build_method": dgr.build_method, "num_tasks": 2})
    assert type(built) is METHODS[name]
    settings = [
        {key: v for key, v in vars(m).items() if isinstance(v, int | float | str)} for m in (built, documented(name, 2))
    ]
    assert settings[0] == settings[1]


@pytest.mark.parametrize("name", METHODS)
def test_the_table_says_what_a_method_needs(name):
    needs_main, needs_held_out = ROWS[name][3:5]
    assert needs_main == ("yes" if METHODS[name].needs_main_task else "no")
    assert METHODS[name].needs_main_task == ("main_task" in entry(name).get("options", {}))
    assert needs_held_out == ("yes" if METHODS[name].needs_held_out else "no")


class Problem:
    """Three tasks on random data, and a count of the backward passes that reach the encoder's first layer."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.encoder = nn.Sequential(nn.Linear(6, 4), nn.Tanh())
        self.model = MultiTaskModel(self.encoder, {task.name: nn.Linear(4, 3) for task in TASKS})
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.01)
        self.batches = [(torch.randn(8, 6), {task.name: torch.randint(3, (8,)) for task in TASKS}) for _ in range(2)]
        self.passes = 0
        self.encoder[0].register_forward_hook(lambda _module, _inputs, output: self._watch(output))

    def _watch(self, output: torch.Tensor) -> None:
        if output.requires_grad:
            output.register_hook(self._count)

    def _count(self, _gradient: torch.Tensor) -> None:
        self.passes += 1

    def step(self) -> Step:
        return forward(self.model, TASKS, None, *self.batches, self.optimizer)


@pytest.mark.parametrize("name", [name for name in METHODS if not METHODS[name].separate_encoders])
def test_the_table_counts_the_backward_passes_through_the_encoder(name):
    problem, method = Problem(), documented(name, len(TASKS))
    method.begin(TASKS, problem.batches[:1])
    method.backward(problem.step())
    formula = re.sub(r"(\d)K", r"\1*K", ROWS[name][2])
    assert eval(formula, {"K": len(TASKS)}) == problem.passes


def test_no_section_and_no_row_names_a_method_that_does_not_exist():
    assert set(SECTIONS) == {*METHODS, *PENALTIES}
    assert {*METHODS} <= set(ROWS) <= {*METHODS, *PENALTIES, "aligned"}


@pytest.mark.parametrize("name", PENALTIES)
def test_the_yaml_and_the_python_of_a_regularizer_say_the_same(name):
    config = TypeAdapter(AnyRegularizer).validate_python(entry(name)["use"])
    assert config.name == name
    names = {key: getattr(dgr, key) for key in ("DummyGradientNorm", "FeatureNormPenalty")}
    penalty = eval(python_line(name), {**names, "model": Problem().model, "tasks": TASKS})
    assert penalty.strength == config.strength


def test_links_of_the_table_reach_a_heading():
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]*)\)", TEXT)
    assert len(links) > len(METHODS)
    assert set(links) <= anchors
