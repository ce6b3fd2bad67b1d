"""Survival of several hospitals' patients on a declared time grid: Kaplan-Meier, restricted mean, log-rank."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol.analysis_curves import Leaving, exact_survival, noise_of_excess, noisy_survival, told_points
from marketplace.protocol.analysis_statistic import NO_NOISE, SURE, OneRound, Statistic, Sums, Variances
from marketplace.protocol.analysis_tails import chi_square_tail, quadratic_form
from marketplace.protocol.columns import MOST_DECIMALS, is_plain
from marketplace.protocol.schema import Category, Column, Number, Schema

LARGEST_GRID = 10_000
LARGEST_GROUPS = 10


@dataclass(frozen=True)
class Step:
    """One point of the grid: how many were at risk just before it, had the event at it, and the share that survive it.

    `low` and `high`: the share's 95 % interval, which counts the noise in.
    """

    time: Decimal
    at_risk: int
    events: int
    survival: float
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class GroupCurve:
    """One group's Kaplan-Meier curve. `restricted_mean`: the area under it from 0 to the last point of the grid."""

    group: str
    steps: tuple[Step, ...]
    restricted_mean: float


@dataclass(frozen=True)
class LogRank:
    """The test that all groups have the same hazard. `p` is None where fewer than two groups can be compared."""

    statistic: float
    freedom: int
    p: float | None


@dataclass(frozen=True)
class SurvivalCurves:
    """The curve of each group, in the schema's order, and the test between them where there are groups."""

    curves: tuple[GroupCurve, ...]
    log_rank: LogRank | None


