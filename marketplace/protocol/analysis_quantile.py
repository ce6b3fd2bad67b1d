"""Quantiles of a number over several hospitals, found on its declared grid by halving, one sum of signs for each step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol.analysis_statistic import Opened, Statistic, Variances
from marketplace.protocol.columns import is_plain
from marketplace.protocol.schema import Number, Schema

LARGEST_LEVELS, LEVEL_PLACES = 20, 3
LARGEST_STEPS = 20
"""Halvings of the largest grid that a column may have, 1,000,000 points."""


@dataclass(frozen=True)
class Quantiles:
    """The quantile of each level in the column's units, None where no row has a value. `rows`: how many have one."""

    rows: int
    levels: tuple[Decimal, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Quantile:
    """For each level the smallest point of the declared grid that at least this share of the rows with a value do not exceed.

    `levels`: rising, above 0 and below 1, with at most three decimals; 0.5 is the median.
    Source: Hyndman and Fan 1996, definition 1 (the inverse of the distribution function).
    """

    column: str
    levels: tuple[Decimal, ...]
    rounds = LARGEST_STEPS

    def __post_init__(self) -> None:
        whole = all(is_plain(level) and level == round(level, LEVEL_PLACES) for level in self.levels)
        rising = whole and all(a < b for a, b in pairwise((Decimal(0), *self.levels, Decimal(1))))
        if not 1 <= len(self.levels) <= LARGEST_LEVELS or not rising:
            raise Invalid(
                f"expected 1 to {LARGEST_LEVELS} rising levels between 0 and 1 with at most {LEVEL_PLACES} decimals"
            )

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "quantile", "column": self.column, "levels": [str(level) for level in self.levels]}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (self.column,)

    @property
    def weights(self) -> tuple[tuple[int, int], ...]:
        """For each level p = a / b in lowest terms (b - a, a): what a row that does not exceed a point adds to the sum at it,
        and what any other takes from it; so the sum is 0 or more exactly where a share of p does not exceed the point."""
        return tuple((share.denominator - share.numerator, share.numerator) for share in map(Fraction, self.levels))

    def statistics(self, schema: Schema, number: int) -> tuple[Statistic, ...]:
        """What each party counts in round `number`: first the rows with a value; in every round the sum of signs at the
        point where each level's search stands. None after the last step.

        A row adds at most the larger weight of a level to its cell, half of what a count out of b would be for a median.
        """
        column = schema.column(self.column)
        if not isinstance(column, Number):
            raise Invalid(f"column {self.column!r}: expected a number for quantiles; name another")
        if number >= max(1, (column.size - 1).bit_length()):
            return ()
        largest = [max(pair) for pair in self.weights]
        signs = Statistic("signs", (len(largest),), max(largest), sum(one * one for one in largest))
        return (signs,) if number else (Statistic("present", (1,), 1, 1), signs)

    def points(self, schema: Schema, opened: Opened) -> tuple[int, ...]:
        """The code at which each level's search stands after the rounds of `opened`, at the end the quantile's."""
        found = []
        for place in range(len(self.levels)):
            low, high = 0, schema.column(self.column).size - 1
            for sums in (one for one in opened if one):
                middle = (low + high) // 2
                low, high = (low, middle) if sums["signs"][place] >= 0 else (min(high, middle + 1), high)
            found.append((low + high) // 2)
        return tuple(found)

    def result(self, schema: Schema, opened: Opened, noise: Sequence[Variances] = ()) -> Quantiles:
        """The quantiles, rising also where noise says otherwise."""
        rows = max(0, opened[0]["present"][0])
        column = schema.column(self.column)
        assert isinstance(column, Number)
        codes: Sequence[int] = tuple(accumulate(self.points(schema, opened), max))
        values = tuple(float(column.lower + code * column.step) if rows else None for code in codes)
        return Quantiles(rows, self.levels, values)

    def least_rows(self, smallest_cell: int) -> int:
        """With how many rows at least `smallest_cell` lie between any two neighbouring levels, and beyond the outer ones."""
        gap = min(b - a for a, b in pairwise(map(Fraction, (Decimal(0), *self.levels, Decimal(1)))))
        return math.ceil(smallest_cell / gap)
