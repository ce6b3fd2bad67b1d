"""Which columns are modelled together: forests and junction trees over columns, from released numbers alone."""

from collections.abc import Sequence
from itertools import combinations
from math import pi, prod, sqrt

Marginal = tuple[int, ...]
"""Columns of one marginal, as their places in the schema, rising."""

JUNCTION_CELLS = 120_000
NOISE_WEIGHT = 0.5
NOISE_SHARE = 0.2
JOINT_NOISE_SHARE = 0.1
SPLIT_NOISE_SHARE = 0.5


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


def free_pairs(count: int, marginals: Sequence[Marginal]) -> list[Marginal]:
    """All pairs of columns that no marginal holds yet."""
    held = {pair for marginal in marginals for pair in combinations(marginal, 2)}
    return [pair for pair in combinations(range(count), 2) if pair not in held]


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
    cost = {column: sizes[column] * prod(sizes[other] for other in others) for column, others in near.items()}
    order: list[tuple[int, Marginal]] = []
    while cost:
        column = min(cost, key=lambda one: (cost[one], one))
        del cost[column]
        others = near.pop(column)
        order.append((column, tuple(sorted(others))))
        for other in others:
            near[other] = (near[other] | others) - {other, column}
            cost[other] = sizes[other] * prod(sizes[one] for one in near[other])
    return order


def expected_noise(cells: int, stddev: float) -> int:
    """What the score of a marginal loses for the noise that measuring it would bring, in rows.

    The expected L1 norm of the noise is sqrt(2/pi) `stddev` `cells`; part of it vanishes in the estimation.
    Source: McKenna, Mullins, Sheldon and Miklau 2022 (AIM), with a weight measured here.
    """
    return round(NOISE_WEIGHT * sqrt(2 / pi) * stddev * cells)


def worthwhile(cells: float, stddev: float, total: float) -> int:
    """How many marginals of `cells` counts each can share a budget before noise drowns them, at least 1.

    `stddev`: the noise of one count, in rows, if one marginal had all of the budget; among m it is sqrt(m) times that.
    The expected L1 norm of one marginal's noise is to stay below `NOISE_SHARE` of the `total` rows.
    """
    reach = NOISE_SHARE * total / (sqrt(2 / pi) * stddev * cells)
    return max(1, int(min(reach**2, 1e6)))


def affordable(sizes: Sequence[int], total: float, workload: Sequence[Marginal], stddev: float) -> list[Marginal]:
    """The workload's marginals, each of three columns as its pairs where noise would drown the whole.

    `sizes`: bins of each column. `stddev`: the noise of one count, in rows; of `total` rows.
    """
    wanted: list[Marginal] = []
    for marginal in workload:
        cells = prod(sizes[column] for column in marginal)
        whole = expected_noise(cells, stddev) < SPLIT_NOISE_SHARE * total
        wanted += [marginal] if whole else combinations(marginal, 2)
    return list(dict.fromkeys(wanted))


def joint_width(sizes: Sequence[int], stddev: float, total: float, share: float = JOINT_NOISE_SHARE) -> int:
    """How many columns the marginals have where all marginals of one width are measured: 2, or more if noise allows.

    `sizes`: bins of each column. `stddev`, `total`: as in `worthwhile`; the mean noise of a wider marginal is to stay below
    this `share` of the rows.
    """
    for width in range(len(sizes), 2, -1):
        cells = [prod(marginal) for marginal in combinations(sizes, width)]
        noise = sqrt(2 / pi) * stddev * sqrt(len(cells)) * sum(cells) / len(cells)
        if noise < share * total:
            return width
    return min(2, len(sizes))
