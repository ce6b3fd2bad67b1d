"""Numbers with the ends of their 95 % intervals, for the provider alone."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from node.evaluation.provider import Estimate

STUDENT_95 = {3: 4.303, 5: 2.776, 8: 2.365}
NORMAL_95 = 1.96


def of_draws(value: float, drawn: Sequence[float]) -> Estimate:
    """`value` between the 2.5 % and 97.5 % quantiles of bootstraps of it."""
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(value, float(low), float(high))


def of_repeats(values: Sequence[float]) -> Estimate:
    """The mean of three, five or eight independent repeats with Student's interval, cut at 0."""
    reach = STUDENT_95[len(values)] * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    centre = float(np.mean(values))
    return Estimate(centre, max(0.0, centre - reach), centre + reach)


def of_share(found: npt.NDArray[np.bool_]) -> Estimate:
    """How many of `found`, one or more, are true, as a share with Wilson's interval. Source: Wilson 1927."""
    size, share, z2 = len(found), float(found.mean()), NORMAL_95**2
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    reach = NORMAL_95 * math.sqrt(share * (1 - share) / size + z2 / (4 * size * size)) / (1 + z2 / size)
    return Estimate(share, max(0.0, centre - reach) if share else 0.0, min(1.0, centre + reach) if share < 1 else 1.0)
