"""How an order's rho is divided among the stages: from schema, workload and rho alone, before any record is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import comb, prod

from marketplace.errors import Refused
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Workload
from node.synthesis.bins import most_bins
from node.synthesis.cells import cell_count, widths
from node.synthesis.structure import Marginal, components

CELLS_PERCENT = 25
CHOICES_PERCENT = 5
EXTRA_PERCENT = 50
EXTRAS_PER_COLUMN = 2
JOINT_COLUMNS = 6
JOINT_CELLS = 20_000
LEAST_MICRO_PER_STAGE = 4
WORKLOAD_WEIGHT = 2.0
WANTED_WEIGHT = 8.0
POWER = 2 / 3


@dataclass(frozen=True)
class Budget:
    """Micro-rho of each stage; all of it together is what was given.

    `rho_micro`: what was given. `cells_micro`: by column and level. `tree_micro`: each choice of a pair that connects
    columns. `forest_micro`: for the marginals of the workload and the connecting pairs together. `extra_choices_micro`:
    for all choices of pairs on top. `extras_micro`: for those pairs together, whatever else was left unspent not
    counted. `most_extras`: how many of them there can be. `is_joint`: whether the columns are so few that all marginals
    of one width are measured and none is chosen.
    """

    rho_micro: int
    cells_micro: tuple[tuple[int, ...], ...]
    tree_micro: tuple[int, ...]
    forest_micro: int
    extra_choices_micro: int
    extras_micro: int
    most_extras: int
    is_joint: bool


def budget_of(schema: Schema, workload: Workload, rho_micro: int) -> Budget:
    """The division of `rho_micro`. Raises `Refused` if it cannot pay for every stage."""
    count, is_joint = len(schema.columns), measures_all(schema)
    wanted = marginals_of(schema, workload)
    levels = sum(len(widths(column)) for column in schema.columns)
    if is_joint:
        most = max(comb(count, width) for width in range(1, count + 1))
        check_enough(rho_micro, LEAST_MICRO_PER_STAGE * (levels + most), count)
        cells = cells_micro(schema, workload, rho_micro * CELLS_PERCENT // 100)
        return Budget(rho_micro, cells, (), 0, 0, rho_micro - sum(map(sum, cells)), 0, is_joint)
    trees = len(components(count, wanted)) - 1
    measured = sum(comb(len(marginal), 2) for marginal in wanted) + trees
    least_choices = -(-100 * (trees + 2) // CHOICES_PERCENT)
    check_enough(rho_micro, max(least_choices, LEAST_MICRO_PER_STAGE * (levels + measured + 1)), count)
    cells = cells_micro(schema, workload, rho_micro * CELLS_PERCENT // 100)
    all_choices = rho_micro * CHOICES_PERCENT // 100
    tree = max(trees, all_choices * trees // (trees + count))
    extra_choices = all_choices - tree
    rest = rho_micro - sum(map(sum, cells)) - all_choices
    extras = rest * EXTRA_PERCENT // 100
    most_extras = min(EXTRAS_PER_COLUMN * count, extra_choices, extras // LEAST_MICRO_PER_STAGE)
    choices = divided(tree, [1.0] * trees)
    return Budget(rho_micro, cells, choices, rest - extras, extra_choices, extras, most_extras, is_joint)


def measures_all(schema: Schema) -> bool:
    """Whether the columns are so few that all marginals of one width are measured, told from the declaration alone."""
    count = len(schema.columns)
    return count == 1 or (
        count <= JOINT_COLUMNS and prod(most_bins(column) for column in schema.columns) <= JOINT_CELLS
    )


def check_enough(rho_micro: int, least: int, columns: int) -> None:
    """Raises `Refused` where `rho_micro` is below the `least` that every stage can be paid of."""
    if rho_micro < least:
        raise Refused(
            f"expected a rho of at least {least} millionths for {columns} columns and this workload, got {rho_micro}; "
            "ask for less or buy from an offer of more rho"
        )


def cells_micro(schema: Schema, workload: Workload, rho_micro: int) -> tuple[tuple[int, ...], ...]:
    """The division of `rho_micro` over the one-way counts: by column and level."""
    wanted = {name for marginal in workload.all_marginals for name in marginal}
    levels = [len(widths(column)) for column in schema.columns]
    weights = [
        float(cell_count(column)) ** POWER * (WORKLOAD_WEIGHT if column.name in wanted else 1.0)
        for column in schema.columns
    ]
    parts = iter(divided(rho_micro, [weight for weight, n in zip(weights, levels, strict=True) for _ in range(n)]))
    return tuple(tuple(next(parts) for _ in range(n)) for n in levels)


def divided(rho_micro: int, weights: Sequence[float]) -> tuple[int, ...]:
    """`rho_micro` in parts of at least 1, otherwise by weight, that sum to it exactly.

    `weights`: each above 0. `rho_micro` >= their number. Raises `ValueError` if it is less.
    """
    free = rho_micro - len(weights)
    if free < 0:
        raise ValueError(f"expected at least {len(weights)} micro-rho, got {rho_micro}")
    total = sum(weights)
    ends = [min(free, round(free * passed / total)) for passed in accumulate(weights)]
    ends[-1:] = [free] * bool(ends)
    return tuple(1 + end - start for start, end in zip([0, *ends], ends, strict=False))


def weights_of(sizes: Sequence[int], marginals: Sequence[Marginal], wanted: Sequence[Marginal]) -> list[float]:
    """By which rho is divided over marginals that are measured together. `sizes`: bins of each column.

    One that the workload asks for (`wanted`) gets `WANTED_WEIGHT` times what another of its size would.
    """
    cells = (prod(sizes[column] for column in marginal) for marginal in marginals)
    return [
        float(count) ** POWER * (WANTED_WEIGHT if marginal in wanted else 1.0)
        for count, marginal in zip(cells, marginals, strict=True)
    ]


def marginals_of(schema: Schema, workload: Workload) -> tuple[Marginal, ...]:
    """The workload's marginals of two and three columns, as columns' places in the schema, each once, in order."""
    places = {name: place for place, name in enumerate(schema.names)}
    wanted = (
        tuple(sorted(places[name] for name in marginal)) for marginal in workload.all_marginals if len(marginal) > 1
    )
    return tuple(dict.fromkeys(wanted))
