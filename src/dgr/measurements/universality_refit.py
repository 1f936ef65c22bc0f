"""Heads that are refitted to a frozen representation, to all training samples or to few of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor, nn
from torch.nn.utils import vector_to_parameters

from dgr.core.errors import DGRError
from dgr.measurements.universality_samples import HeadLoss, Represented, losses, mean_over_log
from dgr.measurements.universality_settings import (
    CHECK_EVERY,
    FEW_ITERATIONS,
    LABEL_COUNTS,
    MAX_ITERATIONS,
    PATIENCE,
    RIDGE,
)


def refit(head: nn.Module, loss: HeadLoss, train: Represented, val: Represented) -> nn.Module:
    """Minimise ``loss + RIDGE/n·½‖θ‖²`` by L-BFGS and keep the iterate with the lowest validation loss.

    That loss is looked at after every CHECK_EVERY iterations; where it has not fallen PATIENCE times, or after
    MAX_ITERATIONS, it stops. The result depends on nothing random.

    Args:
        head: the start; it is changed and returned.
        loss: of its predictions.
        train: the n samples that are fitted.
        val: the samples that choose the iterate.
    """
    parameters = list(head.parameters())
    best = start = _flat(parameters).detach()
    lowest, done, waited = losses([head], loss, val).item(), 0, 0

    def after_iteration(x: NDArray[np.float64]) -> None:
        nonlocal best, lowest, done, waited
        done += 1
        if done % CHECK_EVERY:
            return
        _load(x, parameters, start)
        value = losses([head], loss, val).item()
        waited += 1
        if value < lowest:
            best, lowest, waited = torch.from_numpy(x.copy()).to(start), value, 0
        elif waited >= PATIENCE:
            raise StopIteration

    _descend(head, loss, train, MAX_ITERATIONS, after_iteration)
    vector_to_parameters(best, parameters)
    return head


def refit_to_few(head: nn.Module, loss: HeadLoss, train: Represented) -> nn.Module:
    """Minimise ``loss + RIDGE/n·½‖θ‖²`` over all parameters θ by FEW_ITERATIONS iterations of L-BFGS.

    Args:
        head: the start; it is changed and returned.
        loss: of its predictions.
        train: the n samples that are fitted.
    """
    parameters = list(head.parameters())
    start = _flat(parameters).detach()
    _load(_descend(head, loss, train, FEW_ITERATIONS), parameters, start)
    return head


def label_area(make_start: Callable[[], nn.Module], loss: HeadLoss, train: Represented, test: Represented) -> float:
    """Mean over log n of the test loss of a head that is refitted to the first n training samples, n in LABEL_COUNTS.

    Args:
        make_start: the same initial head at every call.
        loss: of its predictions.
        train: standardized; its first samples are taken, so that runs on the same split see the same labels. Where it
            has fewer than the largest n, all of it is the largest.
        test: standardized likewise; where losses are measured.

    Raises:
        DGRError: there are no more training samples than the smallest n.
    """
    counts = sorted({min(count, len(train.targets)) for count in LABEL_COUNTS})
    if len(counts) < 2:
        raise DGRError(
            f"Learning from few labels needs more than {LABEL_COUNTS[0]} training samples, but there are "
            f"{len(train.targets)}; prepare more of them."
        )
    heads = [refit_to_few(make_start(), loss, train.first(count)) for count in counts]
    return mean_over_log(counts, losses(heads, loss, test).tolist())


def _descend(
    head: nn.Module,
    loss: HeadLoss,
    train: Represented,
    iterations: int,
    after: Callable[[NDArray[np.float64]], None] | None = None,
) -> NDArray[np.float64]:
    """The last iterate. SciPy's method, since importing torch.optim takes longer than all the fits of a run."""
    parameters = list(head.parameters())
    start, ridge = _flat(parameters).detach(), RIDGE / len(train.targets)

    def objective(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        _load(x, parameters, start)
        value = loss(head(train.representation), train.targets)
        gradient = _flat(torch.autograd.grad(value, parameters)).double().numpy()
        return value.item() + ridge / 2 * float(x @ x), gradient + ridge * x

    options = {"maxiter": iterations}
    found = minimize(objective, start.double().numpy(), jac=True, method="L-BFGS-B", callback=after, options=options)
    last: NDArray[np.float64] = found.x
    return last


def _load(x: NDArray[np.float64], parameters: list[nn.Parameter], like: Tensor) -> None:
    vector_to_parameters(torch.from_numpy(x).to(like), parameters)


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    """One vector, whatever the tensors' layouts, which those of a convolution take from its inputs."""
    return torch.cat([tensor.flatten() for tensor in tensors])
