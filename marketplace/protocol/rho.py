"""Zero-concentrated differential privacy, counted in whole micro-rho, and its meaning as (epsilon, delta)."""

import math
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

from marketplace.errors import Invalid

MICRO = 1_000_000
DELTA_UNIT = 10**18
LARGEST_DELTA_ATTO = DELTA_UNIT // 100_000


def epsilon_of(rho_micro: int, delta: float) -> float:
    """The epsilon such that `rho_micro` millionths of zCDP imply (epsilon, delta)-differential privacy, never too small.

    Minimum over alpha > 1 by the tight conversion
    delta = exp((alpha - 1)(alpha rho - epsilon)) (1 - 1/alpha)^alpha / (alpha - 1),
    solved for epsilon. Any alpha gives a sound epsilon, so the search need not be exact; the last digits are rounded up.
    `rho_micro` >= 0, 0 < `delta` < 1. Raises `Invalid` otherwise.
    Source: Canonne, Kamath and Steinke 2020, Proposition 12.
    """
    if rho_micro < 0 or not 0 < delta < 1:
        raise Invalid("expected a rho of 0 or more and a delta between 0 and 1")
    if rho_micro == 0:
        return 0.0
    rho = rho_micro / MICRO
    low, high = math.log(1e-9), math.log(1e9)
    for _ in range(200):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if _epsilon_at(rho, delta, left) < _epsilon_at(rho, delta, right):
            high = right
        else:
            low = left
    return max(0.0, _epsilon_at(rho, delta, (low + high) / 2)) * (1 + 1e-12)


def _epsilon_at(rho: float, delta: float, log_above_one: float) -> float:
    beyond = math.exp(log_above_one)
    alpha = 1 + beyond
    return alpha * rho + math.log(1 / delta) / beyond + (alpha * math.log1p(-1 / alpha) - log_above_one) / beyond


def largest_rho_micro(epsilon: float, delta: float) -> int:
    """The most whole micro-rho whose epsilon at `delta` does not exceed `epsilon`.

    Raises `Invalid` if `epsilon` is not a number above 0, or is so small that not one micro-rho fits.
    """
    if not math.isfinite(epsilon) or epsilon <= 0:
        raise Invalid(f"expected an epsilon above 0, got {epsilon}; try 1")
    if epsilon > 100:
        raise Invalid(f"expected an epsilon of at most 100, got {epsilon}; beyond that nothing is promised")
    low, high = 0, 1
    while epsilon_of(high, delta) <= epsilon:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if epsilon_of(middle, delta) <= epsilon else (low, middle)
    if low == 0:
        raise Invalid(f"expected an epsilon that buys at least one micro-rho, got {epsilon}; ask for more")
    return low


def largest_delta_atto(rows_declared: int) -> int:
    """The delta of an offer in units of 1e-18: at most min(1e-5, 1/(10 n)), rounded down to one significant digit.

    `rows_declared`: the dataset's public, rounded number of rows, >= 1. Raises `Invalid` otherwise.
    """
    if rows_declared < 1:
        raise Invalid(f"expected at least 1 declared row, got {rows_declared}")
    bound = Decimal(min(LARGEST_DELTA_ATTO, DELTA_UNIT // (10 * rows_declared)))
    digit = Decimal(1).scaleb(bound.adjusted())
    return int((bound / digit).to_integral_value(ROUND_FLOOR) * digit)


def delta_of(delta_atto: int) -> float:
    """A delta in units of 1e-18 as a number."""
    return delta_atto / DELTA_UNIT


def micro_up(rho: Decimal | Fraction) -> int:
    """The smallest whole number of micro-rho that is not below `rho`."""
    return math.ceil(Fraction(rho) * MICRO)
