"""How much of a GPU's memory a training needs, estimated before it starts and without computing anything."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dgr.core.gpu_claims import CONTEXT
from dgr.core.task import Batch, Task
from dgr.datasets.prepared import PreparedData
from dgr.methods.registry import METHODS
from dgr.models.model import MultiTaskModel, build_model
from dgr.regularizers.shared.dgr_arm import DGRArm
from dgr.training.configuration import RunConfig
from dgr.training.evaluation import batch_size

COPIES = 4
"""Of each parameter: itself, its gradient, and two of Adam's."""
DOUBLE = 4
"""What a dummy head keeps for double backward, in activations of a plain head."""
SPARE = 1.3
"""Over what is kept for backward: what an operation holds beside it, and what the allocator cannot use."""
ALIVE = 3
"""Largest activations that are alive at once where none is kept for backward."""


def needed_bytes(config: RunConfig, data: PreparedData) -> int:
    """Bytes of a GPU's memory that a run needs: context, data, parameters, and the larger of a step and an evaluation.

    The model walks one batch on torch's ``meta`` device, which has shapes and no numbers, and what it would keep for
    backward is counted. An estimate, meant to be too large rather than too small.

    Args:
        config: the run; its strength may be left to tuning.
        data: its data set.
    """
    training, images = config.training, data.splits["train"].images
    shape = tuple(images.shape[1:])
    if training.augmentation is not None and training.augmentation.crop is not None:
        shape = (shape[0], *training.augmentation.crop)
    stored = sum(_bytes(each) for split in data.splits.values() for each in (split.images, *split.targets.values()))
    model = meta_model(config, data.tasks, shape)
    parameters = sum(map(_bytes, model.parameters()))
    per_task = sum(map(_bytes, model.encoder.parameters())) * len(data.tasks)
    size = max(2, training.batch_size)  # batch normalisation has no statistics of one; training says so, by name
    encoder, heads, largest = kept_bytes(model, data.tasks, meta_batch(data.tasks, shape, size))
    if isinstance(config.regularizer, DGRArm):
        heads *= 1 + DOUBLE
    evaluated = batch_size(torch.device("cuda"), images.shape[-2:]) * largest * ALIVE / size
    return round(CONTEXT + stored + COPIES * parameters + per_task + max(SPARE * (encoder + heads), evaluated))


def from_scratch(config: RunConfig) -> RunConfig:
    """The run without pretrained weights: they change neither the time nor the memory of a step."""
    architecture = config.architecture
    if not getattr(architecture, "pretrained", False):
        return config
    return config.model_copy(update={"architecture": architecture.model_copy(update={"pretrained": False})})


def meta_model(config: RunConfig, tasks: Sequence[Task], shape: Sequence[int]) -> MultiTaskModel:
    """The run's model without numbers."""
    separate = METHODS[config.method.name].separate_encoders
    with torch.device("meta"):
        return build_model(from_scratch(config).architecture, tasks, shape, separate, seed=0).to("meta")


def meta_batch(tasks: Sequence[Task], shape: Sequence[int], size: int) -> Batch:
    """A batch of that size without numbers."""
    targets = {}
    for task in tasks:
        if task.kind in ("classification", "segmentation"):
            places = (size,) if task.kind == "classification" else (size, *shape[1:])
            targets[task.name] = torch.empty(places, dtype=torch.long, device="meta")
        else:
            places = (size, 1) if task.kind == "regression" else (size, task.outputs, *shape[1:])
            targets[task.name] = torch.empty(places, device="meta")
    return torch.empty((size, *shape), device="meta"), targets


def kept_bytes(model: MultiTaskModel, tasks: Sequence[Task], batch: Batch) -> tuple[int, int, int]:
    """What one forward pass keeps for backward, parameters apart.

    Returns:
        Bytes of the encoder, bytes of all heads with their losses, and bytes of the largest tensor among them.
    """
    inputs, targets = batch
    own = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    kept: dict[int, Tensor] = {}  # the tensors are held, so that no number is used twice

    def keep(tensor: Tensor) -> Tensor:
        if (number := tensor.untyped_storage()._cdata) not in own:
            kept.setdefault(number, tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        z = model.train().encoder(inputs)
        encoder = _total(kept)
        for task in tasks:
            task.loss(model.heads[task.name](z), targets[task.name])
    sizes = [tensor.untyped_storage().nbytes() for tensor in kept.values()]
    return encoder, sum(sizes) - encoder, max(sizes)


def _total(kept: dict[int, Tensor]) -> int:
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def _bytes(tensor: Tensor | nn.Parameter) -> int:
    return math.prod(tensor.shape) * tensor.element_size()
