"""Random changes of training samples that treat an image and its targets as one scene.

- Enlarging by s shows the scene s times nearer: depth is divided by s, disparity multiplied.
- Mirroring left and right turns a normal (x, y, z) into (−x, y, z).
- Images are interpolated bilinearly; targets take the nearest value, since neither labels nor depths at an edge have a
  mean that means anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from dgr.config.runs import AugmentationConfig
from dgr.core.errors import DGRError
from dgr.core.task import Batch, Task

NEARER = {"depth": -1, "disparity": 1}
"""The power of the enlargement that a distance is multiplied by."""


def augment(batch: Batch, tasks: Sequence[Task], config: AugmentationConfig, generator: torch.Generator) -> Batch:
    """Change each sample of a batch by itself.

    Args:
        batch: inputs ``(batch, channels, height, width)`` and targets by task name; those of whole images stay.
        tasks: the tasks, whose kinds say what their targets mean.
        config: the settings.
        generator: on the CPU; the only source of randomness.

    Raises:
        DGRError: the cut-out is larger than the images.
    """
    inputs, targets = batch
    height, width = inputs.shape[-2:]
    size = tuple(config.crop or (height, width))
    if size[0] > height or size[1] > width:
        raise DGRError(f"A crop of {size[0]}×{size[1]} does not fit into images of {height}×{width}; make it smaller.")
    dense = {task.name: task.kind for task in tasks if task.kind not in ("classification", "regression")}
    if config.crop is not None or config.scales != [1.0]:
        windows = [_window((height, width), size, config.scales, generator) for _ in range(len(inputs))]
        inputs = torch.stack([_resized(x, window, size) for x, window in zip(inputs, windows, strict=True)])
        for name, kind in dense.items():
            power = NEARER.get(kind, 0)
            values = [_nearest(y, window, size, power) for y, window in zip(targets[name], windows, strict=True)]
            targets = targets | {name: torch.stack(values)}
    if config.flip:
        mirrored = torch.rand(len(inputs), generator=generator).lt(0.5).to(inputs.device)
        inputs = _flipped(inputs, mirrored)
        targets = targets | {name: _flipped(targets[name], mirrored, kind == "normals") for name, kind in dense.items()}
    return inputs, targets


Window = tuple[int, int, int, int, float]


def _window(
    image: tuple[int, int], size: tuple[int, ...], scales: Sequence[float], generator: torch.Generator
) -> Window:
    """Top, left, height and width of what is enlarged to ``size``, and by how much."""
    scale = scales[int(torch.randint(len(scales), (), generator=generator))]
    extent = [max(1, round(side / scale)) for side in size]
    top, left = (
        int(torch.randint(whole - part + 1, (), generator=generator)) for whole, part in zip(image, extent, strict=True)
    )
    return top, left, extent[0], extent[1], scale


def _resized(image: Tensor, window: Window, size: tuple[int, ...]) -> Tensor:
    top, left, height, width, _ = window
    part = image[:, top : top + height, left : left + width]
    if part.shape[-2:] == size:
        return part
    return functional.interpolate(part[None], size=size, mode="bilinear", align_corners=False)[0]


def _nearest(target: Tensor, window: Window, size: tuple[int, ...], power: int) -> Tensor:
    top, left, height, width, scale = window
    rows, columns = (
        ((torch.arange(wanted, device=target.device) + 0.5) * (extent / wanted)).long() + start
        for wanted, extent, start in zip(size, (height, width), (top, left), strict=True)
    )
    values = target[..., rows[:, None], columns]
    return values * scale**power if power else values


def _flipped(values: Tensor, mirrored: Tensor, is_normals: bool = False) -> Tensor:
    flipped = values.flip(-1)
    if is_normals:
        flipped = flipped * torch.tensor([-1.0, 1.0, 1.0], device=values.device).view(3, 1, 1)
    return torch.where(mirrored.view(-1, *[1] * (values.ndim - 1)), flipped, values)
