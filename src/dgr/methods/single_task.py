"""Single-task learning: the reference of Δm."""

from __future__ import annotations

from typing import ClassVar

from dgr.methods.equal_weighting import EqualWeighting


class SingleTask(EqualWeighting):
    r"""Every task has an encoder of its own, so that :math:`\sum_k L_k` falls apart into K separate trainings.

    One run trains all of them side by side on the same batches.

    Args:
        num_tasks: number K of tasks.
    """

    separate_encoders: ClassVar[bool] = True
