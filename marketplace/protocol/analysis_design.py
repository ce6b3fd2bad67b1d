"""Predictors of a regression: how far they reach, and coefficients in the units of their columns."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from marketplace.errors import Invalid
from marketplace.protocol.analysis_matrices import Matrix, Vector, product, times
from marketplace.protocol.schema import Category, Column, Schema

MOST_PREDICTORS = 20
INTERCEPT = "intercept"
LARGEST_SHARE_OF_NOISE = 0.5
"""Where the noise in a matrix could be more of it, in the direction in which it is smallest, nothing is told from it."""


@dataclass(frozen=True)
class Term:
    """One coefficient: the change of the outcome for one unit of `name`, its standard error, and the p of "it is 0"."""

    name: str
    coefficient: float
    standard_error: float
    p: float


def reach(column: Column) -> int:
    """The largest centred code of a predictor, in absolute value. Raises `Invalid` for more than two categories."""
    if isinstance(column, Category) and column.size != 2:
        raise Invalid(f"column {column.name!r}: expected a number or two categories, got {column.size}; name another")
    return max(1, column.size - 1)


def line(column: Column) -> tuple[Fraction, Fraction]:
    """The value of a centred code is the first plus the second times it; two categories are 0 and 1."""
    if isinstance(column, Category):
        return Fraction(1, 2), Fraction(1, 2)
    return (Fraction(column.lower) + Fraction(column.upper)) / 2, Fraction(column.step) / 2


def in_units(
    names: Sequence[str],
    schema: Schema,
    found: Vector,
    covariance: Matrix,
    intercept: str | None,
    tail: Callable[[float], float],
) -> tuple[Term, ...]:
    """Coefficients of predictors in [-1, 1] as those of the columns' own units, each tested against 0 by Wald's test.

    `intercept`: its name, where the first of `found` is one. `tail`: the p of a coefficient over its standard error.
    """
    columns = [schema.column(name) for name in names]
    lines = [line(column) for column in columns]
    scales = [1 / (float(half) * reach(column)) for (_, half), column in zip(lines, columns, strict=True)]
    rows: Matrix = []
    if intercept is not None:
        middles = [-float(middle) * scale for (middle, _), scale in zip(lines, scales, strict=True)]
        rows.append([1.0, *middles])
    first = len(rows)
    rows += [[scale * (j == i + first) for j in range(len(found))] for i, scale in enumerate(scales)]
    values = times(rows, found)
    spreads = product(rows, product(covariance, [list(column) for column in zip(*rows, strict=True)]))
    texts = names if intercept is None else (intercept, *names)
    return tuple(
        Term(name, value, error, tail(value / error))
        for place, (name, value) in enumerate(zip(texts, values, strict=True))
        for error in (math.sqrt(spreads[place][place]),)
    )


def normal_tail(statistic: float) -> float:
    """The probability that a standard normal variable exceeds `statistic` in absolute value."""
    return math.erfc(abs(statistic) / math.sqrt(2))
