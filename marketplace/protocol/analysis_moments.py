"""Joint analyses that are sums of a number's powers: mean and variance, exact on the column's declared grid."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol.analysis_statistic import NO_NOISE, SURE, OneRound, Statistic, Sums, Variances
from marketplace.protocol.schema import Number, Schema


@dataclass(frozen=True)
class Moments:
    """`mean`, and `variance` (with n - 1) where it was asked for, of the `rows` that have a value.

    None where there are too few rows for it to mean anything. `error`: the standard error of the mean, of the noise and,
    where the variance was asked for, of sampling.
    """

    rows: int
    mean: float | None
    variance: float | None = None
    error: float | None = None


@dataclass(frozen=True)
class Mean(OneRound):
    """The mean of a number. Rows without a value are left out."""

    column: str
    with_variance = False

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "mean", "column": self.column}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (self.column,)

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts: the rows with a value, and the sum of their codes, centred.

        With n points on the grid the centred code of a row is 2 code - (n - 1), a whole number between -(n - 1) and n - 1,
        in half steps from the middle; so a row adds at most n - 1, half of what it would uncentred.
        """
        reach = max(1, _number(schema, self.column).size - 1)
        sums = (Statistic("present", (1,), 1, 1), Statistic("sum", (1,), reach, reach**2))
        return (*sums, Statistic("squares", (1,), reach**2, reach**4)) if self.with_variance else sums

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> Moments:
        """The moments in the column's units, within what its bounds allow also where noise says otherwise."""
        column, rows = _number(schema, self.column), max(0, sums["present"][0])
        half = Fraction(column.step) / 2
        if rows <= SURE * math.sqrt(noise.get("present", 0.0)):
            return Moments(rows, None)
        centred = Fraction(sums["sum"][0], rows)
        middle = (Fraction(column.lower) + Fraction(column.upper)) / 2
        mean = min(Fraction(column.upper), max(Fraction(column.lower), middle + half * centred))
        spread = float(half / rows) ** 2 * (noise.get("sum", 0.0) + float(centred) ** 2 * noise.get("present", 0.0))
        if not self.with_variance or rows == 1:
            return Moments(rows, float(mean), None, math.sqrt(spread) if noise else None)
        variance = float(max(Fraction(0), half**2 * (sums["squares"][0] - rows * centred**2) / (rows - 1)))
        return Moments(rows, float(mean), variance, math.sqrt(spread + variance / rows))


@dataclass(frozen=True)
class Variance(Mean):
    """Mean and variance of a number. Rows without a value are left out."""

    with_variance = True

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "variance", "column": self.column}


def _number(schema: Schema, name: str) -> Number:
    column = schema.column(name)
    if not isinstance(column, Number):
        raise Invalid(f"column {name!r}: expected a number to take the mean of, got a category; name a number")
    return column
