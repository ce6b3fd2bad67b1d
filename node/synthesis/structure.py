"""Which columns are modelled together: forests and junction trees over columns, from released numbers alone."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import pi, prod, sqrt

import numpy as np

from node.synthesis.cells import Floats

Marginal = tuple[int, ...]
"""Columns of one marginal, as their places in the schema, rising."""

JUNCTION_CELLS = 60_000
NOISE_WEIGHT = 0.5


def components(count: int, marginals: Sequence[Marginal]) -> list[frozenset[int]]:
    """The groups of columns 0 .. `count` - 1 that the marginals connect, each by its smallest member's order."""
    groups = [frozenset([column]) for column in range(count)]
    for marginal in marginals:
        joined = frozenset().union(*(group for group in groups if group & set(marginal)))
        groups = [group for group in groups if not group & joined] + [joined]
    return sorted(groups, key=min)


def connecting_pairs(count: int, marginals: Sequence[Marginal]) -> list[Marginal]:
    """All pairs of columns that the marginals leave apart."""
    group = {column: i for i, members in enumerate(components(count, marginals)) for column in members}
    return [pair for pair in combinations(range(count), 2) if group[pair[0]] != group[pair[1]]]


def extra_pairs(sizes: Sequence[int], marginals: Sequence[Marginal]) -> list[Marginal]:
    """All pairs that no marginal holds yet and that keep the junction tree small. `sizes`: bins of each column."""
    held = {pair for marginal in marginals for pair in combinations(marginal, 2)}
    free = [pair for pair in combinations(range(len(sizes)), 2) if pair not in held]
    return [pair for pair in free if junction_cells(sizes, [*marginals, pair]) <= JUNCTION_CELLS]


def junction_cells(sizes: Sequence[int], marginals: Sequence[Marginal]) -> int:
    """How many numbers the model of these marginals has to hold at once, over all its eliminations."""
    return sum(prod(sizes[axis] for axis in (column, *parents)) for column, parents in elimination(sizes, marginals))


def elimination(sizes: Sequence[int], marginals: Sequence[Marginal]) -> list[tuple[int, Marginal]]:
    """The columns in an order of elimination, each with those that are then still joined to it, rising.

    The column whose elimination holds the fewest numbers goes first. Source: Koller and Friedman 2009, Section 9.4.3
    (min-weight).
    """
    near: dict[int, set[int]] = {column: set() for column in range(len(sizes))}
    for marginal in marginals:
        for column in marginal:
            near[column] |= set(marginal) - {column}
    order: list[tuple[int, Marginal]] = []
    while near:
        cost = {column: sizes[column] * prod(sizes[other] for other in others) for column, others in near.items()}
        column = min(cost, key=lambda one: (cost[one], one))
        others = near.pop(column)
        order.append((column, tuple(sorted(others))))
        for other in others:
            near[other] = (near[other] | others) - {other, column}
    return order


def expected_noise(cells: int, stddev: float) -> int:
    """What the score of a marginal loses for the noise that measuring it would bring, in rows.

    The expected L1 norm of the noise is sqrt(2/pi) `stddev` `cells`; part of it vanishes in the estimation.
    Source: McKenna, Mullins, Sheldon and Miklau 2022 (AIM), with a weight measured here.
    """
    return round(NOISE_WEIGHT * sqrt(2 / pi) * stddev * cells)


def implied(masses: Sequence[Floats], pairs: Mapping[Marginal, Floats], first: int) -> dict[int, Floats]:
    """The pair (first, other) for every other column, as a forest of measured pairs implies it, in rows.

    `masses`: each column's bins. `pairs`: the forest's edges with their estimated rows, shape (bins, bins), >= 0.
    A column that no path reaches counts as independent. Along a path, columns are independent given the one between.
    """
    given_first = {first: np.eye(len(masses[first]))}
    reached = [first]
    for here in reached:
        for (left, right), table in pairs.items():
            there = {left: right, right: left}.get(here)
            if there is None or there in given_first:
                continue
            given_first[there] = given_first[here] @ _rows_to_one(table if left == here else table.T)
            reached.append(there)
    joint = {}
    for other, mass in enumerate(masses):
        conditional = given_first.get(other, np.broadcast_to(mass / max(float(mass.sum()), 1.0), (1, len(mass))))
        joint[other] = masses[first][:, None] * conditional
    return joint


def _rows_to_one(table: Floats) -> Floats:
    lifted = table + 1e-9
    return np.asarray(lifted / lifted.sum(axis=1, keepdims=True))
