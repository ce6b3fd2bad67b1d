"""Survival of several hospitals' patients on a declared time grid: Kaplan-Meier, restricted mean, log-rank."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol.analysis_statistic import NO_NOISE, OneRound, Statistic, Sums, Variances
from marketplace.protocol.analysis_tails import chi_square_tail, quadratic_form
from marketplace.protocol.schema import Category, Column, Number, Schema

LARGEST_GRID = 10_000
LARGEST_GROUPS = 10


@dataclass(frozen=True)
class Step:
    """One point of the grid: how many were at risk just before it, had the event at it, and the share that survive it."""

    time: Decimal
    at_risk: int
    events: int
    survival: float


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
        rising = all(a < b for a, b in zip((Decimal(0), *self.grid), self.grid, strict=False))
        if not 1 <= len(self.grid) <= LARGEST_GRID or not all(p.is_finite() for p in self.grid) or not rising:
            raise Invalid(f"expected a time grid of 1 to {LARGEST_GRID} rising points above 0; declare another")

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
        """Curves and test. Where noise made counts negative, or more than are there, the nearest possible ones are taken.

        Source: Kaplan and Meier 1958; Mantel 1966, with the hypergeometric variance for tied times.
        """
        names, width = self.groups(schema), 2 * (len(self.grid) + 1)
        flat = sums["leaving"]
        counts = [_at_risk_and_events(flat[start : start + width]) for start in range(0, len(flat), width)]
        curves = tuple(self._curve(name, *pair) for name, pair in zip(names, counts, strict=True))
        return SurvivalCurves(curves, None if self.by is None else log_rank(counts))

    def _curve(self, group: str, at_risk: Sequence[int], events: Sequence[int]) -> GroupCurve:
        survival, area, before = 1.0, [], Decimal(0)
        steps = []
        for time, risk, dead in zip(self.grid, at_risk, events, strict=True):
            area.append(survival * float(time - before))
            survival *= (risk - dead) / risk if risk else 1.0
            steps.append(Step(time, risk, dead, survival))
            before = time
        return GroupCurve(group, tuple(steps), math.fsum(area))


def log_rank(groups: Sequence[tuple[Sequence[int], Sequence[int]]]) -> LogRank:
    """The log-rank test of groups given as (at risk, events) at the same times. Source: Mantel 1966."""
    groups = [group for group in groups if any(group[0])]
    size = len(groups) - 1
    excess, variance = [0.0] * max(0, size), [[0.0] * size for _ in range(size)]
    for point in zip(*(zip(*group, strict=True) for group in groups), strict=True):
        risks, dead = [risk for risk, _ in point], [events for _, events in point]
        everyone, all_dead = sum(risks), sum(dead)
        if everyone < 2 or all_dead == 0:
            continue
        spread = all_dead * (everyone - all_dead) / (everyone - 1)
        for i in range(size):
            excess[i] += dead[i] - all_dead * risks[i] / everyone
            for j in range(size):
                here = risks[i] / everyone
                variance[i][j] += spread * here * ((i == j) - risks[j] / everyone)
    try:
        statistic = max(0.0, quadratic_form(excess, variance))
        return LogRank(statistic, size, chi_square_tail(statistic, size))
    except Invalid:
        return LogRank(0.0, 0, None)


def _at_risk_and_events(leaving: Sequence[int]) -> tuple[list[int], list[int]]:
    """At each point of the grid: how many of a group were there just before it, and how many had the event at it."""
    counts = [max(0, count) for count in leaving]
    leave = [censored + dead for censored, dead in zip(counts[::2], counts[1::2], strict=True)]
    at_risk = list(accumulate(reversed(leave)))[::-1]
    return at_risk[:-1], counts[1::2][:-1]


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
