import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.protocol.rho import (
    LARGEST_DELTA_ATTO,
    delta_of,
    epsilon_of,
    largest_delta_atto,
    largest_rho_micro,
    micro_up,
)


def exact_epsilon(rho_micro: int, delta: float) -> Decimal:
    """The minimum over alpha in 40 digits: the conversion is unimodal in log(alpha - 1)."""
    with localcontext(prec=40):
        rho, log_delta = Decimal(rho_micro) / 10**6, Decimal(delta).ln()

        def at(log_beyond: Decimal) -> Decimal:
            beyond = log_beyond.exp()
            alpha = 1 + beyond
            return alpha * rho + (-log_delta + alpha * (1 - 1 / alpha).ln() - log_beyond) / beyond

        low, high = Decimal(-15), Decimal(12)
        for _ in range(90):
            left, right = low + (high - low) / 3, high - (high - low) / 3
            low, high = (low, right) if at(left) < at(right) else (left, high)
        return max(Decimal(0), at((low + high) / 2))


@pytest.mark.parametrize(
    ("epsilon", "delta", "rho"),
    [(1, 1e-5, 0.03056), (1, 1e-6, 0.02436), (1, 1e-9, 0.01497), (0.1, 1e-5, 0.00043), (10, 1e-5, 1.783)],
)
def test_the_known_rho_of_an_epsilon_comes_out(epsilon: float, delta: float, rho: float) -> None:
    digits = 5 if rho < 1 else 3
    assert round(largest_rho_micro(epsilon, delta) / 1e6, digits) == rho


def test_the_tight_conversion_is_better_than_the_simple_one() -> None:
    rho, delta = 0.03056, 1e-5
    assert epsilon_of(30_560, delta) < rho + 2 * math.sqrt(rho * math.log(1 / delta)) - 0.15


@pytest.mark.parametrize("rho_micro", [1, 430, 30_560, 1_783_000, 10**9])
@pytest.mark.parametrize("delta", [1e-5, 1e-9, 0.01])
def test_no_alpha_of_a_dense_grid_gives_a_smaller_epsilon(rho_micro: int, delta: float) -> None:
    rho = rho_micro / 1e6
    best = math.inf
    for step in range(-6_000, 12_000):
        log_beyond = step / 1_000
        beyond = math.exp(log_beyond)
        fixed = (1 + beyond) * (log_beyond - math.log1p(beyond)) - log_beyond
        best = min(best, (1 + beyond) * rho + (fixed - math.log(delta)) / beyond)
    assert epsilon_of(rho_micro, delta) <= max(0.0, best) * (1 + 1e-9)


@given(st.integers(1, 10**13), st.floats(1e-15, 0.1))
def test_epsilon_is_never_below_the_exact_minimum_and_hardly_above(rho_micro: int, delta: float) -> None:
    exact, ours = exact_epsilon(rho_micro, delta), Decimal(epsilon_of(rho_micro, delta))
    assert exact <= ours <= exact * (1 + Decimal("1e-9")) + Decimal("1e-12")


@given(st.integers(0, 10**9), st.integers(1, 10**6), st.floats(1e-12, 0.1))
def test_more_rho_is_more_epsilon(rho_micro: int, more: int, delta: float) -> None:
    assert epsilon_of(rho_micro, delta) <= epsilon_of(rho_micro + more, delta)


@given(st.integers(1, 10**9), st.floats(1e-12, 0.01))
def test_a_larger_delta_is_less_epsilon(rho_micro: int, delta: float) -> None:
    assert epsilon_of(rho_micro, 2 * delta) <= epsilon_of(rho_micro, delta)


def test_no_rho_is_no_epsilon() -> None:
    assert epsilon_of(0, 1e-5) == 0.0


@given(st.floats(0.01, 100), st.floats(1e-12, 1e-3))
def test_the_largest_micro_rho_fits_and_one_more_does_not(epsilon: float, delta: float) -> None:
    largest = largest_rho_micro(epsilon, delta)
    assert epsilon_of(largest, delta) <= epsilon < epsilon_of(largest + 1, delta)


@pytest.mark.parametrize(("rho_micro", "delta"), [(-1, 1e-5), (1, 0.0), (1, 1.0), (1, math.nan)])
def test_a_negative_rho_or_a_delta_outside_0_and_1_is_refused(rho_micro: int, delta: float) -> None:
    with pytest.raises(Invalid, match="rho of 0 or more and a delta between 0 and 1"):
        epsilon_of(rho_micro, delta)


@pytest.mark.parametrize("epsilon", [0, -1, math.nan, math.inf, -math.inf])
def test_an_epsilon_that_is_no_number_above_0_is_refused(epsilon: float) -> None:
    with pytest.raises(Invalid, match="expected an epsilon above 0"):
        largest_rho_micro(epsilon, 1e-5)


def test_an_epsilon_that_promises_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="at most 100"):
        largest_rho_micro(100.5, 1e-5)


def test_an_epsilon_below_one_micro_rho_is_refused() -> None:
    with pytest.raises(Invalid, match="at least one micro-rho"):
        largest_rho_micro(1e-6, 1e-9)


@given(st.integers(1, 10**12))
def test_the_largest_delta_lies_within_both_bounds_and_close_to_them(rows: int) -> None:
    delta = largest_delta_atto(rows)
    bound = min(Fraction(LARGEST_DELTA_ATTO), Fraction(10**18, 10 * rows))
    assert bound / 2 < delta <= bound
    assert len(str(delta).rstrip("0")) == 1


def test_a_delta_for_no_rows_is_refused() -> None:
    with pytest.raises(Invalid, match="at least 1 declared row"):
        largest_delta_atto(0)


def test_a_delta_as_a_number() -> None:
    assert delta_of(10**13) == 1e-5


@given(st.decimals(0, 10**6, allow_nan=False, places=40))
def test_micro_rho_is_rounded_up_exactly(rho: Decimal) -> None:
    micro = micro_up(rho)
    assert Fraction(micro - 1, 10**6) < Fraction(rho) <= Fraction(micro, 10**6)


def test_a_rho_of_more_digits_than_usual_is_still_rounded_up() -> None:
    assert micro_up(Decimal("1.0000000000000000000000000000001")) == 1_000_001
    assert micro_up(Fraction(1, 3)) == 333_334
