"""Cox regression over several hospitals on a declared time grid: Newton steps from sums over who was at risk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, combinations_with_replacement
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol.analysis_design import in_units, normal_tail
from marketplace.protocol.analysis_matrices import Matrix, Vector, symmetric
from marketplace.protocol.analysis_newton import (
    LAST_WEIGHT,
    MOST_ROUNDS,
    NOISE_STEPS,
    TOO_FEW,
    Likelihood,
    LikelihoodFit,
    check_format,
    check_rounds,
    on_grid,
)
from marketplace.protocol.analysis_statistic import NO_NOISE, Opened, Statistic, Sums, Variances
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.schema import Schema

MOST_DOUBLINGS = 12
LARGEST_RISK_CELLS = 2**16
BEYOND = "rows whose hazard is beyond the declared doublings; declare more of them, or narrower columns"


@dataclass(frozen=True)
class CoxRegression:
    """The logarithm of the hazard of `happened` as a line in `predictors`: numbers, and two categories.

    Breslow's partial likelihood of times that are moved up to the next point of `grid`, as `Survival` moves them: events
    at one point are tied. Rows in which one of the columns is missing are left out. A row's hazard is counted within
    2^doublings of that of the mean row, to either side; a fit for which rows lie beyond is withheld. `rounds`: Newton
    steps, 2 to 25, each opened and paid for. `bits`: of the fixed-point format.
    """

    time: str
    event: str
    happened: str
    grid: tuple[Decimal, ...]
    predictors: tuple[str, ...]
    rounds: int = 8
    bits: int = 20
    doublings: int = 8

    def __post_init__(self) -> None:
        check_rounds(self.rounds)
        self.survival  # noqa: B018

    @property
    def survival(self) -> Survival:
        """How times, events and the grid are read. Raises `Invalid` for a grid that does not rise."""
        return Survival(self.time, self.event, self.happened, self.grid)

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {
            **self.survival.document(),
            "kind": "cox regression",
            "predictors": list(self.predictors),
            "rounds": self.rounds,
            "bits": self.bits,
            "doublings": self.doublings,
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at, time and event last."""
        return (*self.predictors, self.time, self.event)

    def reaches(self, schema: Schema) -> tuple[int, ...]:
        """The largest centred code of each predictor. Raises `Invalid` where the analysis does not fit the schema."""
        if len(set(self.columns)) != len(self.columns):
            raise Invalid("expected predictors that are all different, and neither time nor event; name others")
        if not 1 <= self.doublings <= MOST_DOUBLINGS:
            raise Invalid(f"expected 1 to {MOST_DOUBLINGS} doublings of the hazard, got {self.doublings}")
        self.survival.event_code(schema)
        self.survival.ends(schema)
        return check_format(self.bits, self.predictors, schema)

    def statistics(self, schema: Schema, number: int) -> tuple[Statistic, ...]:
        """What each party counts: who has the event when and with which predictors, and who leaves when, by hazard.

        With x the predictors, within [-1, 1] over their declared ranges, and w the hazard at the coefficients of the round
        beside that of the mean row, taken as 2^doublings where it is more and as 2^-doublings where it is less: a row adds
        w, w x and the upper half of w x x' to the one point at which it leaves, each number to the nearest of 2^-bits, so
        none beyond 2^(bits + doublings), which is whole. Who is at risk follows by sums over later points. In the first
        round a row also adds 1 to the point of its event, and x; in the last, 1 if its hazard was beyond.
        """
        size, points = len(self.reaches(schema)), len(self.grid)
        each, one, most = 1 + size + size * (size + 1) // 2, 2**self.bits, 2 ** (self.bits + self.doublings)
        if (points + 1) * each > LARGEST_RISK_CELLS:
            raise Invalid(
                f"expected a time grid of at most {LARGEST_RISK_CELLS // each - 1} points with {size} predictors; "
                "declare a coarser one"
            )
        weight = LAST_WEIGHT if number == self.rounds - 1 else 1
        found = [Statistic("risk", (points + 1, each), most, each * most**2, weight)]
        if number == 0:
            found += [Statistic("events", (points,), 1, 1), Statistic("with event", (size,), one, size * one**2)]
        if number == self.rounds - 1:
            found.append(Statistic("beyond", (1,), 1, 1))
        return tuple(found)

    def iterate(self, schema: Schema, opened: Opened) -> Vector:
        """The coefficients that the next round tries, of predictors within [-1, 1]; zeros first."""
        found = [0.0] * len(self.reaches(schema))
        for sums in opened:
            first = opened[0]
            step = _step(self, tuple(first["events"]), tuple(first["with event"]), tuple(sums["risk"]))
            found = on_grid([value + change for value, change in zip(found, step, strict=True)])
        return found

    def middle(self, schema: Schema, opened: Opened) -> Vector:
        """The mean row's predictors, from the first round, in which all weigh 1; zeros before it."""
        size = len(self.reaches(schema))
        if not opened:
            return [0.0] * size
        whole, first, _ = self._at_risk(opened[0], size)[0]
        return on_grid([_within(value, whole) for value in first])

    def result(self, schema: Schema, opened: Opened, noise: Sequence[Variances]) -> LikelihoodFit:
        """The fit in the columns' units, after the step of the last round. Standard errors from its information.

        Source: Cox 1972; Breslow 1974 for ties.
        """
        rows = max(0, round(self._at_risk(opened[0], len(self.reaches(schema)))[0][0]))
        events = max(0, min(rows, sum(opened[0]["events"])))
        if events == 0:
            return LikelihoodFit(rows, events, None, TOO_FEW)
        beyond = opened[-1]["beyond"][0]
        if beyond > NOISE_STEPS * math.sqrt(noise[-1].get("beyond", 0.0)):
            return LikelihoodFit(rows, events, None, f"about {beyond} {BEYOND}")
        last = self.likelihood(opened[0], opened[-1], noise[0], noise[-1]).last_step()
        if isinstance(last, str):
            return LikelihoodFit(rows, events, None, last)
        step, covariance = last
        found = [a + b for a, b in zip(self.iterate(schema, opened[:-1]), step, strict=True)]
        return LikelihoodFit(
            rows, events, in_units(self.predictors, schema, found, covariance, None, normal_tail), None
        )

    def _at_risk(self, sums: Sums, size: int) -> list[tuple[float, Vector, Vector]]:
        """For each point of the grid, of those at risk just before it: the sums of w, w x and the upper half of w x x'."""
        each, one = 1 + size + size * (size + 1) // 2, 2.0**self.bits
        flat = sums["risk"]
        leaving = [flat[start : start + each] for start in range(0, len(flat), each)]
        later = accumulate(reversed(leaving), lambda all_, more: [a + b for a, b in zip(all_, more, strict=True)])
        found = [
            (row[0] / one, [v / one for v in row[1 : size + 1]], [v / one for v in row[size + 1 :]]) for row in later
        ]
        return found[:0:-1]

    def likelihood(self, first: Sums, sums: Sums, first_noise: Variances, noise: Variances) -> Likelihood:
        """Gradient and information, and how the noise in each sum moves them (the delta method).

        Means of predictors are taken within [-1, 1], where they lie whatever noise says. Nobody at risk: no such point.
        """
        size = len(first["with event"])
        one = 2.0**self.bits
        gradient = [value / one for value in first["with event"]]
        pairs = list(combinations_with_replacement(range(size), 2))
        information = [0.0] * len(pairs)
        risk_noise = noise.get("risk", 0.0) / one**2
        noise_of = _Noise(size, first_noise.get("with event", 0.0) / one**2, first_noise.get("events", 0.0), risk_noise)
        for dead, (whole, towards, squares) in zip(first["events"], self._at_risk(sums, size), strict=True):
            if whole <= 0:
                noise_of.leave()
                continue
            mean = [_within(value, whole) for value in towards]
            gradient = [value - dead * one for value, one in zip(gradient, mean, strict=True)]
            information = [
                value + dead * (_within(square, whole) - mean[i] * mean[j])
                for value, square, (i, j) in zip(information, squares, pairs, strict=True)
            ]
            if risk_noise:
                noise_of.event(dead, whole, mean)
        noise_of.leave()
        rounding = 4 * size * math.sqrt(max(1, sum(first["events"]))) / one
        return Likelihood(
            gradient, symmetric(information, size), noise_of.covariance(), noise_of.of_information, rounding
        )


