"""Options that methods cannot do without, so that tests can go over all of them."""

from typing import Any

from dgr.methods import METHODS, Method, build_method


def options_for(name: str, main_task: str) -> dict[str, Any]:
    return {"main_task": main_task} if METHODS[name].needs_main_task else {}


def build(name: str, num_tasks: int, **options: Any) -> Method:
    """For the toy problem, whose first task is ``task0``."""
    return build_method(name, num_tasks, **{**options_for(name, "task0"), **options})
