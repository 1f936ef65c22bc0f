"""``dgr_released``: DGR by the estimator of the authors' code, a finite difference."""

from typing import Literal

from pydantic import PositiveFloat

from dgr.regularizers.shared.dgr_arm import DGRArm

LABEL = "+ DGR (released)"
ORDER = 2
SYMBOL = "λ"
PENALTY = True
CONTROL = None
COLOUR = "#E69F00"
MARKER = "P"
DASH = (5, 1.5, 1, 1.5)


class Config(DGRArm):
    """DGR as released: the gradient of the penalty by a finite difference in the dummies' weights."""

    estimator: Literal["finite_difference"] = "finite_difference"
    epsilon: PositiveFloat = 1e-4
    """Length ε of the step: 1e-4 in the authors' code for faces."""
