"""Universality of a representation: how much a head gains there by being trained at all.

``universality = 1 / (E_θ[L(h_θ(z))] − L(h*(z)))``: the inverse of the loss of an arbitrary, untrained predictor minus
the loss of the optimal one (Shin, Do, Son, ECCV 2024, abstract; the paper's own formula was not available). Here the
expectation is a mean over heads of the run's architecture with fresh random weights, which are not the run's dummies,
and the optimal predictor is such a head refitted to the frozen representation. Both losses are those of unseen samples.

Two cautions. The loss of a random head depends on the *size* of z: as ‖z‖ shrinks, its predictions tend to a constant
and its loss to about the logarithm of the number of classes, so that any shrinking lowers the gap, whatever the
representation holds. Hence the second measure, with z rescaled to one common mean norm, which shrinking cannot change.
And at equal random loss a *better* optimal predictor makes the gap larger: read the refitted loss beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor, nn
from torch.nn.utils import vector_to_parameters

from dgr.core.errors import DGRError

_Loss = Callable[[Tensor, Tensor], Tensor]
PATIENCE = 10
MAX_ITERATIONS = 200


class Represented(NamedTuple):
    """Representations ``(samples, width)``, float32, and one target each."""

    representation: Tensor
    targets: Tensor


@dataclass(frozen=True)
class Universality:
    """Losses of one task on one representation; all on test samples, averaged over them.

    Attributes:
        random_loss: mean over draws of the loss of an untrained head.
        random_loss_sd: standard deviation over draws.
        random_loss_normalized: mean over draws, with z rescaled to the mean norm √width.
        refitted_loss: loss of the refitted head, which does not depend on the scale of z.
        mean_norm: mean ‖z‖.
    """

    random_loss: float
    random_loss_sd: float
    random_loss_normalized: float
    refitted_loss: float
    mean_norm: float

    @property
    def gap(self) -> float:
        """The denominator of universality."""
        return self.random_loss - self.refitted_loss

    @property
    def gap_normalized(self) -> float:
        """The same with the rescaled z."""
        return self.random_loss_normalized - self.refitted_loss


def measure_universality(
    make_head: Callable[[], nn.Module],
    loss: _Loss,
    train: Represented,
    val: Represented,
    test: Represented,
    draws: int,
    seed: int,
) -> Universality:
    """Compare untrained heads with a refitted one.

    Args:
        make_head: makes a head of the run's architecture, with the initialisation that the run uses.
        loss: ``loss(prediction, target) -> scalar``, a mean over samples.
        train: what the head is refitted to.
        val: says when refitting has gone far enough.
        test: where losses are measured.
        draws: number of untrained heads, at least 2.
        seed: of the random weights. Equal seeds give equal heads on every representation, so that comparisons between
            runs and epochs are paired.

    Raises:
        DGRError: fewer than 2 draws, or values that are not finite.
    """
    if draws < 2:
        raise DGRError(f"Universality needs at least 2 draws of an untrained head, but draws is {draws}.")
    if not all(torch.isfinite(part.representation).all() for part in (train, val, test)):
        raise DGRError("Universality is not defined for a representation with NaN or infinite values; train it again.")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed the accelerators' too
        start, *heads = [make_head() for _ in range(draws + 1)]
    size = train.representation.norm(dim=1).mean().item()
    factor = train.representation.shape[1] ** 0.5 / size if size > 0 else 1.0
    random = _losses(heads, loss, test)
    # In coordinates that the first layer can undo, in which every representation is as easy to fit.
    mean = train.representation.mean(dim=0)
    sd = (train.representation - mean).square().mean().sqrt().item() or 1.0
    fitted, chosen, unseen = (Represented((z - mean) / sd, targets) for z, targets in (train, val, test))
    refitted = refit(start, loss, fitted, chosen)
    return Universality(
        random_loss=random.mean().item(),
        random_loss_sd=random.std().item(),
        random_loss_normalized=_losses(heads, loss, Represented(factor * test.representation, test.targets))
        .mean()
        .item(),
        refitted_loss=_losses([refitted], loss, unseen).item(),
        mean_norm=test.representation.norm(dim=1).mean().item(),
    )


def refit(head: nn.Module, loss: _Loss, train: Represented, val: Represented) -> nn.Module:
    """Train a head by L-BFGS on whole batches and keep the iterate with the lowest validation loss.

    It stops when that loss has not fallen for :data:`PATIENCE` iterations. The result depends on nothing random.

    Args:
        head: the start; it is changed and returned.
        loss: as for :func:`measure_universality`.
        train: the samples that are fitted.
        val: the samples that choose the iterate.
    """
    parameters = list(head.parameters())
    best = vector = _flat(parameters).detach()
    lowest, waited = _losses([head], loss, val).item(), 0

    def load(x: NDArray[np.float64]) -> None:
        vector_to_parameters(torch.from_numpy(x).to(vector), parameters)

    def objective(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        load(x)
        value = loss(head(train.representation), train.targets)
        gradient = _flat(torch.autograd.grad(value, parameters))
        return value.item(), gradient.double().numpy()

    def after_iteration(x: NDArray[np.float64]) -> None:
        nonlocal best, lowest, waited
        load(x)
        value = _losses([head], loss, val).item()
        waited += 1
        if value < lowest:
            best, lowest, waited = torch.from_numpy(x.copy()).to(vector), value, 0
        elif waited >= PATIENCE:
            raise StopIteration

    # SciPy's, since importing torch.optim takes longer than all the fits of a run together.
    options = {"maxiter": MAX_ITERATIONS}
    minimize(objective, vector.double().numpy(), jac=True, method="L-BFGS-B", callback=after_iteration, options=options)
    vector_to_parameters(best, parameters)
    return head


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    """One vector, whatever the tensors' layouts, which those of a convolution take from its inputs."""
    return torch.cat([tensor.flatten() for tensor in tensors])


@torch.no_grad()
def _losses(heads: list[nn.Module], loss: _Loss, samples: Represented) -> Tensor:
    return torch.stack([loss(head(samples.representation), samples.targets) for head in heads])
