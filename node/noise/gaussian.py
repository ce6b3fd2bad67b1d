"""The discrete Gaussian: exact samples, and what releasing integers under it costs."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis_noise import LARGEST_SIGMA2
from marketplace.protocol.rho import MICRO
from node.noise.coins import coins, exponential_coins
from node.noise.stream import Stage


def discrete_gaussian(stage: Stage, sigma2: Fraction, size: int) -> NDArray[np.int64]:
    """`size` independent integers x with probability exactly proportional to exp(-x^2 / (2 sigma2)), shape (size,).

    0 < `sigma2` <= 2**60. Raises `ValueError` otherwise. Only integers are computed with.
    Source: Canonne, Kamath and Steinke 2020, Algorithm 3.
    """
    if not 0 < sigma2 <= LARGEST_SIGMA2:
        raise ValueError(f"expected a variance above 0 and at most 2**60, got {sigma2}")
    scale = math.isqrt(math.floor(sigma2)) + 1
    kept = np.empty(0, np.int64)
    while kept.size < size:
        proposed = _discrete_laplace(stage, scale, (size - kept.size) * 7 // 4 + 16)
        kept = np.concatenate([kept, proposed[_accepted(stage, proposed, sigma2, scale)]])
    return kept[:size]


def rho_micro_of_gaussian(sensitivity_squared: int | Fraction, sigma2: Fraction) -> int:
    """The zCDP cost of a vector of integers released with independent discrete Gaussian noise, in micro-rho, rounded up.

    `sensitivity_squared`: the square of the L2 distance that one person can move the vector, > 0. `sigma2` > 0.
    rho = sensitivity^2 / (2 sigma2). Raises `ValueError` if either is not positive.
    Source: Bun and Steinke 2016, Proposition 1.6; for discrete noise Canonne, Kamath and Steinke 2020, Theorem 4 and its
    form for vectors.
    """
    if sensitivity_squared <= 0 or sigma2 <= 0:
        raise ValueError("expected a sensitivity and a variance above 0")
    return math.ceil(MICRO * Fraction(sensitivity_squared) / (2 * sigma2))


def sigma2_for(rho_micro: int, sensitivity_squared: int | Fraction) -> Fraction:
    """The smallest variance whose cost is at most `rho_micro`; its cost is exactly that.

    `rho_micro` >= 1, `sensitivity_squared` > 0. Raises `ValueError` otherwise. Source: as `rho_micro_of_gaussian`.
    """
    if rho_micro < 1 or sensitivity_squared <= 0:
        raise ValueError("expected at least 1 micro-rho and a sensitivity above 0")
    return Fraction(sensitivity_squared) * MICRO / (2 * rho_micro)


def _discrete_laplace(stage: Stage, scale: int, proposals: int) -> NDArray[np.int64]:
    """Integers with probability proportional to exp(-|x| / scale); some of the `proposals` fall away.

    Source: Canonne, Kamath and Steinke 2020, Algorithm 2, with s = 1.
    """
    low = stage.integers_below(scale, proposals)
    values, which = np.unique(low, return_inverse=True)
    low = low[exponential_coins(stage, values.tolist(), scale, which)]
    high = np.zeros(low.size, np.int64)
    alive = np.arange(low.size)
    while (alive := alive[exponential_coins(stage, [1], 1, np.zeros(alive.size, np.intp))]).size:
        high[alive] += 1
    magnitude = low + scale * high
    negative = coins(stage, [1], 2, np.zeros(low.size, np.intp))
    signed = np.where(negative, -magnitude, magnitude).astype(np.int64)
    kept: NDArray[np.int64] = signed[~(negative & (magnitude == 0))]
    return kept


def _accepted(stage: Stage, proposed: NDArray[np.int64], sigma2: Fraction, scale: int) -> NDArray[np.bool_]:
    """Which of the Laplace proposals stay: each with probability exp(-(|x| - sigma2 / scale)^2 / (2 sigma2))."""
    p, q = sigma2.numerator, sigma2.denominator
    values, which = np.unique(np.abs(proposed), return_inverse=True)
    numerators = [(value * q * scale - p) ** 2 for value in values.tolist()]
    return exponential_coins(stage, numerators, 2 * p * q * scale * scale, which)
