"""Tests of fit whose error is stated. Without another, it suits draws that fixed keys make the same on every run."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

NORMAL_QUANTILE = 3.2905
"""Two-sided at error 1e-3."""


def fits(drawn: NDArray[np.int64], weights: dict[int, float], error: float = 1e-3) -> bool:
    """Whether `drawn` passes a chi-square test at this `error` against probabilities proportional to `weights`.

    Values expected fewer than 20 times count together.
    """
    total = sum(weights.values())
    expected = {value: weight / total * len(drawn) for value, weight in weights.items()}
    often = [value for value, count in expected.items() if count >= 20]
    seen = [np.count_nonzero(drawn == value) for value in often]
    hoped = [expected[value] for value in often]
    rest = len(drawn) - sum(hoped)
    if rest >= 5:
        seen.append(len(drawn) - sum(seen))
        hoped.append(rest)
    return bool(_chi_square(seen, hoped) < _chi_square_bound(len(hoped) - 1, error))


def gaussian_weights(sigma2: float) -> dict[int, float]:
    """The discrete Gaussian's weights, as far out as they matter."""
    reach = int(12 * math.sqrt(sigma2)) + 12
    return {value: math.exp(-value * value / (2 * sigma2)) for value in range(-reach, reach + 1)}


def _chi_square(seen: Sequence[float], hoped: Sequence[float]) -> float:
    return sum((one - other) ** 2 / other for one, other in zip(seen, hoped, strict=True))


def _chi_square_bound(freedom: int, error: float) -> float:
    """The upper quantile of this error. Source: Wilson and Hilferty 1931."""
    quantile = -NormalDist().inv_cdf(error)
    return freedom * (1 - 2 / (9 * freedom) + quantile * math.sqrt(2 / (9 * freedom))) ** 3


def as_close_as_paid(here: NDArray[np.bool_], there: NDArray[np.bool_], rho_micro: int) -> bool:
    """Whether an event is as alike on two neighbours as `rho_micro` promises, or not surely otherwise: error 1e-3.

    `here`, `there`: whether it happened in each of many draws on either. A mechanism of zCDP rho has
    |P(here) - P(there)| <= sqrt(rho / 2), whatever the event. Nothing else is assumed about the mechanism.
    Source: Bun and Steinke 2016, Definition 1.1 at order 1, with Pinsker's inequality.
    """
    one, other = float(here.mean()), float(there.mean())
    spread = math.sqrt(one * (1 - one) / len(here) + other * (1 - other) / len(there))
    return abs(one - other) <= math.sqrt(rho_micro / 2e6) + NORMAL_QUANTILE * spread


def power_of_closeness(one: float, other: float, rho_micro: int, draws: int) -> float:
    """How surely `as_close_as_paid` says no where the event's true probabilities are `one` and `other`."""
    spread = math.sqrt((one * (1 - one) + other * (1 - other)) / draws)
    return NormalDist().cdf((abs(one - other) - math.sqrt(rho_micro / 2e6)) / spread - NORMAL_QUANTILE)
