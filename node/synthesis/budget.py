"""How an order's rho is divided among the stages: from schema, workload and rho alone, before any record is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from marketplace.errors import Refused
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Workload
from node.synthesis.bins import most_bins
from node.synthesis.cells import cell_count, widths
from node.synthesis.structure import Marginal, components

CELLS_PERCENT = 15
CHOICES_PERCENT = 5
EXTRA_PERCENT = 30
COLUMNS_PER_EXTRA = 3
JOINT_CELLS = 20_000
POWER = 2 / 3


@dataclass(frozen=True)
class Budget:
    """Micro-rho of each stage; all of it together is what was given.

    `rho_micro`: what was given. `cells_micro`: by column and level. `tree_micro`, `extra_micro`: each choice of a pair
    that connects columns, or comes on top. `forest_micro`: for the marginals of the workload and the connecting pairs
    together. `extras_micro`: for the last marginals together, whatever else was left unspent not counted.
    `joint`: so few columns that all marginals of one width are measured and nothing is chosen.
    """

    rho_micro: int
    cells_micro: tuple[tuple[int, ...], ...]
    tree_micro: tuple[int, ...]
    extra_micro: tuple[int, ...]
    forest_micro: int
    extras_micro: int
    joint: bool


def budget_of(schema: Schema, workload: Workload, rho_micro: int) -> Budget:
    """The division of `rho_micro`. Raises `Refused` if some stage would get less than one micro-rho."""
    levels = [widths(column) for column in schema.columns]
    count = len(levels)
    joint = count == 1 or prod(most_bins(column) for column in schema.columns) <= JOINT_CELLS
    trees = 0 if joint else len(components(count, marginals_of(schema, workload))) - 1
    extras = 0 if joint else min(-(-count // COLUMNS_PER_EXTRA), count * (count - 1) // 2 - count + 1)
    stages = sum(map(len, levels)) + trees + extras
    least = stages * 100 // CHOICES_PERCENT
    if rho_micro < least:
        raise Refused(
            f"expected a rho of at least {least} millionths for {count} columns, got {rho_micro}; "
            "ask for fewer columns or an offer of more rho"
        )
    weights = [float(cell_count(column)) ** POWER for column in schema.columns]
    flat = divided(
        rho_micro * CELLS_PERCENT // 100,
        [weight for weight, column in zip(weights, levels, strict=True) for _ in column],
    )
    parts = iter(flat)
    cells = tuple(tuple(next(parts) for _ in column) for column in levels)
    choices = () if joint else divided(rho_micro * CHOICES_PERCENT // 100, [1.0] * (trees + extras))
    rest = rho_micro - sum(flat) - sum(choices)
    extras_micro = rest if joint else rest * EXTRA_PERCENT // 100
    return Budget(rho_micro, cells, choices[:trees], choices[trees:], rest - extras_micro, extras_micro, joint)


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
