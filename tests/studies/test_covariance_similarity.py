from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group

from dgr.core.errors import DGRError
from dgr.studies.covariance_similarity import covariance_cosine, covariance_similarity

seeds = st.integers(0, 2**31)


def two_tasks(seed, width=5):
    generator = np.random.default_rng(seed)
    first, second = (generator.standard_normal((rows, width)) * np.arange(1, width + 1) for rows in (8, 11))
    return generator, first, second


def by_eigenvalues(first, second, energy):
    halves = []
    for inputs in (first, second):
        values, vectors = np.linalg.eigh(inputs.T @ inputs)
        values, vectors = values[::-1].clip(0), vectors[:, ::-1]
        rank = next(r for r in range(1, len(values) + 1) if values[:r].sum() >= energy * values.sum() * (1 - 1e-12))
        halves.append(vectors[:, :rank] * np.sqrt(values[:rank]))
    norm = np.linalg.norm
    return norm(halves[0].T @ halves[1]) / norm(halves[0]) / norm(halves[1])


@given(seed=seeds, energy=st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_it_is_the_formula_by_eigenvalues(seed, energy):
    _, first, second = two_tasks(seed)
    assert covariance_similarity(first, second, energy) == pytest.approx(by_eigenvalues(first, second, energy))


@given(seed=seeds)
def test_rotations_do_not_change_it(seed):
    generator, first, second = two_tasks(seed)
    right, left, other = (ortho_group.rvs(n, random_state=generator) for n in (5, 8, 11))
    for score in (covariance_similarity, covariance_cosine):
        value = score(first, second)
        assert 0 <= value <= 1
        assert score(first @ right, second @ right) == pytest.approx(value)
        assert score(left @ first, other @ second) == pytest.approx(value)
        assert score(second, 1e-3 * first) == pytest.approx(value)


def test_closed_forms_of_diagonal_inputs():
    first, second = np.diag([2.0, 1.0]), np.diag([1.0, 3.0])
    # C₁ = diag(4, 1), C₂ = diag(1, 9): ⟨C₁, C₂⟩ = 13, traces 5 and 10.
    assert covariance_similarity(first, second, 1.0) == pytest.approx(np.sqrt(13 / 50))
    assert covariance_cosine(first, second, 1.0) == pytest.approx(np.sqrt(13 / np.sqrt(17 * 82)))
    # With 80 % the first keeps one direction, and so does the second.
    assert covariance_similarity(first, second, 0.8) == pytest.approx(0.0)


def test_equal_inputs_reach_one_only_when_they_have_rank_one():
    _, first, _ = two_tasks(0)
    assert covariance_similarity(first[:1], first[:1]) == pytest.approx(1.0)
    assert covariance_similarity(first, first) < 0.95
    assert covariance_cosine(first, first) == pytest.approx(1.0)
    assert covariance_similarity(np.eye(4), np.eye(4)) == pytest.approx(0.5)  # ‖D‖ / tr D


def test_inputs_in_disjoint_directions_share_nothing():
    assert covariance_similarity(np.eye(4)[:2], np.eye(4)[2:]) == 0
    assert covariance_cosine(np.eye(4)[:2], np.eye(4)[2:]) == 0


@pytest.mark.parametrize("bad", [np.zeros((3, 2)), np.array([[1.0, np.nan]]), np.array([[np.inf, 1]]), np.ones(2)])
def test_inputs_without_a_covariance_are_refused(bad):
    with pytest.raises(DGRError, match="needs a matrix of finite numbers that are not all zero"):
        covariance_similarity(np.ones((3, 2)), bad)
    with pytest.raises(DGRError, match="needs a matrix of finite numbers"):
        covariance_cosine(bad, np.ones((3, 2)))


def test_different_widths_are_refused():
    with pytest.raises(DGRError, match="one width, but got 2 and 3"):
        covariance_similarity(np.ones((3, 2)), np.ones((3, 3)))
