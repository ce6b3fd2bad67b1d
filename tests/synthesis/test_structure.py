from node.synthesis.structure import (
    components,
    connecting_pairs,
    elimination,
    free_pairs,
    joint_width,
    junction_cells,
    worthwhile,
)

SIZES = (2, 3, 4, 2)


def test_components_follow_the_marginals() -> None:
    assert components(5, [(0, 3), (1, 2, 4)]) == [frozenset({0, 3}), frozenset({1, 2, 4})]


def test_only_pairs_that_connect_are_candidates() -> None:
    assert connecting_pairs(4, [(0, 1), (2, 3)]) == [(0, 2), (0, 3), (1, 2), (1, 3)]
    assert connecting_pairs(2, [(0, 1)]) == []


def test_free_pairs_are_those_that_no_marginal_holds() -> None:
    assert free_pairs(4, [(0, 1, 2), (2, 3)]) == [(0, 3), (1, 3)]


def test_a_cycle_costs_the_cells_of_its_triangles() -> None:
    assert junction_cells(SIZES, [(0, 1), (1, 2), (0, 2)]) == 2 + 2 * 3 * 4 + 3 * 4 + 4
    assert len(elimination(SIZES, [(0, 1)])) == len(SIZES)


def test_the_elimination_takes_the_cheapest_column_first_and_joins_its_neighbours() -> None:
    assert elimination((9, 2, 3, 2), [(0, 1), (0, 2), (0, 3)]) == [(1, (0,)), (3, (0,)), (0, (2,)), (2, ())]
    assert elimination((2, 2, 2, 2), [(0, 1), (1, 2), (2, 3), (0, 3)])[:2] == [(0, (1, 3)), (1, (2, 3))]


def test_more_rows_or_less_noise_are_worth_more_marginals() -> None:
    assert worthwhile(100, 10.0, 1_000) == 1
    assert worthwhile(100, 10.0, 20_000) == 25
    assert worthwhile(100, 5.0, 20_000) == 100
    assert worthwhile(1e9, 1e9, 1) == 1


def test_few_columns_are_measured_as_widely_as_noise_allows() -> None:
    assert [joint_width((6, 6, 6, 6), stddev, 10_000) for stddev in (0.5, 2.0, 50.0)] == [4, 3, 2]
    assert [joint_width((6, 6, 6, 6), 2.0, 10_000, share) for share in (0.5, 0.1, 0.01)] == [4, 3, 2]
    assert joint_width((3,), 1.0, 100) == 1
