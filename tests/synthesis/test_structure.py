import numpy as np
import pytest

from node.synthesis.structure import (
    JUNCTION_CELLS,
    components,
    connecting_pairs,
    elimination,
    extra_pairs,
    implied,
    junction_cells,
)

SIZES = (2, 3, 4, 2)


def test_components_follow_the_marginals() -> None:
    assert components(5, [(0, 3), (1, 2, 4)]) == [frozenset({0, 3}), frozenset({1, 2, 4})]


def test_only_pairs_that_connect_are_candidates() -> None:
    assert connecting_pairs(4, [(0, 1), (2, 3)]) == [(0, 2), (0, 3), (1, 2), (1, 3)]
    assert connecting_pairs(2, [(0, 1)]) == []


def test_extra_pairs_are_new_and_keep_the_tree_small() -> None:
    assert extra_pairs(SIZES, [(0, 1, 2), (2, 3)]) == [(0, 3), (1, 3)]
    large = int(JUNCTION_CELLS**0.5)
    assert extra_pairs((large, large, large), [(0, 1), (1, 2)]) == []


def test_a_cycle_costs_the_cells_of_its_triangles() -> None:
    assert junction_cells(SIZES, [(0, 1), (1, 2), (0, 2)]) == 2 + 2 * 3 * 4 + 3 * 4 + 4
    assert len(elimination(SIZES, [(0, 1)])) == len(SIZES)


def test_a_forest_implies_products_along_its_paths_and_independence_elsewhere() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.random((2, 3)), rng.random((3, 4))
    second *= (first.sum(axis=0) / second.sum(axis=1))[:, None]
    masses = [first.sum(axis=1), first.sum(axis=0), second.sum(axis=0), np.array([1.0, 3.0])]
    joint = implied(masses, {(0, 1): first, (1, 2): second}, 0)
    assert joint[1] == pytest.approx(first, rel=1e-6)
    assert joint[2] == pytest.approx(first @ (second / second.sum(axis=1, keepdims=True)), rel=1e-6)
    assert joint[3] == pytest.approx(np.outer(masses[0], [0.25, 0.75]), rel=1e-6)
