"""What the studies that compare methods have in common: a list of methods that is checked before anything runs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from dgr.config.parsing import Strict
from dgr.config.runs import MethodConfig
from dgr.core.errors import DGRError
from dgr.methods.registry import METHODS, build_method
from dgr.methods.shared.base import Method


class ComparesMethods(Strict):
    """A study's methods, each built once to see that it can be."""

    num_tasks: ClassVar[int] = 2
    main_task: ClassVar[str | None] = None
    """Told to methods that serve one task."""
    has_held_out: ClassVar[bool] = True

    methods: Annotated[list[MethodConfig], Field(min_length=1)]
    """Rows of the table."""

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        names = [row_name(method) for method in self.methods]
        if len(set(names)) < len(names):
            raise ValueError(f"methods must differ by name or by what is switched on, but are {', '.join(names)}")
        for config in self.methods:
            try:
                method = self.build(config)
            except DGRError as error:
                raise ValueError(str(error).rstrip(".")) from error
            if method.needs_held_out and not self.has_held_out:
                raise ValueError(f"method '{config.name}' needs held-out batches, which this study does not have")
        return self

    def build(self, config: MethodConfig) -> Method:
        """A fresh method for the study's tasks."""
        main = {"main_task": self.main_task} if self.main_task and METHODS[config.name].needs_main_task else {}
        return build_method(config.name, self.num_tasks, **config.options, **main)


def row_name(config: MethodConfig) -> str:
    """A method as a study's rows name it, with options that are switched on: ``single_gradient_step-second_order``."""
    return "-".join([config.name, *(name for name, value in config.options.items() if value is True)])
