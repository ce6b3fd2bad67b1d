"""Exact coins: each falls 1 with a rational probability, or with exp of a rational, to the last bit."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from node.noise.stream import Stage

WORD = 1 << 64


def coins(stage: Stage, numerators: Sequence[int], denominator: int, which: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Coin i falls 1 with probability exactly `numerators[which[i]] / denominator`, shape of `which`.

    0 <= numerators[j] <= denominator, denominator > 0. A uniform real number is compared with the probability word by
    word of their binary expansions, so no digit is ever cut. Source: Knuth and Yao 1976.
    """
    certain = np.fromiter((n >= denominator for n in numerators), np.bool_, len(numerators))
    digits = [0 if n >= denominator else n * WORD // denominator for n in numerators]
    expansion = np.array(digits, np.uint64)
    drawn, digit = stage.words(len(which)), expansion[which]
    falls = drawn < digit
    for i in np.flatnonzero(drawn == digit):
        falls[i] = _undecided(stage, numerators[which[i]] * WORD % denominator, denominator)
    return falls | certain[which]


def exponential_coins(
    stage: Stage, numerators: Sequence[int], denominator: int, which: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Coin i falls 1 with probability exactly exp(-numerators[which[i]] / denominator), shape of `which`.

    numerators[j] >= 0, denominator > 0. Source: Canonne, Kamath and Steinke 2020, Algorithm 1.
    """
    asked, which = np.unique(which, return_inverse=True)
    numerators = [numerators[j] for j in asked]
    whole = np.array([min(n // denominator, WORD // 4) for n in numerators], np.int64)[which]
    falls = _of_at_most_one(stage, [n % denominator for n in numerators], denominator, which)
    steps = 1
    while (alive := np.flatnonzero(falls & (whole >= steps))).size:
        falls[alive] = _of_at_most_one(stage, [1], 1, np.zeros(alive.size, np.intp))
        steps += 1
    return falls


def _of_at_most_one(
    stage: Stage, numerators: Sequence[int], denominator: int, which: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Coins of probability exp(-gamma), 0 <= gamma <= 1: 1 iff the first 0 among coins of gamma / k comes at an odd k."""
    odd = np.zeros(len(which), np.bool_)
    alive = np.arange(len(which))
    k = 1
    while alive.size:
        odd[alive] = k % 2 == 1
        alive = alive[coins(stage, numerators, denominator * k, which[alive])]
        k += 1
    return odd


def _undecided(stage: Stage, remainder: int, denominator: int) -> bool:
    """The comparison of one coin after all words so far were equal to the probability's expansion."""
    while remainder:
        digit, remainder = divmod(remainder * WORD, denominator)
        drawn = int(stage.words(1)[0])
        if drawn != digit:
            return drawn < digit
    return False
