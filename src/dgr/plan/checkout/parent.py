"""A stage ends with the DVC that started it: nobody would record what it goes on to write."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from dgr.plan.checkout.at_work import UNDER_DVC

_PR_SET_PDEATHSIG = 1


def end_with_dvc() -> None:
    """Have Linux kill this process when its parent ends, where DVC is its parent.

    Elsewhere, and where a shell stays between the two, such a stage goes on; whoever comes next waits for it.
    """
    if UNDER_DVC in os.environ and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
