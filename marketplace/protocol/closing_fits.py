"""Regressions in the closed lane: parties hand in sums of products, the equations are solved inside, and only rounded
coefficients are opened, at the end with their variances. Never a gradient, and never a matrix of products, which for predictors
of two values is a table of small cells."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_design import INTERCEPT, Term, in_units, line, normal_tail, reach
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_matrices import Vector
from marketplace.protocol.analysis_newton import (
    DEPENDENT,
    LONGEST_STEP,
    SETTLED,
    TOO_FEW,
    UNSETTLED,
    LikelihoodFit,
    on_grid,
)
from marketplace.protocol.analysis_regression import Fit, LinearRegression
from marketplace.protocol.analysis_statistic import Statistic, Sums
from marketplace.protocol.analysis_tails import student_tail
from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.schema import Schema

BINS = 16
"""The most bins of a column outside each of which enough rows must lie."""
LINEAR_BITS = 28
WEIGHT_BITS = 20
"""Binary digits after the point of products for least squares, and of the weights of the intercept's error."""
LEFT_BITS = 30
EXACT_STEPS = 16
"""By how many steps of the grid that coefficients are opened at a standard error must exceed 0 for them to be told."""

ClosedFit = LinearRegression | LogisticRegression


def supports(asked: ClosedFit | CoxRegression, schema: Schema) -> tuple[tuple[str, int], ...]:
    """The columns whose values must not single out few rows, each with its number of bins."""
    names = asked.columns if isinstance(asked, LinearRegression) else asked.predictors
    return tuple((name, min(BINS, schema.column(name).size)) for name in names)


def pairs(asked: ClosedFit | CoxRegression, schema: Schema) -> tuple[tuple[str, str], ...]:
    """The pairs of columns of two values, each of whose four cells must have enough rows: coefficients and their errors of such
    columns may tell how many rows a cell has."""
    return tuple(combinations([name for name, _ in supports(asked, schema) if schema.column(name).size == 2], 2))


def classes(asked: ClosedFit) -> int:
    """Rows without and with the event are looked at apart; least squares has no event."""
    return 1 if isinstance(asked, LinearRegression) else 2


def terms(asked: ClosedFit) -> int:
    """How many coefficients there are, the intercept among them."""
    return len(asked.predictors) + 1


def digits(asked: ClosedFit) -> int:
    """Binary digits after the point of the sums that are handed in."""
    return LINEAR_BITS if isinstance(asked, LinearRegression) else asked.bits


def fit_schedule(asked: ClosedFit, schema: Schema) -> tuple[Statistic, ...]:
    """What is handed in and opened in each round, one statistic in each.

    First, for each class of rows, how many lie outside of each bin of each column, how many are in each cell of each pair of
    columns of two values, and how many there are: of which only the last are opened. Then in each round the gradient, the upper
    half of the information, the number of rows, and public weights, of least squares also the sum of the outcome's squares: of
    which the step is opened. In the last round its variances come with it, of least squares what is left and what there was of
    the outcome.
    """
    bins, size = sum(count for _, count in supports(asked, schema)), terms(asked)
    hidden = classes(asked) * (bins + 4 * len(pairs(asked, schema)))
    support = Statistic("support", (classes(asked),), 1, 1, hidden=hidden)
    halves, one = size * (size + 1) // 2, 2 ** digits(asked)
    if isinstance(asked, LinearRegression):
        return support, Statistic("fit", (2 * size + 2,), one, one**2, hidden=size + halves + 2 + size)
    hidden = size + halves + 1 + size
    step = Statistic("step", (size,), one, one**2, hidden=hidden)
    return (support, *[step] * (asked.rounds - 1), Statistic("fit", (2 * size,), one, one**2, hidden=hidden))


@dataclass(frozen=True)
class Grid:
    """At which binary digits after the point the numbers of a fit of `rows` rows are opened.

    A coefficient's standard error, of predictors within [-1, 1], is at least 2 / sqrt(rows) in a logistic regression, and a
    variance in the inverse of the information at least 4 / rows; in a Cox regression, whose `rows` are those with the event, at
    least 1 / sqrt(rows) and 1 / rows: so both are told to less than a hundredth of what chance makes of them, and to no more.
    """

    rows: int
    linear: bool

    @property
    def coefficient(self) -> int:
        return (self.rows.bit_length() + 1) // 2 + (16 if self.linear else 8)

    @property
    def variance(self) -> int:
        return self.rows.bit_length() + 8


def intercept_weights(asked: ClosedFit, schema: Schema) -> tuple[tuple[int, ...], float]:
    """The intercept in the columns' units is a sum of all coefficients: their weights, the largest 1, as whole numbers of
    2^-WEIGHT_BITS, and what they are times."""
    lines = [line(schema.column(name)) for name in asked.predictors]
    reaches = [reach(schema.column(name)) for name in asked.predictors]
    exact = [Fraction(1), *(-middle / (half * most) for (middle, half), most in zip(lines, reaches, strict=True))]
    largest = max(map(abs, exact))
    return tuple(round(one / largest * 2**WEIGHT_BITS) for one in exact), float(largest)


