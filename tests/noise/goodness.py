"""Tests of fit whose error is stated, on draws that fixed keys make the same on every run."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NORMAL_QUANTILE = 3.2905
"""Two-sided at error 1e-3."""


def fits(drawn: NDArray[np.int64], weights: dict[int, float]) -> bool:
    """Whether `drawn` passes a chi-square test at error 1e-3 against probabilities proportional to `weights`.

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
    return bool(_chi_square(seen, hoped) < _chi_square_bound(len(hoped) - 1))


def gaussian_weights(sigma2: float) -> dict[int, float]:
    """The discrete Gaussian's weights, as far out as they matter."""
    reach = int(12 * math.sqrt(sigma2)) + 12
    return {value: math.exp(-value * value / (2 * sigma2)) for value in range(-reach, reach + 1)}


def _chi_square(seen: Sequence[float], hoped: Sequence[float]) -> float:
    return sum((one - other) ** 2 / other for one, other in zip(seen, hoped, strict=True))


def _chi_square_bound(freedom: int) -> float:
    """The upper 1e-3 quantile. Source: Wilson and Hilferty 1931."""
    return freedom * (1 - 2 / (9 * freedom) + 3.0902 * math.sqrt(2 / (9 * freedom))) ** 3
