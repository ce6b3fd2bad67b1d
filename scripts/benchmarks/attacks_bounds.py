"""The most that any attack can reach against a mechanism of a given zCDP rho."""

import numpy as np
from numpy.typing import NDArray

ORDERS = 1 + np.geomspace(1e-4, 1e4, 600)

Floats = NDArray[np.float64]


def most_true_positives(rho: float, false_positives: float) -> float:
    """The greatest share t of members that any test can find while it takes a share f of non-members for members.

    `rho`: of the mechanism that made what the test looks at, >= 0, with neighbours that differ by the one record tested.
    `false_positives`: f, 0 to 1. Whatever the test, D_a(t || f) <= a rho and D_a(f || t) <= a rho for every order a > 1,
    D_a being Renyi's divergence of two coins. Never above what e^epsilon f + delta allows for any epsilon that rho
    converts to. Concave in f, so that it also bounds a mean over records whose tests differ.
    Source: Bun and Steinke 2016, Definition 1.1 and Lemma 2.2 (post-processing); van Erven and Harremoes 2014, Theorem 11
    (joint convexity of exp((a - 1) D_a)).
    """
    low, high = false_positives, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        allowed = _most(middle, false_positives) <= rho and _most(false_positives, middle) <= rho
        low, high = (middle, high) if allowed else (low, middle)
    return high


def _most(one: float, other: float) -> float:
    """The greatest D_a(one || other) / a over the orders, of coins of these two probabilities."""
    if one == other:
        return 0.0
    with np.errstate(divide="ignore"):
        terms = np.logaddexp(
            ORDERS * np.log(one) - (ORDERS - 1) * np.log(other),
            ORDERS * np.log1p(-one) - (ORDERS - 1) * np.log1p(-other),
        )
    return float(np.max(terms / (ORDERS - 1) / ORDERS))
