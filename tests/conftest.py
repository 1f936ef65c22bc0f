# ruff: noqa: E402
from dgr.core.numerics import make_portable

make_portable()  # as every command does, before anything below loads numpy or torch

import gc

gc.disable()  # until all is imported and collected, of which nothing goes

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
import yaml
from made_once import made_once

from dgr.__main__ import main
from dgr.core.files import write_text
from dgr.core.numerics import portable_square_root
from dgr.core.paths import CONFIGS, DATA, DEFAULT_SUITE, HASHES, PLAN, SHARED
from dgr.datasets.preparing import prepare_dataset
from dgr.datasets.registry import parse_dataset
from dgr.plan.checkout.planned import note, plan_state
from dgr.plan.entry_hashes import hashes
from dgr.plan.expand import dump, make_plans

TINY_CONFIGS = Path(__file__).parent / "tiny_configs"


def pytest_collection_finish():
    """Thousands of collected tests stay alive: no garbage collection need look through them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)  # looks seventy times less often for what a test leaves
    gc.enable()


@pytest.fixture(autouse=True)
def one_thread():
    """Tests run beside each other, and a stage sets its own number of threads."""
    torch.set_num_threads(1)
    portable_square_root()


@pytest.fixture(scope="session", autouse=True)
def no_seeds_for_absent_devices():
    """For each of them ``torch.manual_seed`` writes down the stack and keeps it, which takes a millisecond."""
    with pytest.MonkeyPatch.context() as patch:
        for device in (torch.cuda, torch.xpu, torch.mtia):
            if not device.is_available():
                patch.setattr(device, "manual_seed_all", lambda _: None)
        yield


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory):
    """The prepared data set of the tiny configuration; read or copied, never changed."""

    def make(root):
        for name, config in make_plans(TINY_CONFIGS)[SHARED / PLAN]["datasets"].items():
            prepare_dataset(name, parse_dataset(config, name), root / DATA)

    return made_once(tmp_path_factory, "tiny-data", make) / DATA


@pytest.fixture
def project(tmp_path, tiny_data, monkeypatch):
    """A working directory with the tiny configuration, its plans and its prepared data."""
    shutil.copytree(TINY_CONFIGS, tmp_path / CONFIGS)
    shutil.copytree(tiny_data, tmp_path / DATA)
    monkeypatch.chdir(tmp_path)
    for path, plan in make_plans(CONFIGS).items():
        write_text(path, dump(plan))
        write_text(path.with_name(HASHES.name), dump(hashes(plan)))
    for suite in (DEFAULT_SUITE, SHARED.name):  # which would be asked for in a process, by each stage's first command
        note(suite, plan_state(suite))
    return tmp_path


@pytest.fixture
def edit_plan(project):
    """Change entries of the generated plan: ``edit_plan("runs", KEY, training={"epochs": 3})``."""

    def edit(stage, key, **changes):
        plan = yaml.safe_load(PLAN.read_text())
        for name, value in changes.items():
            entry = plan[stage][key]
            entry[name] = entry[name] | value if isinstance(value, dict) else value
        PLAN.write_text(json.dumps(plan))

    return edit


@pytest.fixture
def command(monkeypatch, capsys):
    """Call the command line; gives the sentence of a failure, or None."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dgr", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        capsys.readouterr()
        return exit_.value.code or None

    return call
