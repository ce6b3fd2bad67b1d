"""A step of a Cox regression inside: means over who is at risk are divided, and nothing but the rounded step is opened."""

import operator
from typing import Any

import numpy as np

from marketplace.protocol.analysis_lane import SMALLEST_CELL
from marketplace.protocol.analysis_statistic import LARGEST_PARTY_ROWS
from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_fits import Grid, scale_bits
from marketplace.protocol.closing_hazards import MIDDLE_BITS, hazard_digits
from marketplace.protocol.closing_opening import How, Opening
from node.mpc.engine import Engine
from node.mpc.solving import FRACTION, LARGEST_OPENED, PRODUCT_BITS, inverse_of, is_so, newton, symmetric

COUNTS = 4
"""How many numbers stand after the events of the points: rows whose hazard is beyond, rows, events and intervals."""
MOST_DIGITS = 24
"""To how many binary digits an information is told from a singular one, where what is handed in has as many."""
RECIPROCAL_TURNS, RECIPROCAL_LAST = 5, 4
"""From 2 - a on, what is left of 1 after n turns is (1 - a)^(2^(n+1)): below 2^-64 after log2(1/a) and 4.5 more. Before the last
ones it is 2^-4, and rounding has shifted it by 2^-9 at most."""


async def hazards(engine: Engine, numbers: Any, opening: Opening, parties: int) -> list[int]:
    """What everybody sees of a round of a Cox regression: as `hazard_schedule` has it, or nothing where the equations have no
    single solution: one bit says so. A last number says whether a row's hazard was beyond the doublings; if so, only that.

    Raises `ValueError` for counts that no parties have. Source: Breslow 1974.
    """
    hidden, cells = opening.shape
    size = cells if opening.how is How.HAZARD_STEP else cells // 2
    each = 1 + size + size * (size + 1) // 2
    points = (hidden - size - each - COUNTS) // (each + 1)
    rows, events, handed = await engine.open(numbers[hidden - COUNTS + 1 : hidden])
    intervals, odd = divmod(handed, parties)
    if odd or not (0 < events <= rows <= parties * LARGEST_PARTY_ROWS and 0 < intervals <= points):
        raise ValueError("expected counts that all parties agree on")
    leaving = numbers[size : size + (points + 1) * each].reshape(points + 1, each)[: intervals + 1]
    dead = numbers[size + (points + 1) * each :][:intervals]
    mean, gradient, information = await _likelihood(
        engine, _later(engine, leaving), dead, numbers[:size], opening.least, rows
    )
    scale, grid, closed = scale_bits(events, size), Grid(events, False), [CLOSED] * (hidden + cells)
    matrix = symmetric(await engine.cut(information, FRACTION + scale, PRODUCT_BITS), size)
    digits = hazard_digits(opening.least, rows) - opening.least
    inverse, singular = await inverse_of(engine, matrix, min(MOST_DIGITS, digits))
    towards = await engine.cut(gradient, scale, PRODUCT_BITS)
    solution = (inverse @ towards.reshape(size, 1)).reshape(size)
    told = [await engine.rounded(solution, 2 * FRACTION - grid.coefficient, PRODUCT_BITS)]
    if opening.how is How.HAZARD_FIRST:
        told.append(await engine.rounded(mean[0], FRACTION - MIDDLE_BITS, PRODUCT_BITS))
    beyond = []
    if opening.how is How.HAZARD_FIT:
        rows_beyond = numbers[hidden - COUNTS : hidden - COUNTS + 1]
        beyond = [engine.at_least(rows_beyond, 1, (parties * LARGEST_PARTY_ROWS).bit_length() + 1)]
        own = inverse.reshape(size * size)[:: size + 1]
        told += [await engine.rounded(own, FRACTION + scale - grid.variance, PRODUCT_BITS), engine.zero]
    if await is_so(engine, singular):
        return closed
    if beyond and await is_so(engine, *beyond):
        return [*closed[:-1], 1]
    found = await engine.open(engine.joined(told))
    return closed if any(abs(one) > LARGEST_OPENED for one in found) else closed[:hidden] + found


async def _likelihood(
    engine: Engine, at_risk: Any, dead: Any, with_event: Any, doublings: int, rows: int
) -> tuple[Any, Any, Any]:
    """The means of predictors over who is at risk in each interval, and the partial likelihood's gradient, both with `FRACTION`
    digits after the point; and the upper half of its information, with twice as many.

    No mean exceeds 1 and no mean product is beyond the mean hazard, so that nothing leaves the field.
    """
    size, intervals = len(with_event), len(dead)
    digits, most = hazard_digits(doublings, rows), rows.bit_length() + doublings
    scaled = at_risk * (1 << FRACTION - digits - most)
    whole, towards, squares = scaled[:, 0], scaled[:, 1 : size + 1], scaled[:, size + 1 :]
    share = await _reciprocal(engine, whole, most + doublings - (SMALLEST_CELL.bit_length() - 1))
    (mean,) = await engine.cut_products(operator.mul, [(towards, share.reshape(intervals, 1))], FRACTION, PRODUCT_BITS)
    dying = mean * dead.reshape(intervals, 1)
    gradient = with_event * (1 << FRACTION - digits) - dying.sum(axis=0)
    upper = np.ravel_multi_index(np.triu_indices(size), (size, size))
    apart = (dying.T @ mean).reshape(size * size)[upper]
    information = ((dead * share).reshape(1, intervals) @ squares).reshape(len(upper)) - apart
    return mean, gradient, information


async def _reciprocal(engine: Engine, numbers: Any, doublings: int) -> Any:
    """1 beside each of the secret `numbers`, which are at most 1 and at least 2^-doublings, in fixed point.

    Newton's method from 2 - a on: the result at most doubles in a turn, and stays below 2^doublings. Source: Schulz 1933, for a
    matrix of one number.
    """
    one = engine.known(np.full(len(numbers), 1 << FRACTION, dtype=object))
    return await newton(engine, operator.mul, numbers, one, doublings + RECIPROCAL_TURNS, RECIPROCAL_LAST)


def _later(engine: Engine, leaving: Any) -> Any:
    """Who is at risk in each interval, of those who `leaving` has in each and beyond: shape (intervals, each)."""
    count, each = leaving.shape
    there, found = leaving[count - 1], []
    for place in range(count - 2, -1, -1):
        there = there + leaving[place]
        found.append(there)
    return engine.joined(found[::-1]).reshape(count - 1, each)
