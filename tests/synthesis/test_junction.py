from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from node.synthesis.junction import JunctionTree
from node.synthesis.structure import Marginal

SIZES = (2, 3, 4, 2)
MARGINALS: list[Marginal] = [(0, 1), (1, 2), (0, 2), (3,), (2,)]

some_marginals = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True).map(lambda columns: tuple(sorted(columns))),
    max_size=6,
)


def weights_of(marginals: list[Marginal], tables: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The weight of every row, one by one."""
    weights = np.zeros(SIZES)
    for cell in product(*map(range, SIZES)):
        weights[cell] = np.exp(sum(t[tuple(cell[c] for c in m)] for m, t in zip(marginals, tables, strict=True)))
    return weights


def tables_of(marginals: list[Marginal], seed: int) -> list[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 2, [SIZES[column] for column in marginal]) for marginal in marginals]


@settings(deadline=None)
@given(some_marginals, st.integers(0, 10**6))
def test_expectations_are_those_of_the_sum_over_every_row(marginals: list[Marginal], seed: int) -> None:
    tables = tables_of(marginals, seed)
    tree, weights = JunctionTree(SIZES, marginals), weights_of(marginals, tables)
    log_sum, found = tree.expectations(tree.arranged(tables))
    shares = [weights.sum(axis=tuple(set(range(4)) - set(marginal))) / weights.sum() for marginal in marginals]
    assert log_sum == pytest.approx(np.log(weights.sum()), rel=1e-9)
    assert found == pytest.approx(tree.arranged(shares), rel=1e-9)


def test_steps_multiply_to_the_model() -> None:
    tables = tables_of(MARGINALS, 2)
    tree, weights = JunctionTree(SIZES, MARGINALS), weights_of(MARGINALS, tables)
    drawn = np.ones(SIZES)
    seen: set[int] = set()
    for step in tree.steps(tree.arranged(tables)):
        assert set(step.parents) <= seen
        seen.add(step.column)
        for cell in product(*map(range, SIZES)):
            drawn[cell] *= step.weights[tuple(cell[axis] for axis in (*step.parents, step.column))]
    assert seen == set(range(4))
    assert drawn == pytest.approx(weights / weights.sum(), rel=1e-9)


def test_weights_beyond_what_a_float_can_hold_are_no_obstacle() -> None:
    tree = JunctionTree((2, 2), [(0, 1)])
    log_sum, found = tree.expectations(tree.arranged([np.array([[5_000.0, -5_000.0], [4_999.0, 0.0]])]))
    assert log_sum == pytest.approx(5_000 + np.log1p(np.exp(-1)))
    share = 1 / (1 + np.exp(-1))
    assert found == pytest.approx(tree.arranged([np.array([share, 0, 1 - share, 0])]))
