"""Cox regression in the closed lane: points of the grid are merged until enough rows leave in each interval, hazards of those at
risk are handed in, and the partial likelihood's gradient and information stay inside with all that they are made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.protocol.analysis_cox import BEYOND, CoxRegression
from marketplace.protocol.analysis_design import in_units, normal_tail
from marketplace.protocol.analysis_matrices import Vector
from marketplace.protocol.analysis_newton import (
    DEPENDENT,
    SETTLED,
    TOO_FEW,
    UNSETTLED,
    LikelihoodFit,
)
from marketplace.protocol.analysis_statistic import LARGEST_BOUND, LARGEST_PARTY_ROWS, Statistic, Sums
from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_fits import Grid, further, pairs, supports
from marketplace.protocol.schema import Schema

HAZARD_BITS, SUM_BITS = LARGEST_BOUND.bit_length() - 1, (LARGEST_BOUND * LARGEST_PARTY_ROWS).bit_length() - 1
"""How many binary digits a clipped hazard has at least, before and after the point, and how many a sum of them has at most."""
MIDDLE_BITS = 4
"""Binary digits after the point of the mean row's predictors, which hazards are counted beside."""


@dataclass(frozen=True)
class ClosedHazards(LikelihoodFit):
    """`intervals`: the points that are left of the grid, to which times are moved up; who is there longer leaves at the last of
    them, without an event."""

    intervals: tuple[Decimal, ...]


def hazard_digits(doublings: int, rows: int) -> int:
    """Binary digits after the point of what is handed in over `rows` rows of all parties, hazards being clipped to so many
    `doublings`: as many as a sum has room for, since without noise the buyer's `bits` need not be few."""
    return max(HAZARD_BITS, SUM_BITS - rows.bit_length()) - doublings


def hazard_schedule(asked: CoxRegression, schema: Schema) -> tuple[Statistic, ...]:
    """What is handed in and opened in each round, one statistic in each.

    First how many leave at each point of the grid, and beyond it, without and with event: of which it is opened where intervals
    end. Then what supports a fit, as of a logistic regression, where rows beyond the last interval have no event. Then in each
    round the predictors of those with event; for each interval, and beyond the last, w, w x and the upper half of w x x' of
    those who leave, w the hazard beside the mean row's, within 2^doublings to either side; the events in each; the rows whose
    hazard is beyond; and openly rows, events and intervals: of which the step is opened. In the first round, in which all
    hazards are 1, the mean row comes with it, in the last the step's variances, and whether hazards were beyond.
    """
    size, points = len(asked.reaches(schema)), len(asked.grid)
    bins = sum(count for _, count in supports(asked, schema))
    each = 1 + size + size * (size + 1) // 2
    hidden = size + (points + 1) * each + points + 4

    def step(name: str, cells: int) -> Statistic:
        return Statistic(name, (cells,), LARGEST_BOUND, LARGEST_BOUND**2, hidden=hidden)

    return (
        Statistic("intervals", (points,), 1, 1, hidden=2 * (points + 1)),
        Statistic("support", (2,), 1, 1, hidden=2 * (bins + 4 * len(pairs(asked, schema)))),
        step("first", 2 * size),
        *[step("step", size)] * (asked.rounds - 2),
        step("fit", 2 * size + 1),
    )


def interval_ends(opened: Sequence[Sums]) -> list[int]:
    """The places of the points of the grid at which an interval ends, rising."""
    return [place for place, ends in enumerate(opened[0]["intervals"]) if ends == 1]


def tried(asked: CoxRegression, opened: Sequence[Sums]) -> Vector:
    """The coefficients after the steps of `opened`, of predictors within [-1, 1]."""
    return further([0.0] * len(asked.predictors), [_step(asked, opened[1], sums) for sums in opened[2:]])


def middle(asked: CoxRegression, opened: Sequence[Sums]) -> Vector:
    """The mean row's predictors, as the first step's round told them; zeros before it."""
    size = len(asked.predictors)
    return [math.ldexp(one, -MIDDLE_BITS) for one in opened[2]["first"][size:]] if opened[2:] else [0.0] * size


def fitted_hazards(asked: CoxRegression, schema: Schema, opened: Sequence[Sums]) -> ClosedHazards:
    """The answer from what each round opened, of which the first two are not closed."""
    counts, last, size = opened[1]["support"], opened[-1]["fit"], len(asked.predictors)
    rows, events = sum(counts), counts[1]
    intervals = tuple(asked.grid[place] for place in interval_ends(opened))

    def none(reason: str) -> ClosedHazards:
        return ClosedHazards(rows, events, None, reason if min(counts) else TOO_FEW, intervals)

    if last[-1] == 1:
        return none(BEYOND)
    if any(CLOSED in next(iter(sums.values())) for sums in opened[2:]):
        return none(DEPENDENT)
    variances = [math.ldexp(one, -Grid(events, False).variance) for one in last[size : 2 * size]]
    if min(variances) <= 0:
        return none(DEPENDENT)
    step = _step(asked, opened[1], opened[-1])
    if any(abs(one) > SETTLED * math.sqrt(variance) for one, variance in zip(step, variances, strict=True)):
        return none(UNSETTLED)
    spread = [[one * (i == j) for j in range(size)] for i, one in enumerate(variances)]
    terms = in_units(asked.predictors, schema, tried(asked, opened), spread, None, normal_tail)
    return ClosedHazards(rows, events, terms, None, intervals)


def _step(asked: CoxRegression, support: Sums, sums: Sums) -> Vector:
    grid = Grid(support["support"][1], False)
    return [math.ldexp(one, -grid.coefficient) for one in next(iter(sums.values()))[: len(asked.predictors)]]
