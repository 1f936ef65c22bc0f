"""TF32 on a CPU: what tensor cores do to the factors of a product, so that its effect can be seen without a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "convolution", "convolution_backward")
"""Operations of ATen whose float32 factors a GPU rounds where TF32 is allowed."""


def rounded_to_tf32(values: Tensor) -> Tensor:
    """The nearest float32 numbers with 10 bits of mantissa in place of 23; ties go to the even one."""
    bits = values.contiguous().view(torch.int32)
    even = (bits >> 13) & 1
    rounded = ((bits + 0xFFF + even) & ~0x1FFF).view(torch.float32)
    return torch.where(values.isfinite(), rounded, values)


class ProductsInTF32(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """As a context: factors of float32 products are rounded to TF32, sums stay float32, as on a GPU's tensor cores.

    Counts the products, so that a test can see that it is in force.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products = 0

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        operation: Callable[..., Any] = func
        if func.overloadpacket.__name__ not in PRODUCTS:
            return operation(*args, **(kwargs or {}))
        self.products += 1
        # What is added to a product, its first argument, is no factor.
        added = int(func.overloadpacket.__name__.startswith(("addm", "baddbmm")))
        return operation(*args[:added], *map(_rounded, args[added:]), **(kwargs or {}))


def _rounded(argument: Any) -> Any:
    is_float32 = isinstance(argument, Tensor) and argument.dtype == torch.float32
    return rounded_to_tf32(argument) if is_float32 else argument
