"""What noisy counts tell of a distance: an estimate without the noise's share, and ends that hold the exact one."""

import math
from dataclasses import dataclass

from marketplace.scores.score import CONFIDENCE_FACTOR

ALONE = math.sqrt(2 / math.pi)
"""The mean of |z| for a standard normal z."""
ALONE_VARIANCE, GROWTH = 0.363381, 0.911
"""The variance of |t + z| is at most the first, which it has at t = 0, and the second times E|t + z| - `ALONE`; and at most 1."""
BELOW = (
    (0.773336, 0.197412),
    (0.704130, 0.382924),
    (0.602274, 0.546745),
    (0.483941, 0.682689),
    (0.365298, 0.788700),
    (0.259035, 0.866385),
    (0.107981, 0.954499),
    (0.035056, 0.987580),
    (0.0, 1.0),
)
"""Lines below E|t + z| = `ALONE` exp(-t^2 / 2) + t erf(t / sqrt 2), which is convex: constant and slope of tangents, cut."""


@dataclass(frozen=True)
class Estimate:
    """A sum of absolute differences, in rows: `value`, and `low` and `high`, which hold the exact one 39 times in 40."""

    value: float
    low: float
    high: float

    @property
    def reach(self) -> float:
        """How far the further end is from the value."""
        return max(self.high - self.value, self.value - self.low)


def estimate(blurred: float, cells: int, sigma: float) -> Estimate:
    """The sum of |d_j| over so many `cells`, where `blurred` is that of |d_j + z_j| and the z_j are independent normals.

    `sigma` > 0: their standard deviation. Value: the root of the squares' difference of `blurred` and what noise alone has,
    which is right where differences are spread as a normal is. Ends, whatever the differences are: `blurred` is within 2.2415
    of its standard deviations of its mean, where that is told from the mean itself; of a mean, high lies where the lines below
    E|t + z| reach it, each of which holds for the sum as it holds for every cell; low is the mean less what noise alone has
    (triangle inequality). Only sums, products and square roots are used, which every machine rounds alike.
    """
    unit = cells * sigma
    mean = blurred / unit
    least, most = _means(mean, float(CONFIDENCE_FACTOR) ** 2 / cells)
    high = min((most - constant) / slope for constant, slope in BELOW)
    value = math.sqrt(max(0.0, mean * mean - ALONE * ALONE))
    return Estimate(unit * value, unit * min(value, max(0.0, least - ALONE)), unit * max(value, high))


def _means(mean: float, factor: float) -> tuple[float, float]:
    """The least and the most m with (m - mean)^2 <= factor (`ALONE_VARIANCE` + `GROWTH` (m - `ALONE`)), or with 1 in place of
    the last where that is less."""
    offset = ALONE_VARIANCE - GROWTH * ALONE
    middle = mean + factor * GROWTH / 2
    root = math.sqrt(max(0.0, middle * middle - mean * mean + factor * offset))
    wide = math.sqrt(factor)
    return max(middle - root, mean - wide), min(middle + root, mean + wide)
