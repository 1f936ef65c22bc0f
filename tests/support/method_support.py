"""Options that methods cannot do without, so that tests can go over all of them."""

from typing import Any

from dgr.methods import Method, build_method

SERVING_ONE_TASK = ("slgrad", "cosine_similarity", "ol_aux")


def options_for(name: str, main_task: str) -> dict[str, Any]:
    return {"main_task": main_task} if name in SERVING_ONE_TASK else {}


def build(name: str, num_tasks: int, **options: Any) -> Method:
    """For the toy problem, whose first task is ``task0``."""
    return build_method(name, num_tasks, **{**options_for(name, "task0"), **options})
