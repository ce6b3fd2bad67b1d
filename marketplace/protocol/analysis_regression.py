"""Linear regression over several hospitals, from sums of products of codes: exact, by whole numbers and fractions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol.analysis_design import (
    INTERCEPT,
    LARGEST_SHARE_OF_NOISE,
    MOST_PREDICTORS,
    Term,
    in_units,
    line,
    reach,
)
from marketplace.protocol.analysis_matrices import (
    inverse_and_least_pivot,
    largest_eigenvalue,
    product,
    symmetric,
    times,
)
from marketplace.protocol.analysis_statistic import NO_NOISE, OneRound, Statistic, Sums, Variances
from marketplace.protocol.analysis_tails import student_tail
from marketplace.protocol.schema import Category, Schema

Matrix = list[list[Fraction]]


@dataclass(frozen=True)
class Fit:
    """A regression of `rows` rows: the intercept, then the predictors in order. `r_squared`: explained share of variance.

    None where the sums determine no fit: dependent predictors, too few rows, or noise larger than what is measured.
    """

    rows: int
    terms: tuple[Term, ...] | None
    r_squared: float | None


@dataclass(frozen=True)
class LinearRegression(OneRound):
    """Ordinary least squares of a number on `predictors`: numbers, and categories of two values, 1 for the second.

    Rows in which one of the columns is missing are left out.
    """

    outcome: str
    predictors: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "linear regression", "outcome": self.outcome, "predictors": list(self.predictors)}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at, the outcome last."""
        return (*self.predictors, self.outcome)

    def reaches(self, schema: Schema) -> tuple[int, ...]:
        """The largest centred code of each column, in absolute value, after 1 for the intercept. Raises `Invalid`."""
        if not 1 <= len(self.predictors) <= MOST_PREDICTORS or len(set(self.columns)) != len(self.columns):
            raise Invalid(f"expected 1 to {MOST_PREDICTORS} predictors, all different and not the outcome; name others")
        if isinstance(schema.column(self.outcome), Category):
            raise Invalid(f"column {self.outcome!r}: expected a number as the outcome, got a category; name a number")
        return (1, *(reach(schema.column(name)) for name in self.columns))

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts: of every pair of columns, the intercept among them, the sum of their products.

        With n points on the grid a row's centred code is 2 code - (n - 1). A row adds at most the product of the two
        columns' largest centred codes to one sum. Each is a statistic of its own, so that a coarse column does not bear
        the noise of a fine one.
        """
        reaches = self.reaches(schema)
        found = []
        for a, b in combinations_with_replacement(range(len(reaches)), 2):
            bound = reaches[a] * reaches[b]
            found.append(Statistic(f"{a},{b}", (1,), bound, bound**2))
        return tuple(found)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> Fit:
        """The fit in the columns' units. Source: Gauss 1823; exact up to the last square root where there is no noise."""
        if noise:
            return self._with_noise(schema, sums, noise)
        size = len(self.columns) + 1
        centred = [[Fraction(sums[f"{min(a, b)},{max(a, b)}"][0]) for b in range(size)] for a in range(size)]
        products = _in_units(centred, [line(schema.column(name)) for name in self.columns])
        rows, outcome = int(centred[0][0]), size - 1
        design = [row[:outcome] for row in products[:outcome]]
        inverse = _inverse(design)
        if inverse is None or rows <= outcome:
            return Fit(max(0, rows), None, None)
        towards = [row[outcome] for row in products[:outcome]]
        found = [sum((one * other for one, other in zip(row, towards, strict=True)), Fraction(0)) for row in inverse]
        left = products[outcome][outcome] - sum(one * other for one, other in zip(found, towards, strict=True))
        total = products[outcome][outcome] - products[0][outcome] ** 2 / rows
        variances = [left / (rows - outcome) * inverse[place][place] for place in range(outcome)]
        if total <= 0 or min(variances) <= 0:
            return Fit(rows, None, None)
        names = (INTERCEPT, *self.predictors)
        errors = [math.sqrt(variance) for variance in variances]
        terms = [
            Term(name, float(value), error, student_tail(float(value) / error, rows - outcome))
            for name, value, error in zip(names, found, errors, strict=True)
        ]
        return Fit(rows, tuple(terms), float(1 - left / total))

    def _with_noise(self, schema: Schema, sums: Sums, noise: Variances) -> Fit:
        """The fit from sums with noise: errors of sampling and noise together, by the delta method.

        With A the products of predictors, within [-1, 1] each, b those with the outcome, and s^2 the variance of what is
        left, the coefficients A^-1 b have the covariance s^2 A^-1 + A^-1 N A^-1, N that of the noise in b - A x at the
        coefficients x. None where the noise in A could make up half of it in some direction. Source: Fuller 1987, 1.1.
        """
        reaches, outcome = self.reaches(schema), len(self.columns)
        pairs = list(combinations_with_replacement(range(outcome + 1), 2))
        units = [reaches[a] * reaches[b] for a, b in pairs]
        products = symmetric([sums[f"{a},{b}"][0] / u for (a, b), u in zip(pairs, units, strict=True)], outcome + 1)
        spread = symmetric([noise[f"{a},{b}"] / u**2 for (a, b), u in zip(pairs, units, strict=True)], outcome + 1)
        rows = max(0, sums["0,0"][0])
        inverse, _ = inverse_and_least_pivot([row[:outcome] for row in products[:outcome]])
        widest = 2 * math.sqrt(outcome * max(map(max, spread)))
        if rows <= outcome or inverse is None or largest_eigenvalue(inverse) * widest > LARGEST_SHARE_OF_NOISE:
            return Fit(rows, None, None)
        towards = products[outcome][:outcome]
        found = times(inverse, towards)
        left = products[outcome][outcome] - math.fsum(a * b for a, b in zip(found, towards, strict=True))
        total = products[outcome][outcome] - towards[0] ** 2 / rows
        if left <= 0 or total <= 0:
            return Fit(rows, None, None)
        middle = [[spread[i][j] * found[i] * found[j] for j in range(outcome)] for i in range(outcome)]
        for i in range(outcome):
            middle[i][i] = spread[i][outcome] + math.fsum(v * x * x for v, x in zip(spread[i], found, strict=False))
        added = product(product(inverse, middle), inverse)
        middle_of, half = map(float, line(schema.column(self.outcome)))
        unit, size, freedom = half * reaches[outcome], range(outcome), rows - outcome
        covariance = [[unit**2 * (left / freedom * inverse[i][j] + added[i][j]) for j in size] for i in size]
        values = [unit * found[0] + middle_of, *(unit * value for value in found[1:])]
        terms = in_units(
            self.predictors, schema, values, covariance, INTERCEPT, lambda ratio: student_tail(ratio, freedom)
        )
        return Fit(rows, terms, max(0.0, 1 - left / total))


def _in_units(centred: Sequence[Sequence[Fraction]], lines: Sequence[tuple[Fraction, Fraction]]) -> Matrix:
    """Sums of products of values, from those of centred codes."""
    shifts, scales = zip((Fraction(0), Fraction(1)), *lines, strict=True)
    size = len(centred)
    return [
        [
            shifts[a] * shifts[b] * centred[0][0]
            + shifts[a] * scales[b] * centred[0][b]
            + scales[a] * shifts[b] * centred[a][0]
            + scales[a] * scales[b] * centred[a][b]
            for b in range(size)
        ]
        for a in range(size)
    ]


def _inverse(matrix: Matrix) -> Matrix | None:
    """The exact inverse, or None if there is none."""
    size = len(matrix)
    rows = [[*row, *(Fraction(a == b) for b in range(size))] for a, row in enumerate(matrix)]
    for place in range(size):
        pivot = next((row for row in range(place, size) if rows[row][place]), None)
        if pivot is None:
            return None
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [value / rows[place][place] for value in rows[place]]
        for row in range(size):
            if row != place and (factor := rows[row][place]):
                rows[row] = [value - factor * other for value, other in zip(rows[row], rows[place], strict=True)]
    return [row[size:] for row in rows]
