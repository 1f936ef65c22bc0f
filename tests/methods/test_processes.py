"""Methods in two processes that train one model: the same parameters in both, and those of one with the joint batch."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from forked import forked

from dgr.methods import METHODS

SUPPORT = Path(__file__).parents[1] / "support"
CASES = [*(name for name in METHODS if not METHODS[name].separate_encoders), "equal_weighting in DDP"]
REFUSE = [name for name in METHODS if METHODS[name].one_process]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What every process ended with: the two, and the one alone."""
    folder = tmp_path_factory.mktemp("processes")
    calls = [(rank, world) for world in (2, 1) for rank in range(world)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}

    def run(call):
        arguments = [*map(str, call), str(folder)]
        return forked("two_processes", arguments, SUPPORT, environment, seconds=300)

    with ThreadPoolExecutor(len(calls)) as side_by_side:
        ended = list(side_by_side.map(run, calls))
    assert [each.returncode for each in ended] == [0] * len(calls), ended
    return {call: torch.load(folder / f"{call[0]}-of-{call[1]}.pt") for call in calls}


@pytest.mark.parametrize("name", [name for name in CASES if name not in REFUSE])
def test_two_processes_train_as_one_with_the_joint_batch(name, found):
    one, other, joint = (found[call][name] for call in ((0, 2), (1, 2), (0, 1)))
    for key in ("parameters", "weights"):
        assert torch.equal(one[key], other[key]), key
        torch.testing.assert_close(one[key], joint[key], rtol=1e-6, atol=1e-9)


def test_sharded_parameters_are_refused(found):
    assert "Method 'equal_weighting' does not train sharded parameters" in found[0, 2]["sharded"]
    assert found[1, 2]["sharded"] == found[0, 2]["sharded"]


@pytest.mark.parametrize("name", REFUSE)
def test_what_cannot_be_done_in_two_processes_is_refused(name, found):
    for call in ((0, 2), (1, 2)):
        assert found[call][name] == (
            f"Method '{name}' looks ahead on its own batch and does not train in several processes; "
            "train it in one, or choose another method."
        )
    assert isinstance(found[0, 1][name], dict)
