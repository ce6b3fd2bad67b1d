"""The ways in which hospitals compute together, and which of them an analysis takes."""

from enum import StrEnum

from marketplace.errors import Invalid
from marketplace.protocol.offer import Guarantee

PUBLIC_CELL, SMALLEST_CELL = 1, 10
"""The smallest cell of an exact answer over records that are declared public, and the least that any other may have."""


class Lane(StrEnum):
    """How parties compute an answer. In `SUMS` every sum is opened, noisy or of public records; in `CLOSED` sums stay shared
    between the parties, and only what an `Opening` lets through is opened; in `CROSSING` buckets of persons stay shared, and
    tables of their products are opened with noise."""

    SUMS = "sums"
    CLOSED = "closed"
    CROSSING = "crossing"


def lane_of(guarantee: Guarantee, smallest_cell: int, links: bool = False) -> Lane:
    """Which lane an order takes. `smallest_cell`: of an exact offer, 1 where its records are declared public. `links`:
    whether it counts persons that several parties know.

    What is noisy needs no other lane but for such a count: quantiles too are found by noisy sums. Raises `Invalid` under an
    exact guarantee for such a count, which would tell whether a party knows one person, whoever the records are of; and for
    a smallest cell from 2 to 9, or below 1.
    """
    if guarantee is Guarantee.DIFFERENTIALLY_PRIVATE:
        return Lane.CLOSED if links else Lane.SUMS
    if links:
        raise Invalid(
            "expected a linkage count with noise, since an exact one tells of single persons; choose a dp offer"
        )
    if smallest_cell != PUBLIC_CELL and smallest_cell < SMALLEST_CELL:
        raise Invalid(
            f"expected a smallest cell of {SMALLEST_CELL} or more, or {PUBLIC_CELL} for records that are declared public, "
            f"got {smallest_cell}"
        )
    return Lane.SUMS if smallest_cell == PUBLIC_CELL else Lane.CLOSED
