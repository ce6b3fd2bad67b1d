"""The exponential mechanism: choosing one of several candidates by their scores, exactly, and what it costs."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.rho import MICRO
from node.noise.coins import exponential_coins
from node.noise.stream import Stage

BATCH = 256


def choose(stage: Stage, scores: Sequence[int | Fraction], sensitivity: int | Fraction, epsilon: Fraction) -> int:
    """The index of a candidate, drawn with probability exactly proportional to exp(epsilon score / (2 sensitivity)).

    `scores`: one for each candidate, at least one; a person moves each by at most `sensitivity` (> 0), up or down.
    `epsilon` > 0. Raises `ValueError` otherwise. Candidates are public: their list must not depend on records.
    Source: McSherry and Talwar 2007.
    """
    return int(choices(stage, scores, sensitivity, epsilon, 1)[0])


def choices(
    stage: Stage, scores: Sequence[int | Fraction], sensitivity: int | Fraction, epsilon: Fraction, size: int
) -> NDArray[np.intp]:
    """`size` independent draws of `choose`, shape (size,); each of them costs what one costs.

    Source: rejection; a uniform proposal is kept with probability exp(-epsilon (best - score) / (2 sensitivity)).
    """
    numerators, denominator = _losses(scores, sensitivity, epsilon)
    kept = np.empty(0, np.intp)
    while kept.size < size:
        proposed = stage.integers_below(len(scores), BATCH).astype(np.intp)
        kept = np.concatenate([kept, proposed[exponential_coins(stage, numerators, denominator, proposed)]])
    return kept[:size]


def choose_allowed(
    stage: Stage,
    scores: Sequence[int | Fraction],
    sensitivity: int | Fraction,
    epsilon: Fraction,
    allowed: Callable[[int], bool],
) -> int | None:
    """As `choose` among the candidates that are `allowed`, of which no more are asked than come up; None if none is.

    `allowed`: answers for an index, from public facts alone and always the same. Candidates are drawn one after the
    other without being put back until one is allowed. That one has exactly the distribution of `choose` over the allowed
    ones alone, so it costs the same.
    Source: Luce 1959 (what is drawn without putting back keeps the odds of the rest); `choose`.
    """
    numerators, denominator = _losses(scores, sensitivity, epsilon)
    left = set(range(len(scores)))
    while left:
        if least := min(numerators[i] for i in left):
            numerators = [max(0, numerator - least) for numerator in numerators]
        proposed = stage.integers_below(len(scores), BATCH).astype(np.intp)
        for i in proposed[exponential_coins(stage, numerators, denominator, proposed)].tolist():
            if i in left and allowed(i):
                return int(i)
            left.discard(i)
    return None


def _losses(scores: Sequence[int | Fraction], sensitivity: int | Fraction, epsilon: Fraction) -> tuple[list[int], int]:
    """By how much each candidate's log-weight lies below the best one's: numerators of one denominator."""
    if not scores or sensitivity <= 0 or epsilon <= 0:
        raise ValueError("expected at least one score, and a sensitivity and an epsilon above 0")
    best, unit = max(scores), epsilon / (2 * Fraction(sensitivity))
    parts = math.lcm(*(score.denominator for score in scores))
    numerators = [int((best - score) * parts) * unit.numerator for score in scores]
    shared = math.gcd(*numerators, unit.denominator * parts)
    return [numerator // shared for numerator in numerators], unit.denominator * parts // shared


def rho_micro_of_selection(epsilon: Fraction) -> int:
    """The zCDP cost of one choice at `epsilon` (> 0), in micro-rho, rounded up: epsilon^2 / 8.

    The log-ratio of a candidate's probabilities on neighbours lies in an interval of length epsilon, whichever the
    candidate (bounded range). Raises `ValueError` if `epsilon` is not positive.
    Source: Rogers and Steinke 2021 ("A better privacy analysis of the exponential mechanism"); Cesar and Rogers 2021.
    """
    if epsilon <= 0:
        raise ValueError("expected an epsilon above 0")
    return math.ceil(MICRO * epsilon * epsilon / 8)


def epsilon_for(rho_micro: int) -> Fraction:
    """The largest multiple of 1e-9 whose choice costs at most `rho_micro` (>= 1). Raises `ValueError` otherwise."""
    if rho_micro < 1:
        raise ValueError("expected at least 1 micro-rho")
    return Fraction(math.isqrt(8 * rho_micro * 10**12), 10**9)
