"""All methods by name."""

from __future__ import annotations

import inspect
from typing import Any

from dgr.core.errors import DGRError, nearest
from dgr.methods.auto_lambda import AutoLambda
from dgr.methods.cagrad import CAGrad
from dgr.methods.cosine_similarity import CosineSimilarity
from dgr.methods.dwa import DWA
from dgr.methods.equal_weighting import EqualWeighting
from dgr.methods.graddrop import GradDrop
from dgr.methods.gradnorm import GradNorm
from dgr.methods.imtl import IMTL
from dgr.methods.nash_mtl import NashMTL
from dgr.methods.ol_aux import OLAux
from dgr.methods.pcgrad import PCGrad
from dgr.methods.random_weighting import RandomWeighting
from dgr.methods.shared.base import Method
from dgr.methods.shared.options import positive_integer
from dgr.methods.single_gradient_step import SingleGradientStep
from dgr.methods.single_task import SingleTask
from dgr.methods.slgrad import SLGrad
from dgr.methods.svd_reweighting import SVDReweighting
from dgr.methods.uncertainty_weighting import UncertaintyWeighting

METHODS: dict[str, type[Method]] = {
    "single_task": SingleTask,
    "equal_weighting": EqualWeighting,
    "dwa": DWA,
    "uncertainty_weighting": UncertaintyWeighting,
    "auto_lambda": AutoLambda,
    "graddrop": GradDrop,
    "pcgrad": PCGrad,
    "cagrad": CAGrad,
    "nash_mtl": NashMTL,
    "imtl": IMTL,
    "random_weighting": RandomWeighting,
    "gradnorm": GradNorm,
    "cosine_similarity": CosineSimilarity,
    "ol_aux": OLAux,
    "slgrad": SLGrad,
    "single_gradient_step": SingleGradientStep,
    "svd_reweighting": SVDReweighting,
}


def build_method(name: str, num_tasks: int, **options: Any) -> Method:
    """A fresh method.

    Args:
        name: a key of ``METHODS``.
        num_tasks: number K of tasks.
        options: the keyword arguments of the method's class.

    Raises:
        DGRError: the name, an option or a value is not valid, or a solver is not installed.
    """
    if name not in METHODS:
        raise DGRError(f"Unknown method '{name}'{nearest(name, METHODS)}")
    known = list(inspect.signature(METHODS[name]).parameters)[1:]
    for option in options:
        if option not in known:
            raise DGRError(f"Method '{name}' has no option '{option}'{nearest(option, known)}")
    return METHODS[name](positive_integer(name, "num_tasks", num_tasks), **options)
