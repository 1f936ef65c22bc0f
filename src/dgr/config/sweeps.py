"""The combinations of settings that a sweep varies."""

from __future__ import annotations

import copy
import itertools
from typing import Any

from dgr.core.errors import DGRError


def combinations(run: dict[str, Any], vary: dict[str, list[Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every combination, in the order of the configuration: the varied settings, and the whole run with them.

    Args:
        run: the configuration of the run, as in the plan.
        vary: the values that each setting takes, by its path, such as ``regularizer.strength``.

    Raises:
        DGRError: a path leads through what is no block.
    """
    found = []
    for values in itertools.product(*vary.values()):
        settings = dict(zip(vary, values, strict=True))
        changed = copy.deepcopy(run)
        for path, value in settings.items():
            *blocks, last = path.split(".")
            block = changed
            for name in blocks:
                block = block.setdefault(name, {})
                if not isinstance(block, dict):
                    raise DGRError(f"'{path}' is no setting of a run: '{name}' holds no others; correct the path.")
            block[last] = value
        found.append((settings, changed))
    return found
