"""What a party counts over its own rows for a joint analysis: whole numbers, their bounds, and what one person moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import ClassVar

from marketplace.errors import Invalid

LARGEST_PARTIES = 16
LARGEST_PARTY_ROWS = 2**24
LARGEST_BOUND = 2**34
LARGEST_CELLS = 2**24
LARGEST_NOISE = 2**62
"""Rows of all parties times bound stay within 2^62, noise within 2^62: every sum keeps its sign in 64 bits."""

Sums = Mapping[str, Sequence[int]]
"""The summed statistics of one round, by name, each flat with the last index varying fastest."""

Variances = Mapping[str, float]
"""The variance of the noise in each cell of one round's sums, by name: of all parties' parts. No name: no noise."""

SURE = 4.0
"""By how many standard errors a sum must exceed 0 before anything is divided by it."""

NO_NOISE: Variances = MappingProxyType({})

Opened = Sequence[Sums]
"""The sums of one round after the other, from the first."""


class OneRound:
    """An analysis that is answered from sums which are all told from its declaration, and so asked for at once."""

    rounds: ClassVar[int] = 1


@dataclass(frozen=True)
class Statistic:
    """Whole numbers that every party counts over its own rows, and that are summed over the parties.

    `shape`: of the table that they form, the last index varying fastest. A row adds at most `bound` to each cell, in
    absolute value, and all that it adds is a vector whose squared L2 length is at most `row_squared`. `weight`: its part
    of an order's rho, beside those of the other statistics. Raises `Invalid` for one that could leave 64 bits.
    """

    name: str
    shape: tuple[int, ...]
    bound: int
    row_squared: int
    weight: int = 1
    hidden: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.bound <= LARGEST_BOUND:
            raise Invalid(
                f"statistic {self.name!r}: expected that a row adds at most {LARGEST_BOUND}, got {self.bound}; "
                "declare a larger step or narrower bounds of its columns"
            )
        if not 1 <= self.cells <= LARGEST_CELLS:
            raise Invalid(
                f"statistic {self.name!r}: expected 1 to {LARGEST_CELLS} cells, got {self.cells}; ask for coarser ones"
            )

    @property
    def cells(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    @property
    def inputs(self) -> int:
        """How many numbers every party hands in for it."""
        return self.hidden + self.cells

    def sensitivity_squared(self, rows: int) -> int:
        """The squared L2 distance by which a person with at most `rows` (>= 1) rows in the whole pool moves the sums.

        A person's rows add vectors whose lengths are at most sqrt(row_squared), so their sum is at most `rows` times as
        long (triangle inequality), which `rows` equal rows reach.
        """
        return rows * rows * self.row_squared