def iterate(asked: LogisticRegression, opened: Sequence[Sums]) -> Vector:
    """The coefficients after the steps of `opened`, the support first: of predictors within [-1, 1]."""
    return further([0.0] * terms(asked), [_coefficients(asked, opened[0], sums) for sums in opened[1:]])


def further(found: Vector, steps: Sequence[Vector]) -> Vector:
    """Where `steps` lead. One that changes some row's linear predictor by more than `LONGEST_STEP` is shortened, which
    separation may make necessary."""
    for step in steps:
        length = math.fsum(map(abs, step))
        shorter = min(1.0, LONGEST_STEP / length) if length else 1.0
        found = on_grid([value + shorter * change for value, change in zip(found, step, strict=True)])
    return found


def fitted(asked: ClosedFit, schema: Schema, opened: Sequence[Sums]) -> Fit | LikelihoodFit:
    """The answer from what each round opened, of which the first is not closed."""
    counts = opened[0]["support"]
    if any(CLOSED in next(iter(sums.values())) for sums in opened[1:]):
        return Fit(counts[0], None, None) if isinstance(asked, LinearRegression) else _none(counts, DEPENDENT)
    if isinstance(asked, LinearRegression):
        return _least_squares(asked, schema, opened)
    grid, size = Grid(sum(counts), False), terms(asked)
    step = _coefficients(asked, opened[0], opened[-1])
    variances = [math.ldexp(one, -grid.variance) for one in opened[-1]["fit"][size:]]
    if min(variances) <= 0:
        return _none(counts, DEPENDENT)
    found = iterate(asked, opened)
    told = _terms(asked, schema, found, variances)
    errors = [1.0, *map(math.sqrt, variances[1:])]
    if any(abs(one) > SETTLED * error for one, error in zip(step[1:], errors[1:], strict=True)):
        return _none(counts, UNSETTLED)
    return LikelihoodFit(sum(counts), counts[1], told, None)


def _none(counts: Sequence[int], reason: str) -> LikelihoodFit:
    return LikelihoodFit(sum(counts), counts[1], None, reason if min(counts) else TOO_FEW)


def _coefficients(asked: ClosedFit, support: Sums, sums: Sums) -> Vector:
    grid = Grid(sum(support["support"]), isinstance(asked, LinearRegression))
    return [math.ldexp(one, -grid.coefficient) for one in next(iter(sums.values()))[: terms(asked)]]


def _terms(asked: LogisticRegression, schema: Schema, found: Vector, variances: Vector) -> tuple[Term, ...]:
    """Coefficients in the columns' units. `variances`: first that of the weighted sum which the intercept is."""
    spread = [[one * (i == j) for j in range(len(variances))] for i, one in enumerate(variances)]
    intercept, *others = in_units(asked.predictors, schema, found, spread, INTERCEPT, normal_tail)
    error = math.sqrt(variances[0]) * intercept_weights(asked, schema)[1]
    first = replace(intercept, standard_error=error, p=normal_tail(intercept.coefficient / error))
    return (first, *others)


def _least_squares(asked: LinearRegression, schema: Schema, opened: Sequence[Sums]) -> Fit:
    """None where the fit is so exact that coefficients would be told more roughly than chance moves them."""
    (rows,), numbers, size = opened[0]["support"], opened[-1]["fit"], terms(asked)
    grid, outcome = Grid(rows, True), schema.column(asked.outcome)
    left, total = (math.ldexp(one, scale_bits(rows, size) - LEFT_BITS) for one in numbers[2 * size :])
    freedom = rows - size
    if not 0 < left < total:
        return Fit(rows, None, None)
    variances = [left / freedom * math.ldexp(one, -grid.variance) for one in numbers[size : 2 * size]]
    if math.sqrt(max(0.0, min(variances))) < math.ldexp(EXACT_STEPS, -grid.coefficient):
        return Fit(rows, None, None)
    middle, half = map(float, line(outcome))
    unit = half * reach(outcome)
    scaled = [unit * value for value in _coefficients(asked, opened[0], opened[-1])]
    spread = [[unit**2 * one * (i == j) for j in range(size)] for i, one in enumerate(variances)]

    def tail(ratio: float) -> float:
        return student_tail(ratio, freedom)

    intercept, *others = in_units(asked.predictors, schema, [scaled[0] + middle, *scaled[1:]], spread, INTERCEPT, tail)
    error = unit * math.sqrt(variances[0]) * intercept_weights(asked, schema)[1]
    first = replace(intercept, standard_error=error, p=tail(intercept.coefficient / error))
    return Fit(rows, (first, *others), 1 - left / total)


def scale_bits(rows: int, size: int) -> int:
    """The trace of an information of `rows` rows and `size` predictors within [-1, 1] is at most 2 to this."""
    return (rows * size).bit_length()