@dataclass(frozen=True)
class Survival(OneRound):
    """Survival until `happened` in column `event`, at times of `time`, for each value of `by`.

    `grid`: rising points of time above 0; each time is moved up to the next point, and who is watched beyond the last one
    leaves there without an event. Rows in which one of the columns is missing are left out.
    """

    time: str
    event: str
    happened: str
    grid: tuple[Decimal, ...]
    by: str | None = None

    def __post_init__(self) -> None:
        plain = all(map(is_plain, self.grid))
        rising = plain and all(a < b for a, b in zip((Decimal(0), *self.grid), self.grid, strict=False))
        if not 1 <= len(self.grid) <= LARGEST_GRID or not rising:
            raise Invalid(
                f"expected a time grid of 1 to {LARGEST_GRID} rising points above 0, below 10^{MOST_DECIMALS} and with at most "
                f"{MOST_DECIMALS} decimals; declare another"
            )

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        document: dict[str, Any] = {
            "kind": "survival",
            "time": self.time,
            "event": self.event,
            "happened": self.happened,
            "grid": [str(point) for point in self.grid],
        }
        return document if self.by is None else {**document, "by": self.by}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (self.time, self.event) if self.by is None else (self.time, self.event, self.by)

    def groups(self, schema: Schema) -> tuple[str, ...]:
        """The groups' names; one without a name where none are asked for. Raises `Invalid` for too many."""
        if self.by is None:
            return ("",)
        column = schema.column(self.by)
        if column.size > LARGEST_GROUPS:
            raise Invalid(
                f"column {self.by!r}: expected at most {LARGEST_GROUPS} groups, got {column.size}; name another"
            )
        return tuple(map(column.text, range(column.size)))

    def event_code(self, schema: Schema) -> int:
        """The code of `happened`. Raises `Invalid` where it is no value of the column."""
        return code_of(schema.column(self.event), self.happened)

    def ends(self, schema: Schema) -> tuple[int, ...]:
        """For each point of the grid, the first code of `time` that lies beyond it; rising, perhaps not strictly."""
        column = schema.column(self.time)
        if not isinstance(column, Number) or column.lower < 0:
            raise Invalid(f"column {self.time!r}: expected a number of 0 or more as the time; name another")
        return tuple(max(0, int((point - column.lower + column.step) // column.step)) for point in self.grid)

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts: rows of each group that leave at each point, or beyond the last, without and with event.

        A row adds 1 to one cell at most: how many are at risk follows from who leaves, so that no row counts twice.
        """
        self.event_code(schema)
        if len(set(self.columns)) != len(self.columns):
            raise Invalid("expected different columns for time, event and group; name others")
        return (Statistic("leaving", (len(self.groups(schema)), len(self.ends(schema)) + 1, 2), 1, 1),)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> SurvivalCurves:
        """Curves and test. Counts that noise made negative, or more than are there, show as the nearest possible ones.

        Source: Kaplan and Meier 1958; Mantel 1966, with the hypergeometric variance for tied times. With noise, as
        `analysis_curves` has it.
        """
        names, width, variance = self.groups(schema), 2 * (len(self.grid) + 1), noise.get("leaving", 0.0)
        flat = sums["leaving"]
        groups = [
            Leaving(tuple(flat[start : start + width : 2]), tuple(flat[start + 1 : start + width : 2]), variance)
            for start in range(0, len(flat), width)
        ]
        if not noise:
            groups = [Leaving(_possible(one.censored), _possible(one.dead), 0.0) for one in groups]
        curves = tuple(self._curve(name, one) for name, one in zip(names, groups, strict=True))
        return SurvivalCurves(curves, None if self.by is None else log_rank(groups))

    def _curve(self, group: str, leaving: Leaving) -> GroupCurve:
        survived = noisy_survival(leaving) if leaving.variance else exact_survival(leaving)
        area, before, survival, steps = [], Decimal(0), 1.0, []
        for time, risk, dead, one in zip(self.grid, leaving.at_risk, leaving.dead, survived, strict=False):
            area.append(survival * float(time - before))
            risk = max(0, risk)
            steps.append(Step(time, risk, max(0, min(risk, dead)), one.share, one.low, one.high))
            before, survival = time, one.share
        return GroupCurve(group, tuple(steps), math.fsum(area))


def log_rank(groups: Sequence[Leaving]) -> LogRank:
    """The log-rank test of groups that leave at the same points, with the noise in its covariance. Source: Mantel 1966."""
    cells = 2 * len(groups[0].dead)
    groups = [one for one in groups if one.at_risk[0] > SURE * math.sqrt(cells * one.variance)]
    if len(groups) < 2:
        return LogRank(0.0, 0, None)
    size, points = len(groups) - 1, told_points(groups)
    at_risk = [group.at_risk for group in groups]
    excess, covariance = [0.0] * size, noise_of_excess(groups, points)
    for place in range(points):
        risks, dead = [risk[place] for risk in at_risk], [group.dead[place] for group in groups]
        everyone, all_dead = sum(risks), sum(dead)
        if everyone < 2 or all_dead == 0:
            continue
        spread = all_dead * (everyone - all_dead) / (everyone - 1)
        for i in range(size):
            excess[i] += dead[i] - all_dead * risks[i] / everyone
            for j in range(size):
                covariance[i][j] += spread * risks[i] / everyone * ((i == j) - risks[j] / everyone)
    try:
        statistic = max(0.0, quadratic_form(excess, covariance))
        return LogRank(statistic, size, chi_square_tail(statistic, size))
    except Invalid:
        return LogRank(0.0, 0, None)


def _possible(counts: Sequence[int]) -> tuple[int, ...]:
    return tuple(max(0, count) for count in counts)


def code_of(column: Column, text: str) -> int:
    """The code of a declared value. Raises `Invalid` for any other."""
    if isinstance(column, Category):
        found = column.values.index(text) if text in column.values else -1
    else:
        try:
            value = Decimal(text)
            found = int((value - column.lower) / column.step) if column.lower <= value <= column.upper else -1
            found = found if column.lower + found * column.step == value else -1
        except InvalidOperation:
            found = -1
    if found < 0:
        raise Invalid(f"column {column.name!r}: expected one of its declared values, got another; name a declared one")
    return found
