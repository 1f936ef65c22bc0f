"""A stage that DVC has started ends with a DVC that is killed, also without the warm process."""

import os
import subprocess
import sys

import pytest

from dgr.plan.checkout.at_work import UNDER_DVC

STAGE = """
import sys
from dgr.plan.checkout.parent import end_with_dvc
end_with_dvc()
print("at work", flush=True)
sys.stdin.read()
print("goes on")
"""
PARENT = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', sys.argv[1]]); time.sleep(600)"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a stage goes on, and whoever comes next waits for it")
@pytest.mark.parametrize(("known", "said"), [({UNDER_DVC: "train@a"}, ""), ({}, "goes on\n")], ids=["DVC", "a person"])
def test_a_stage_is_gone_once_its_dvc_is_killed(known: dict[str, str], said: str) -> None:
    """What a person has typed in a shell goes on without the shell."""
    environment = {name: value for name, value in os.environ.items() if name != UNDER_DVC} | known
    command = [sys.executable, "-c", PARENT, STAGE]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "at work\n"
        parent.kill()
        parent.wait()
        # Its input ends, and its output once nobody is left who could write.
        assert parent.communicate(timeout=60)[0] == said
