"""All regularizers by name: a file of this folder is a regularizer, and the file's name is its name.

A regularizer's file defines ``Config``, a :class:`~dgr.config.regularizers.Regularizer`: its settings, and what it does
to a run. It imports torch when something is built and not before, since plans read it as well. Reports take from it, as
plain values:

* ``LABEL``: how tables name it, behind the method's name.
* ``ORDER``: a number; what is lower comes first where regularizers are listed.
* ``SYMBOL``: of its strength; None where it has none.
* ``PENALTY``: whether it adds something to the loss, which runs then record.
* ``CONTROL``: as a control of DGR, what it does, in words; None for others.
* ``COLOUR``, ``MARKER``, ``DASH``: how figures draw it; matplotlib's marker, and lengths of dashes and gaps.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import SerializeAsAny

from dgr.config.named import read_by_name
from dgr.config.regularizers import Regularizer
from dgr.core.registry import Registry

REGULARIZERS = Registry(
    "dgr.regularizers",
    "regularizer",
    ("Config", "LABEL", "ORDER", "SYMBOL", "PENALTY", "CONTROL", "COLOUR", "MARKER", "DASH"),
)
AnyRegularizer = Annotated[SerializeAsAny[Regularizer], read_by_name(REGULARIZERS)]
"""A block that names a regularizer."""
