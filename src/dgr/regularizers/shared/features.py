"""Representations of any form: one tensor, or a dict, list or tuple of them (several scales)."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from dgr.core.errors import DGRError


class Features(NamedTuple):
    """A representation taken apart.

    Attributes:
        leaves: its tensors of real numbers, in order.
        places: where among all parts of the representation they stand.
        parts: all parts of it; what is no tensor of numbers, such as a mask, is handed on as it is.
        form: how the parts stand together.
    """

    leaves: list[Tensor]
    places: list[int]
    parts: list[Any]
    form: pytree.TreeSpec

    def with_leaves(self, leaves: list[Tensor]) -> Any:
        """The same representation with other tensors in place of its own."""
        parts = list(self.parts)
        for place, leaf in zip(self.places, leaves, strict=True):
            parts[place] = leaf
        return pytree.tree_unflatten(parts, self.form)


def taken_apart(representation: Any) -> Features:
    """The tensors of a representation.

    Raises:
        DGRError: there is none.
    """
    parts, form = pytree.tree_flatten(representation)
    places = [index for index, part in enumerate(parts) if torch.is_tensor(part) and part.is_floating_point()]
    if not places:
        raise DGRError(
            f"The representation, a {type(representation).__name__}, holds no tensor of real numbers; "
            "give the penalty a tensor, or a dict, list or tuple of tensors."
        )
    return Features([parts[place] for place in places], places, parts, form)


def working_type(leaves: list[Tensor]) -> torch.dtype:
    """float32, or float64 where a tensor has it: what the penalty is computed in."""
    return torch.float64 if any(leaf.dtype == torch.float64 for leaf in leaves) else torch.float32


def plain(value: Any, dtype: torch.dtype) -> Any:
    """A target or an extra input as autograd can save it: not of inference mode, half precision in the working type.

    Labels of any whole-number type become int64.
    """

    def one(tensor: Tensor) -> Tensor:
        tensor = tensor.clone() if tensor.is_inference() else tensor.detach()
        if tensor.dtype in (torch.float16, torch.bfloat16):
            return tensor.to(dtype)
        small = tensor.dtype in (torch.int32, torch.int16, torch.int8, torch.uint8)
        return tensor.long() if small else tensor

    return one(value) if torch.is_tensor(value) else pytree.tree_map_only(Tensor, one, value)
