"""Importing torchvision also where its compiled operators do not fit the installed torch.

The package index may give torch without CUDA beside a torchvision built for CUDA. Its models and transforms need none
of its own operators, but its import fails on their missing schemas, and so does that of torchmetrics, which imports it.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from types import ModuleType

import torch

from dgr.core.extras import needed

OPERATORS = ("nms", "qnms")
SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def load_torchvision() -> ModuleType:
    """The module ``torchvision``.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        with needed("This model"):
            return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
    for operator in OPERATORS:
        torch.library.define(f"torchvision::{operator}", SCHEMA)
    return importlib.import_module("torchvision")


def ensure_importable() -> None:
    """Let a later ``import torchvision`` by another package succeed; nothing where it is not installed."""
    if find_spec("torchvision") is not None:
        load_torchvision()
