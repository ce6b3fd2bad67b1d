"""What the scores of a twin of pooled records are counted on: told from its columns, as they were released, and its rho."""

from collections.abc import Callable
from itertools import groupby
from math import pi, sqrt

from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.groups import Grouping, Groups
from marketplace.scores.summed import (
    ROWS,
    SUBGROUP_ROWS,
    SUBGROUPS,
    WIDEST,
    Scoring,
    curve_names,
    marginals_of,
)
from node.synthesis.bins import BINS
from node.synthesis.columns import Columns
from node.synthesis.sketch import FEWEST_GROUPS, groups_of
from node.synthesis.structure import NOISE_SHARE
from node.twin.rounds import LEAST_MICRO, ScoreRound, prices_of

WEIGHTS = {ROWS: 2, "l1_1way": 2, "l1_2way": 3, "l1_3way": 6, "workload": 4, SUBGROUP_ROWS: 2, SUBGROUPS: 4}
CURVES_WEIGHT = 8
"""By which the rho of scores is divided over their statistics; all curves together have the last."""


def score_round(
    schema: Schema, specification: Specification, columns: Columns, rho_micro: int, stddev: Callable[[int], float]
) -> ScoreRound:
    """The round for `rho_micro`, of which no statistic gets less than `LEAST_MICRO`.

    `stddev`: the noise of one summed count of a statistic of which a row moves one cell, by what it is paid. A column enters
    sets of w columns in as many groups as keep the expected noise of one set below `NOISE_SHARE` of the rows, at least two.
    """
    weights = _weights(schema, specification)
    prices = dict(zip(weights, prices_of(rho_micro, tuple(weights.values())), strict=True))
    sets = marginals_of(schema, specification)
    groupings = []
    for width in range(1, WIDEST + 1):
        name = next((name for name in sets if name.startswith(f"l1_{width}way")), None)
        noise = stddev(prices[name]) * sqrt(len(sets[name])) if name else columns.total
        cells = NOISE_SHARE * columns.total / (sqrt(2 / pi) * noise)
        most = max(
            groups for groups in range(FEWEST_GROUPS, BINS + 1) if groups == FEWEST_GROUPS or groups**width <= cells
        )
        groupings.append(_grouping(schema, columns, most))
    return ScoreRound(Scoring(schema, specification, tuple(groupings)), tuple(prices.values()))


def least_micro(schema: Schema, specification: Specification) -> int:
    """What the scores of an order cost at least."""
    return LEAST_MICRO * len(_weights(schema, specification))


def _weights(schema: Schema, specification: Specification) -> dict[str, float]:
    """The weight of each statistic, in order."""
    found: dict[str, float] = {ROWS: WEIGHTS[ROWS]}
    for name in marginals_of(schema, specification):
        found[name] = next(weight for known, weight in WEIGHTS.items() if name == known or name.startswith(f"{known}_"))
    curves = curve_names(specification)
    return found | {name: CURVES_WEIGHT / len(curves) for name in curves}


def _grouping(schema: Schema, columns: Columns, most: int) -> Grouping:
    """The columns in at most `most` groups of their bins, each told by where its runs of codes begin."""
    found = []
    for column, cells, bins in zip(schema.columns, columns.cells, columns.bins, strict=True):
        of_cell = groups_of(column, bins, most)[bins.of_cell].tolist()
        runs = groupby(zip(cells.starts.tolist(), of_cell, strict=True), key=lambda pair: pair[1])
        starts, of = zip(*(next(run) for _, run in runs), strict=True)
        found.append(Groups(starts, of))
    return Grouping(schema, tuple(found))
