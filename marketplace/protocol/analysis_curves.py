"""Kaplan-Meier curves and the log-rank test from counts with noise in them: nothing is cut off, and the noise is counted in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from marketplace.protocol.analysis_matrices import Matrix, Vector
from marketplace.protocol.analysis_statistic import SURE

NORMAL_TIMES = 1.959963984540054
"""How many standard errors a 95 % interval reaches to each side."""


@dataclass(frozen=True)
class Leaving:
    """Of one group, who leaves at each point of the grid and beyond the last: without the event, and with it.

    `variance`: of the noise in each number, 0 without. The numbers are as they came, also negative ones.
    """

    censored: tuple[int, ...]
    dead: tuple[int, ...]
    variance: float

    @property
    def at_risk(self) -> tuple[int, ...]:
        """How many were there just before each point, and beyond the last."""
        leave = [one + other for one, other in zip(self.censored, self.dead, strict=True)]
        return tuple(accumulate(reversed(leave)))[::-1]


@dataclass(frozen=True)
class Survived:
    """The share that survives a point, with its 95 % interval."""

    share: float
    low: float
    high: float


def noisy_survival(leaving: Leaving) -> tuple[Survived, ...]:
    """The share that survives each point of the grid, falling, from counts with noise.

    The product is taken of the counts as they came, so that cutting them off makes no bias, and then the nearest falling
    shares. Its logarithm has Greenwood's variance and that of the noise: with n at risk and d events, a later count moves
    it by the sum A of d / (n (n - d)) up to the point, the events of a point also by -1 / (n - d). From the first point at
    which noise alone could make n or n - d the curve is not told: its interval reaches down to 0.
    Source: Greenwood 1926; the delta method.
    """
    at_risk, points = leaving.at_risk, len(leaving.dead) - 1
    raw: list[float] = []
    reach: list[float] = []
    share, through, gathered = 1.0, 0.0, 0.0
    for place in range(points):
        later = points - place
        n, d = at_risk[place], leaving.dead[place]
        if min(n, n - d) <= SURE * math.sqrt(2 * (later + 1) * leaving.variance):
            break
        share *= 1 - d / n
        through += d / (n * (n - d))
        gathered += through**2 + (through - 1 / (n - d)) ** 2
        variance = max(0.0, through) + leaving.variance * (gathered + 2 * later * through**2)
        raw.append(share)
        reach.append(NORMAL_TIMES * share * math.sqrt(variance))
    found = [
        Survived(one, max(0.0, min(one, value - far)), min(1.0, max(one, value + far)))
        for one, value, far in zip(_falling(raw), raw, reach, strict=True)
    ]
    last = found[-1] if found else Survived(1.0, 1.0, 1.0)
    return (*found, *(Survived(last.share, 0.0, last.high) for _ in range(points - len(found))))


def exact_survival(leaving: Leaving) -> tuple[Survived, ...]:
    """The share that survives each point of the grid, from counts without noise, of which none is negative.

    The interval is Greenwood's on the scale of log(-log). Source: Kaplan and Meier 1958; Kalbfleisch and Prentice 1980.
    """
    found, share, through = [], 1.0, 0.0
    for n, d in zip(leaving.at_risk[:-1], leaving.dead[:-1], strict=True):
        share *= (n - d) / n if n else 1.0
        through += d / (n * (n - d)) if n > d else 0.0
        far = NORMAL_TIMES * math.sqrt(through) / abs(math.log(share)) if 0 < share < 1 else 0.0
        found.append(Survived(share, share ** math.exp(far), share ** math.exp(-far)))
    return tuple(found)


def noise_of_excess(groups: Sequence[Leaving], points: int) -> Matrix:
    """The covariance that noise gives the log-rank test's excess of events, of all groups but the last, over `points`.

    The events of a group move the excess of group i at their point by [i is it] - n_i / n, and through who is at risk at
    all points up to there by minus the sum of events / n ([i is it] - n_i / n); the others that leave, by the latter.
    """
    size, count = len(groups) - 1, len(groups)
    risks = [group.at_risk for group in groups]
    through = [[0.0] * count for _ in range(size)]
    found = [[0.0] * size for _ in range(size)]
    for place in range(len(groups[0].dead)):
        direct = [[0.0] * count for _ in range(size)]
        if place < points:
            whole, dead = sum(risk[place] for risk in risks), sum(group.dead[place] for group in groups)
            for i in range(size):
                direct[i] = [(i == g) - risks[i][place] / whole for g in range(count)]
                through[i] = [value + dead / whole * one for value, one in zip(through[i], direct[i], strict=True)]
        for g, group in enumerate(groups):
            for moved in ([row[g] for row in through], [a[g] - b[g] for a, b in zip(direct, through, strict=True)]):
                for i in range(size):
                    for j in range(size):
                        found[i][j] += group.variance * moved[i] * moved[j]
    return found


def told_points(groups: Sequence[Leaving]) -> int:
    """The points of the grid up to which noise alone could not make those at risk of all groups together."""
    totals = list(zip(*(group.at_risk for group in groups), strict=True))
    variance = 2 * math.fsum(group.variance for group in groups)
    points = len(totals) - 1
    for place in range(points):
        if sum(totals[place]) <= SURE * math.sqrt((points - place + 1) * variance):
            return place
    return points


def _falling(values: Sequence[float]) -> Vector:
    """The nearest falling numbers within [0, 1], by least squares. Source: Ayer and others 1955."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while blocks and blocks[-1][0] < mean:
            before, many = blocks.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        blocks.append((mean, count))
    return [max(0.0, min(1.0, mean)) for mean, count in blocks for _ in range(count)]
