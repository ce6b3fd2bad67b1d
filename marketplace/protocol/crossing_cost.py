"""What opening a split table takes, told before it is bought."""

import math
from collections.abc import Iterable, Sequence

from marketplace.protocol.analysis_cost import (
    ENDING_WAITS,
    MEETING_WAITS,
    PAIR_BYTES,
    PARTY_S,
    ROUND_BYTES,
    SETUP_S,
    Cost,
)
from marketplace.protocol.crossing import PIECE_ELEMENTS, Crossing, Side
from marketplace.protocol.pool import TWIN_THRESHOLD

ELEMENT_BYTES, CROSSED_BYTE_S = 4, 2e-7
"""Of a number that is shared in a crossing, and how long a byte of such takes with all that is done about it: `scripts/bench
mpc vertical`, 346 s for 1,881 MB at each of three parties, the slowest of its tables (docs/joint.md)."""
STATED_WAITS, ROUND_WAITS = 1, 3
"""Messages that wait for each other: for what each party states at the end; and for a round, in which all say first that they
mean the same, and share their noise and open what is to be seen at last."""


def cost_of_crossings(crossings: Sequence[Crossing]) -> Cost:
    """What opening a split table takes, one crossing after the other.

    A party sends its shares to all but so many as the threshold, who know theirs: those after it.
    """
    by_party, rounds = [sum(each) for each in zip(*map(shared, crossings), strict=True)], len(crossings)
    opened, parties = sum(one.opened for one in crossings), len(by_party)
    knowing = [{(sender + 1 + step) % parties for step in range(TWIN_THRESHOLD)} for sender in range(parties)]
    moved = [
        own * (parties - 1 - TWIN_THRESHOLD)
        + sum(by_party[other] for other in range(parties) if other != number and number not in knowing[other])
        for number, own in enumerate(by_party)
    ]
    most = ELEMENT_BYTES * (max(moved) + 4 * opened * (parties - 1)) + (parties - 1) * (
        PAIR_BYTES + ROUND_BYTES * rounds
    )
    waiting = MEETING_WAITS + ROUND_WAITS * rounds + sum(map(waits, crossings)) + STATED_WAITS + ENDING_WAITS
    return Cost(math.ceil(SETUP_S + PARTY_S * parties + CROSSED_BYTE_S * most), most, waiting)


def shared(crossing: Crossing) -> tuple[int, ...]:
    """How many numbers each party shares among all: of each bucket what it has itself, and its part of every product that is
    brought back to the threshold's degree."""
    products = 0
    for side in Side:
        parties = crossing.sides.count(side)
        products += parties * _cells(crossing, side, crossing.first_within(side))
        if parties > 1:
            products += _cells(crossing, side, crossing.across(side)) + parties + parties * (parties - 2)
    return tuple(crossing.buckets * (_rows(crossing, side) + products) for side in crossing.sides)


def waits(crossing: Crossing) -> int:
    """How many messages wait for each other until all that is shared is: for each piece of the buckets what is handed in, and one
    after the other the products."""
    products = 1 + sum(n for n in map(crossing.sides.count, Side) if n > 1)
    width = max(1, PIECE_ELEMENTS // max(_rows(crossing, side) for side in Side))
    return -(-crossing.buckets // width) * (1 + products)


def _rows(crossing: Crossing, side: Side) -> int:
    """How many numbers of each bucket a party of a side hands in: with their signs, and for some parts without."""
    signed = {*crossing.across(side), *crossing.first_within(side)}
    return _cells(crossing, side, [*signed, *crossing.second_within(side)])


def _cells(crossing: Crossing, side: Side, parts: Iterable[int]) -> int:
    return sum(crossing.cells[side][part] for part in parts)
