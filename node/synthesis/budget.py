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

CELLS_PERCENT = 20
CHOICES_PERCENT = 5
EXTRA_PERCENT = 30
COLUMNS_PER_EXTRA = 3
JOINT_COLUMNS = 6
JOINT_CELLS = 20_000
JOINT_WIDTH = 2
LEAST_MICRO_PER_STAGE = 20
POWER = 2 / 3


@dataclass(frozen=True)
class Budget:
    """Micro-rho of each stage; all of it together is what was given.

    `rho_micro`: what was given. `cells_micro`: by column and level. `tree_micro`, `extra_micro`: each choice of a pair
    that connects columns, or comes on top. `forest_micro`: for the marginals of the workload and the connecting pairs
    together. `extras_micro`: for the last marginals together, whatever else was left unspent not counted.
    `joint_width`: above 0 where the columns are so few that all marginals of this width are measured, none chosen.
    """

    rho_micro: int
    cells_micro: tuple[tuple[int, ...], ...]
    tree_micro: tuple[int, ...]
    extra_micro: tuple[int, ...]
    forest_micro: int
    extras_micro: int
    joint_width: int


def budget_of(schema: Schema, workload: Workload, rho_micro: int) -> Budget:
    """The division of `rho_micro`. Raises `Refused` if it cannot pay for every stage."""
    count = len(schema.columns)
    few = count <= JOINT_COLUMNS and prod(most_bins(column) for column in schema.columns) <= JOINT_CELLS
    width = min(JOINT_WIDTH, count) if few or count == 1 else 0
    wanted = marginals_of(schema, workload)
    trees = 0 if width else len(components(count, wanted)) - 1
    extras = 0 if width else min(-(-count // COLUMNS_PER_EXTRA), comb(count, 2) - count + 1)
    marginals = comb(count, width) if width else len(wanted) + trees + extras
    levels = sum(len(widths(column)) for column in schema.columns)
    _check_enough(rho_micro, levels + trees + extras + marginals, count)
    cells = _cells_micro(schema, rho_micro * CELLS_PERCENT // 100)
    choices = divided(rho_micro * CHOICES_PERCENT // 100, [1.0] * (trees + extras)) if trees + extras else ()
    rest = rho_micro - sum(map(sum, cells)) - sum(choices)
    extras_micro = rest if width else rest * EXTRA_PERCENT // 100
    return Budget(rho_micro, cells, choices[:trees], choices[trees:], rest - extras_micro, extras_micro, width)


def _check_enough(rho_micro: int, stages: int, columns: int) -> None:
    least = stages * LEAST_MICRO_PER_STAGE
    if rho_micro < least:
        raise Refused(
            f"expected a rho of at least {least} millionths for {columns} columns and this workload, got {rho_micro}; "
            "ask for less or buy from an offer of more rho"
        )


def _cells_micro(schema: Schema, rho_micro: int) -> tuple[tuple[int, ...], ...]:
    levels = [len(widths(column)) for column in schema.columns]
    weights = [float(cell_count(column)) ** POWER for column in schema.columns]
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


def marginals_of(schema: Schema, workload: Workload) -> tuple[Marginal, ...]:
    """The workload's marginals of two and three columns, as columns' places in the schema, each once, in order."""
    places = {name: place for place, name in enumerate(schema.names)}
    wanted = (tuple(sorted(places[name] for name in marginal)) for marginal in workload.marginals if len(marginal) > 1)
    return tuple(dict.fromkeys(wanted))
