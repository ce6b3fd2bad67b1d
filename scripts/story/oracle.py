"""What a program that holds all records says: survival of the pooled records by lifelines, beside the hospitals' answer."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from numpy.typing import NDArray

from scripts.story.split import Hospitals


@dataclass(frozen=True)
class Point:
    """One group at one point of the grid. `low`, `high`: of an answer, the 95 % interval of what survives."""

    time: Decimal
    at_risk: int
    events: int
    survival: float
    low: float = 0.0
    high: float = 1.0

    @property
    def is_hidden(self) -> bool:
        """Whether noise hides it: then the interval reaches down to 0."""
        return self.low == 0 < self.survival


@dataclass(frozen=True)
class LogRankTest:
    """The test between all groups; `p` is None where there is nothing to compare."""

    statistic: float
    p: float | None


@dataclass(frozen=True)
class Curves:
    """Survival of each group by its name, on one grid, and the test between them."""

    groups: dict[str, tuple[Point, ...]]
    test: LogRankTest

    @property
    def grid(self) -> tuple[Decimal, ...]:
        """The points."""
        return tuple(point.time for point in next(iter(self.groups.values())))


def pooled_curves(hospitals: Hospitals, grid: Sequence[Decimal]) -> Curves:
    """The same of all records together, each time moved up to the next point of `grid`.

    Who is watched beyond its last point leaves there without an event.
    """
    happened = hospitals.question.happened
    whole = [row for row in hospitals.pooled if all(row)]
    places = np.array([1 + bisect_left(grid, Decimal(time)) for time, _, _ in whole])
    died = np.array([event == happened for _, event, _ in whole]) & (places <= len(grid))
    group = np.array([name for _, _, name in whole])
    names = [name for name in hospitals.groups if (group == name).any()]
    found = {name: _curve(places[group == name], died[group == name], grid) for name in names}
    if len(names) < 2:
        return Curves(found, LogRankTest(0.0, None))
    test = multivariate_logrank_test(places, group, died)
    return Curves(found, LogRankTest(float(test.test_statistic), float(test.p_value)))


def _curve(places: NDArray[np.int64], died: NDArray[np.bool_], grid: Sequence[Decimal]) -> tuple[Point, ...]:
    fitted = KaplanMeierFitter().fit(places, died)
    survival = fitted.survival_function_at_times(range(1, len(grid) + 1)).to_numpy()
    return tuple(
        Point(time, int((places >= at).sum()), int((died & (places == at)).sum()), float(survival[at - 1]))
        for at, time in enumerate(grid, 1)
    )


def largest_difference(ours: Curves, theirs: Curves) -> float:
    """The most by which a survival or the test's statistic differs; infinite where a count does."""
    pairs = [
        (one, other)
        for name, points in theirs.groups.items()
        for one, other in zip(ours.groups[name], points, strict=True)
    ]
    if any((one.time, one.at_risk, one.events) != (other.time, other.at_risk, other.events) for one, other in pairs):
        return float("inf")
    return max(
        abs(ours.test.statistic - theirs.test.statistic), *(abs(one.survival - other.survival) for one, other in pairs)
    )
