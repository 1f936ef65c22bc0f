"""Nash-MTL's problem Gα = 1/α: every answer against its definition, and where there is none, a proof of that."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from method_support import build
from scipy.optimize import linprog
from toy_problem import make_toy

from dgr.core.errors import DGRError
from dgr.methods.shared.bargaining import MAX_FAILURES_IN_A_ROW, TOLERANCE, Bargaining, StaleWeightsWarning, solve

FLOAT32 = torch.finfo(torch.float32).eps


def deviation(gramian: torch.Tensor, alpha: torch.Tensor) -> float:
    return (alpha * (gramian @ alpha) - 1).abs().max().item()


def of_cosine(cosine: float, tasks: int = 2) -> torch.Tensor:
    return torch.full((tasks, tasks), cosine, dtype=torch.float64).fill_diagonal_(1.0)


def of_rows(jacobian: torch.Tensor) -> torch.Tensor:
    return jacobian.double() @ jacobian.double().T


def test_one_task_gets_the_inverse_of_its_length():
    torch.testing.assert_close(solve(torch.tensor([[4.0]]).double()), torch.tensor([0.5]).double())


@pytest.mark.parametrize("cosine", [-0.99, -0.5, 0.0, 0.5, 0.93, 0.95, 0.9999, 1.0])
@pytest.mark.parametrize("tasks", [2, 8])
def test_equal_cosines_have_a_closed_form(cosine, tasks):
    cosine = max(cosine, -0.99 / (tasks - 1))  # below −1/(K−1) there are no such vectors
    alpha = solve(of_cosine(cosine, tasks))
    expected = 1 / math.sqrt(1 + (tasks - 1) * cosine)
    torch.testing.assert_close(alpha, torch.full((tasks,), expected, dtype=torch.float64), rtol=1e-12, atol=0)


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6, 1e-8])
def test_nearly_opposite_gradients_are_solved(gap):
    alpha = solve(of_cosine(-1 + gap))
    np.testing.assert_allclose(alpha, [gap**-0.5] * 2, rtol=1e-6)


def test_gradients_of_very_different_length_are_solved():
    norms = torch.tensor([1e-12, 1.0, 1e12], dtype=torch.float64)
    alpha = solve(of_cosine(0.3, 3) * norms.outer(norms))
    np.testing.assert_allclose(alpha * norms, [1 / math.sqrt(1.6)] * 3, rtol=1e-12)


def cancel(jacobian: torch.Tensor) -> bool:
    """Whether non-negative weights of sum 1 cancel the gradients, by linear programming: then there is no solution."""
    equal = np.vstack([jacobian.numpy().T, np.ones(len(jacobian))])
    return linprog(np.zeros(len(jacobian)), A_eq=equal, b_eq=[0.0] * (len(equal) - 1) + [1.0]).status == 0


@pytest.mark.parametrize("width", [2, 4, 30])
def test_random_jacobians_are_solved_exactly_where_they_have_a_solution(width):
    solved = []
    for seed in range(60):
        tasks = 2 + seed % 7
        generator = torch.Generator().manual_seed(seed)
        jacobian = torch.randn(tasks, width, generator=generator, dtype=torch.float64)
        alpha = solve(of_rows(jacobian))
        assert (alpha is None) == cancel(jacobian), seed
        if alpha is not None:
            assert alpha.min() > 0
            solved.append(deviation(of_rows(jacobian), alpha))
    assert max(solved) < TOLERANCE  # where they nearly cancel, the Gramian's own rounding is all that is left
    assert np.median(solved) < 1e-14
    assert len(solved) == 60 if width > 10 else 10 < len(solved) < 60


def test_the_librarys_solver_agrees_where_it_finds_an_answer():
    from torchjd.aggregation import NashMTL

    agreed = 0
    for seed in range(12):
        jacobian = torch.randn(3, 20, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        aggregator = NashMTL(3, max_norm=0.0, optim_niter=30)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cvxpy's, on speed and precision
            theirs = aggregator.weighting(jacobian)
        if deviation(of_rows(jacobian), theirs) < 1e-4:
            np.testing.assert_allclose(solve(of_rows(jacobian)), theirs, rtol=1e-3)
            agreed += 1
    assert agreed >= 6


@pytest.mark.parametrize("cosine", [-1.0, -1 + 1e-7])
def test_gradients_that_cancel_within_their_precision_have_no_answer(cosine):
    """The direction of what is left of them would be that of their rounding errors."""
    assert solve(of_cosine(cosine), FLOAT32) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_named_as_such(bad):
    with pytest.raises(DGRError, match="not finite"):
        Bargaining(2, 1.0, 1)(torch.tensor([[bad, 0.0], [0.0, 1.0]]))


def test_gradients_that_are_not_numbers_have_no_answer():
    assert solve(torch.full((2, 2), math.nan, dtype=torch.float64)) is None


def test_the_encoders_gradient_is_clipped_and_the_weights_are_not():
    bargaining = Bargaining(2, max_norm=0.5, update_weights_every=1)
    clipped = bargaining(of_cosine(0.2))
    np.testing.assert_allclose(float(clipped @ of_cosine(0.2) @ clipped), 0.25)
    np.testing.assert_allclose(bargaining.alpha, [1 / math.sqrt(1.2)] * 2)


def test_a_task_of_zero_gradient_takes_no_part_and_keeps_its_weight():
    bargaining = Bargaining(3, max_norm=0.0, update_weights_every=1)
    gramian = of_cosine(0.5, 3)
    gramian[1], gramian[:, 1] = 0.0, 0.0
    np.testing.assert_allclose(bargaining(gramian), [1.5**-0.5, 1.0, 1.5**-0.5])
    np.testing.assert_allclose(bargaining(of_cosine(0.5, 3)), [2**-0.5] * 3)
    np.testing.assert_allclose(bargaining(gramian), [1.5**-0.5, 2**-0.5, 1.5**-0.5])
    np.testing.assert_allclose(bargaining(torch.zeros(3, 3).double()), [1.5**-0.5, 2**-0.5, 1.5**-0.5])
    assert int(bargaining.failures) == 0


def test_without_a_solution_the_last_one_is_used_with_a_warning_and_never_equal_weights():
    toy, method = make_toy(2), build("nash_mtl", 2)
    plain = {name: value.clone() for name, value in toy.model.heads["task1"].state_dict().items()}
    opposite = toy.model.heads["task0"].state_dict()

    def oppose() -> None:
        toy.model.heads["task1"].load_state_dict(opposite)
        toy.factors = (1.0, -0.5)

    oppose()
    with pytest.raises(DGRError, match=r"no direction improves all tasks .* no earlier weights exist"):
        toy.backward(method)
    toy.model.heads["task1"].load_state_dict(plain)
    toy.factors = None
    solved = toy.backward(method)[2]
    assert int(method.bargaining.failures) == 1
    oppose()
    for _ in range(MAX_FAILURES_IN_A_ROW - 1):
        with pytest.warns(StaleWeightsWarning, match="last solved weights are used again"):
            assert torch.equal(toy.backward(method)[2], solved)
    with pytest.raises(DGRError, match=f"{MAX_FAILURES_IN_A_ROW} steps in a row"):
        toy.backward(method)
    toy.factors = None
    toy.backward(method)
    assert int(method.bargaining.failures_in_a_row) == 0
