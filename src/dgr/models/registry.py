"""All encoders by name: a file of ``models/encoders`` is an encoder, and the file's name is its name.

An encoder's file assigns ``LABEL``, how reports name it, and defines ``Config``, an
:class:`~dgr.config.architectures.Architecture`: its settings, and how it and its heads are made. It imports torch when
something is built and not before, since plans read it as well.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, SerializeAsAny

from dgr.config.architectures import Architecture
from dgr.config.named import read_by_name
from dgr.core.registry import Registry

ENCODERS = Registry("dgr.models.encoders", "encoder", ("Config", "LABEL"))
AnyArchitecture = Annotated[SerializeAsAny[Architecture], read_by_name(ENCODERS)]
"""A block that names an encoder."""


def _gives_vectors(config: Architecture) -> Architecture:
    if not config.gives_vectors:
        raise ValueError(f"classifiers need one vector a sample, which the encoder '{config.name}' does not give")
    return config


VectorArchitecture = Annotated[AnyArchitecture, AfterValidator(_gives_vectors)]
"""One whose representation classifiers can be put on."""
