"""Which dummy heads have a closed form, and what it gives for those that share a shape and a kind of loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from dgr.regularizers.shared.calling import CalledWith, Loss, no_class
from dgr.regularizers.shared.closed_losses import LossKind, derivatives, kind_of
from dgr.regularizers.shared.two_layer import Gradients, linear_layers, parameter_gradients


class Group:
    """Dummy heads with a closed form that are computed together.

    Args:
        kind: of their losses.
        indices: where they stand among all dummies.
    """

    def __init__(self, kind: LossKind, indices: list[int]) -> None:
        self.kind = kind
        self.indices = indices

    def gradients(self, dummies: nn.ModuleList, losses: Sequence[Loss], given: CalledWith) -> Gradients | None:
        """The heads' gradients at the given arguments; None where these, or layers and losses now, are of another form.

        Raises:
            DGRError: a label is no class.
        """
        tasks = [index % len(losses) for index in self.indices]
        layers = [linear_layers(dummies[index]) for index in self.indices]
        found = [each for each in layers if each is not None]
        targets = [given.targets[task] for task in tasks]
        z, bare = given.features.leaves[0], len(given.features.parts) == 1 and not given.inputs and not given.keywords
        if not bare or len(found) < len(layers):
            return None
        width, outputs = found[0].linear[0].in_features, found[0].linear[-1].out_features
        if z.ndim != 2 or z.shape[1] != width or not len(z):
            return None
        if not all(torch.is_tensor(target) and self.kind.fits(target, len(z), outputs) for target in targets):
            return None
        own = [losses[task] for task in tasks]
        if any(kind_of(loss) != self.kind for loss in own):
            return None  # a loss module has been changed since
        z = z.detach().to(given.dtype)
        try:
            return parameter_gradients(found, z, lambda prediction: derivatives(self.kind, own, prediction, targets))
        except RuntimeError as error:
            if "out of bounds" not in str(error):
                raise
            raise no_class(tasks[0], error) from error


def closed_groups(dummies: Sequence[nn.Module], losses: Sequence[Loss]) -> list[Group]:
    """The heads that have a closed form, by shape and kind of loss; the others are left to autograd."""
    groups: dict[tuple[LossKind, bool, tuple[torch.Size, ...]], list[int]] = {}
    for index, dummy in enumerate(dummies):
        kind, layers = kind_of(losses[index % len(losses)]), linear_layers(dummy)
        if kind is not None and layers is not None:
            shapes = tuple(layer.weight.shape for layer in layers.linear)
            groups.setdefault((kind, layers.cut, shapes), []).append(index)
    return [Group(kind, indices) for (kind, _, _), indices in groups.items()]
