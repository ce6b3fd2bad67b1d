"""A distance from noisy counts: right on average where differences are spread, between ends that hold it whatever they are."""

import math

import numpy as np
import pytest

from marketplace.scores.estimate import ALONE, ALONE_VARIANCE, BELOW, GROWTH, estimate

TIMES = np.arange(0.0, 12.0, 0.001)


def mean_of(t: float) -> float:
    """E|t + z| for a standard normal z."""
    return ALONE * math.exp(-t * t / 2) + t * math.erf(t / math.sqrt(2))


def test_every_line_lies_below_the_mean_and_some_line_close_to_it() -> None:
    means = np.array([mean_of(t) for t in TIMES])
    lines = np.array([constant + slope * TIMES for constant, slope in BELOW])
    assert (lines <= means + 1e-9).all()
    assert (means - lines.max(axis=0)).max() < 0.03


def test_the_variance_is_at_most_what_is_counted_with() -> None:
    means = np.array([mean_of(t) for t in TIMES])
    variances = 1 + TIMES**2 - means**2
    bounds = np.minimum(1, ALONE_VARIANCE + GROWTH * (means - ALONE))
    assert (variances <= bounds + 1e-9).all()
    assert (bounds - variances).max() < 0.21


def test_no_difference_without_noise_is_none_and_large_ones_are_their_sum() -> None:
    told = estimate(8e6, 8, 1.0)
    assert told.value == pytest.approx(8e6)
    assert told.low <= told.value <= told.high < 8e6 + 10
    assert estimate(0.0, 100, 5.0).value == 0.0


@pytest.mark.parametrize("cells", [1, 2, 6, 40, 400])
@pytest.mark.parametrize("shape", ["none", "even", "one cell", "spread"])
@pytest.mark.parametrize("size", [0.2, 1.0, 5.0])
def test_the_ends_hold_the_exact_distance_39_times_in_40_whatever_the_differences(
    cells: int, shape: str, size: float
) -> None:
    draws, sigma = 1_000, 20.0
    assert coverage(differences(cells, shape, size * sigma), sigma, draws) >= 0.975 - 3 * math.sqrt(
        0.975 * 0.025 / draws
    )


def differences(cells: int, shape: str, size: float) -> np.ndarray:
    return {
        "none": np.zeros(cells),
        "even": np.full(cells, size),
        "one cell": np.eye(1, cells)[0] * size * cells,
        "spread": np.random.default_rng(cells).normal(0, size, cells),
    }[shape]


def coverage(d: np.ndarray, sigma: float, draws: int) -> float:
    noise = np.random.default_rng(7).normal(0, sigma, (draws, len(d)))
    told = (estimate(float(blurred), len(d), sigma) for blurred in abs(d + noise).sum(axis=1))
    return float(np.mean([each.low <= abs(d).sum() <= each.high for each in told]))


def test_ends_for_half_the_noise_that_is_there_do_not_hold_it() -> None:
    noise = np.random.default_rng(7).normal(0, 40.0, (1_000, 40))
    told = [estimate(float(blurred), 40, 20.0) for blurred in abs(noise).sum(axis=1)]
    assert np.mean([each.low == 0 for each in told]) < 0.05


@pytest.mark.parametrize("size", [0.5, 1.0, 3.0])
def test_without_the_noises_share_the_value_is_right_on_average_where_differences_are_spread(size: float) -> None:
    d = differences(400, "spread", size * 20.0)
    noise = np.random.default_rng(3).normal(0, 20.0, (500, 400))
    values = [estimate(float(blurred), 400, 20.0).value for blurred in abs(d + noise).sum(axis=1)]
    assert np.mean(values) == pytest.approx(abs(d).sum(), rel=0.06)
    plain = abs(d + noise).sum(axis=1).mean()
    assert abs(plain - abs(d).sum()) > 3 * abs(np.mean(values) - abs(d).sum())
