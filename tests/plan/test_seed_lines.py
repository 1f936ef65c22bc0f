"""A training tells of each seed that it finishes, and of no other."""

import os
import re
import time

import pytest

from dgr.core.errors import DGRError
from dgr.core.paths import UNFINISHED, output_path
from dgr.plan.seed_lines import told_by_seed
from dgr.training import stages

EW = "mini-multimnist-conv-equal_weighting-none"
SEED = re.compile(r"seed (\d): trained in \d+\.\d s \((\d) of 2\)(, about \d+ s left)?")


def test_each_seed_is_told_once_and_without_a_terminal_plainly(project, capsys):
    with told_by_seed(EW):
        stages.train(EW, "cpu")
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert [SEED.fullmatch(line).groups()[:2] for line in lines] == [("0", "1"), ("1", "2")]
    assert "left" in lines[0]
    assert "left" not in lines[1]
    assert not {"\r", "\033"} & set(out)


def test_seeds_that_were_finished_before_are_not_told_again(project, capsys):
    stages.train(EW, "cpu")
    old = time.time() - 60
    for seed in output_path("mini", "train", EW).glob("seed-*"):
        os.utime(seed, (old, old))
    capsys.readouterr()
    with told_by_seed(EW):
        stages.train(EW, "cpu")
    assert (
        capsys.readouterr().out
        == f"{output_path('mini', 'train', EW)}: every seed was there, and none was left to train\n"
    )


@pytest.mark.parametrize("seeds", ["01", "10"])  # one of them is not how this disk lists folders
def test_seeds_that_end_between_two_looks_are_told_as_they_ended(project, capsys, seeds):
    now = time.time()
    with told_by_seed(EW):
        for later, seed in enumerate(seeds, start=1):
            folder = UNFINISHED / f"{EW}-x/result/seed-{seed}"
            folder.mkdir(parents=True)
            os.utime(folder, (now + later, now + later))
    assert [SEED.fullmatch(line)[1] for line in capsys.readouterr().out.splitlines()] == list(seeds)


def test_what_failed_tells_of_the_seeds_before_it(project, capsys):
    def fail_after_a_seed(key, device):
        (UNFINISHED / f"{key}-x/result/seed-0").mkdir(parents=True)
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"), told_by_seed(EW):
        fail_after_a_seed(EW, "cpu")
    assert capsys.readouterr().out.startswith("seed 0: trained in")


def test_an_unknown_key_is_one_sentence(project):
    with pytest.raises(DGRError, match="has no entry"), told_by_seed("nothing"):
        pass
