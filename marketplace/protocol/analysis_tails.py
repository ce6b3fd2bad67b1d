"""Tail probabilities of test statistics, and small systems of linear equations, on the standard library alone."""

import math
from collections.abc import Sequence

from marketplace.errors import Invalid

_SMALLEST_PIVOT = 1e-12
_MOST_TERMS, _PRECISION = 100_000, 1e-15


def chi_square_tail(statistic: float, freedom: int) -> float:
    """The probability that a chi-square variable with `freedom` (>= 1) degrees exceeds `statistic` (>= 0).

    Raises `Invalid` otherwise. Source: Abramowitz and Stegun 1964, 26.4.4 and 26.4.5, finite sums for whole degrees.
    """
    if freedom < 1 or not statistic >= 0:
        raise Invalid("expected a chi-square statistic of 0 or more and at least one degree of freedom")
    half, odd = statistic / 2, freedom % 2
    if half == 0:
        return 1.0
    tail = math.erfc(math.sqrt(half)) if odd else 0.0
    powers = [(odd + 2 * i) / 2 for i in range(freedom // 2)]
    terms = [math.exp(power * math.log(half) - half - math.lgamma(power + 1)) for power in powers]
    return min(1.0, tail + math.fsum(terms))


def student_tail(statistic: float, freedom: float) -> float:
    """The probability that a t variable with `freedom` (>= 1) degrees exceeds `statistic` in absolute value.

    Raises `Invalid` otherwise. Source: Abramowitz and Stegun 1964, 26.7.1 with 26.5.8, by Lentz's method.
    """
    if not (freedom >= 1 and math.isfinite(statistic)):
        raise Invalid("expected a finite t statistic and at least one degree of freedom")
    square = statistic * statistic
    a, b = freedom / 2, 0.5
    x, rest = freedom / (freedom + square), square / (freedom + square)
    if rest == 0:
        return 1.0
    if x == 0:
        return 0.0
    log_x = math.log(x) if x < rest else math.log1p(-rest)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * log_x + b * math.log(rest))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(x, a, b) / a
    return max(0.0, 1 - front * _beta_fraction(rest, b, a) / b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, where x is below (a + 1) / (a + b + 2)."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d or tiny)
            c = 1 + term / c or tiny
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def quadratic_form(vector: Sequence[float], matrix: Sequence[Sequence[float]]) -> float:
    """v' M^-1 v for a symmetric positive definite M. Raises `Invalid` where M is singular."""
    return math.fsum(one * other for one, other in zip(vector, solve(matrix, vector), strict=True))


def solve(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    """x with M x = v, by elimination with row pivots. Raises `Invalid` where M is singular to working precision."""
    size = len(vector)
    rows = [[*row, value] for row, value in zip(matrix, vector, strict=True)]
    largest = max((abs(value) for row in matrix for value in row), default=0.0)
    for place in range(size):
        pivot = max(range(place, size), key=lambda row: abs(rows[row][place]))
        if abs(rows[pivot][place]) <= _SMALLEST_PIVOT * largest:
            raise Invalid("expected equations with one solution, got dependent ones; leave out a group or a column")
        rows[place], rows[pivot] = rows[pivot], rows[place]
        for row in range(place + 1, size):
            factor = rows[row][place] / rows[place][place]
            for column in range(place, size + 1):
                rows[row][column] -= factor * rows[place][column]
    found = [0.0] * size
    for place in reversed(range(size)):
        known = math.fsum(rows[place][column] * found[column] for column in range(place + 1, size))
        found[place] = (rows[place][size] - known) / rows[place][place]
    return found
