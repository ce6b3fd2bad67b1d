import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.noise.gaussian import discrete_gaussian, rho_micro_of_gaussian, sigma2_for
from node.noise.stream import NoiseStream, Stage
from tests.noise.goodness import NORMAL_QUANTILE, fits, gaussian_weights


def stage(name: str) -> Stage:
    return NoiseStream(b"\7" * 32, b"gaussian").stage(name)


@pytest.mark.parametrize("sigma2", [Fraction(1, 20), Fraction(1, 2), Fraction(1), Fraction(7, 3), Fraction(40001, 7)])
def test_draws_have_the_exact_probabilities(sigma2: Fraction) -> None:
    drawn = discrete_gaussian(stage(str(sigma2)), sigma2, 100_000)
    assert fits(drawn, gaussian_weights(float(sigma2)))


@pytest.mark.parametrize("sigma2", [Fraction(1, 2), Fraction(7, 3), Fraction(400)])
def test_the_same_test_of_fit_rejects_a_variance_5_percent_smaller(sigma2: Fraction) -> None:
    drawn = discrete_gaussian(stage(str(sigma2)), sigma2 * Fraction(95, 100), 100_000)
    assert not fits(drawn, gaussian_weights(float(sigma2)))


def test_the_same_test_of_fit_rejects_rounded_normal_draws_at_small_variance() -> None:
    rounded = np.rint(np.random.default_rng(1).normal(0, math.sqrt(0.5), 100_000)).astype(np.int64)
    assert not fits(rounded, gaussian_weights(0.5))


@pytest.mark.parametrize("sigma2", [Fraction(10**8), Fraction(10**16 + 1, 3), Fraction(2**60)])
def test_wide_draws_have_their_variance(sigma2: Fraction) -> None:
    drawn = discrete_gaussian(stage(str(sigma2)), sigma2, 40_000) / math.sqrt(sigma2)
    assert abs((drawn**2).mean() - 1) < NORMAL_QUANTILE * math.sqrt(2 / 40_000)
    assert abs(drawn.mean()) < NORMAL_QUANTILE / math.sqrt(40_000)


def test_the_size_asked_for_is_given_and_more_begins_the_same() -> None:
    few, more = (discrete_gaussian(stage("size"), Fraction(9), size) for size in (0, 5))
    assert few.shape == (0,) and more.shape == (5,) and more.dtype == np.int64
    assert np.array_equal(more, discrete_gaussian(stage("size"), Fraction(9), 5))


@pytest.mark.parametrize("sigma2", [Fraction(0), Fraction(-1), Fraction(2**60 + 1)])
def test_a_variance_outside_its_range_is_refused(sigma2: Fraction) -> None:
    with pytest.raises(ValueError, match="variance"):
        discrete_gaussian(stage("refused"), sigma2, 1)


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_the_variance_for_a_price_costs_that_price_and_less_noise_costs_more(rho_micro: int, squared: int) -> None:
    sigma2 = sigma2_for(rho_micro, squared)
    assert rho_micro_of_gaussian(squared, sigma2) == rho_micro
    assert rho_micro_of_gaussian(squared, sigma2 * Fraction(10**9 - 1, 10**9)) > rho_micro


@given(st.fractions(Fraction(1, 1000), 1000), st.fractions(Fraction(1, 1000), 10**6))
def test_the_cost_is_the_smallest_whole_number_not_below_the_true_one(squared: Fraction, sigma2: Fraction) -> None:
    true = 1_000_000 * squared / (2 * sigma2)
    assert 0 <= rho_micro_of_gaussian(squared, sigma2) - true < 1


def test_prices_and_sensitivities_that_are_not_positive_are_refused() -> None:
    for rho_micro, squared in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="expected"):
            sigma2_for(rho_micro, squared)
    for squared, sigma2 in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="expected"):
            rho_micro_of_gaussian(squared, Fraction(sigma2))