@lru_cache(MOST_ROUNDS)
def _step(
    asked: CoxRegression, events: tuple[int, ...], with_event: tuple[int, ...], risk: tuple[int, ...]
) -> tuple[float, ...]:
    """The step after a round, kept so that a later round need not take those before it again."""
    first = {"events": events, "with event": with_event}
    return tuple(asked.likelihood(first, {"risk": risk}, NO_NOISE, NO_NOISE).step())


class _Noise:
    """The covariance of the noise in a partial likelihood's gradient, gathered from point to point."""

    def __init__(self, size: int, of_with_event: float, of_events: float, of_risk: float) -> None:
        self._size, self._of_events, self._of_risk = size, of_events, of_risk
        self._found = [[of_with_event * (i == j) for j in range(size)] for i in range(size)]
        self._hazard, self._towards = 0.0, [0.0] * size
        self.of_information = 0.0

    def event(self, dead: int, whole: float, mean: Vector) -> None:
        """A point at which `dead` of those at risk had the event, with the sum `whole` and the mean of predictors."""
        self._add(mean, self._of_events)
        self._hazard += dead / whole
        self._towards = [value + dead / whole * one for value, one in zip(self._towards, mean, strict=True)]
        self.leave()

    def leave(self) -> None:
        """The noise in the sums of those who leave at this point, who were at risk at it and at all points before."""
        square = self._of_risk * self._hazard**2
        self.of_information += square
        for place in range(self._size):
            self._found[place][place] += square
        self._add(self._towards, self._of_risk)

    def covariance(self) -> Matrix:
        """What was gathered."""
        return self._found

    def _add(self, vector: Vector, variance: float) -> None:
        for i, one in enumerate(vector):
            for j, other in enumerate(vector):
                self._found[i][j] += variance * one * other


def _within(value: float, whole: float) -> float:
    return max(-1.0, min(1.0, value / whole)) if whole > 0 else 0.0
