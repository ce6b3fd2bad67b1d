"""Scores of a table beside records that several parties hold: from counts that they sum with their noise, as post-processing.

What is counted is fixed before there is a table: sets of columns, columns in few groups. So whoever has the sums and the table
computes every score, and comes to the same decimals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import prod, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketplace.errors import Corrupt
from marketplace.protocol.analysis_statistic import LARGEST_NOISE, Statistic
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.cells import Cells
from marketplace.scores.constraints import meet
from marketplace.scores.curve import CURVE, Grid, NoisyCurve
from marketplace.scores.estimate import ALONE, estimate
from marketplace.scores.groups import Grouping, Groups
from marketplace.scores.measure import LARGEST_SETS, SUBGROUP, Measure, column_sets, measures, subgroup_measures
from marketplace.scores.reference import ceiling, floor, shuffles
from marketplace.scores.score import CONFIDENCE_FACTOR, Score, quote, quote_up

ROWS, SUBGROUP_ROWS, SUBGROUPS, SINGLES = "rows", "subgroup_rows", "subgroups", "l1_1way"
WIDEST = 3
MOST_SETS = (LARGEST_SETS, 16, 16)
"""Of how many sets of one, two, three columns a score is the mean at most: the fewer, the less noise is in each count."""

Integers = NDArray[np.int64]
Summed = Mapping[str, Sequence[int]]


def summed_measures(schema: Schema, specification: Specification) -> tuple[Measure, ...]:
    """As `measure.measures`, of fewer sets of columns."""
    sets = [
        column_sets(schema.names, ways, specification.digest, most)
        for ways, most in enumerate(MOST_SETS, 1)
        if ways <= len(schema.names)
    ]
    every = measures(schema, specification.workload, specification.digest)
    return (*sets, *(one for one in every if one.missing or one.name == "workload"))


def marginals_of(schema: Schema, specification: Specification) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """By each statistic's name, but those of rows and of curves, the sets of columns whose cells it has, one after the other.

    Missing values are cells of single columns.
    """
    found = {one.name: one.marginals for one in summed_measures(schema, specification) if not one.missing}
    by = specification.subgroups
    others = tuple(name for name in schema.names if name != by)
    if by is None or not others:
        return found
    return {**found, SUBGROUP_ROWS: ((by,),), SUBGROUPS: tuple((by, other) for other in others)}


def curve_names(specification: Specification) -> tuple[str, ...]:
    """The statistics of the workload's curves."""
    return tuple(f"{CURVE}{index}" for index in range(len(specification.workload.curves)))


@dataclass(frozen=True)
class Cut:
    """One column of a set of columns whose cells are counted: `size` cells along it, in groups or as a curve has them."""

    column: str
    size: int
    by: Groups | Grid

    def cells(self, codes: NDArray[np.int32]) -> Integers:
        """The cell of each code of the column; -1 where it is in none."""
        found = self.by.cells(codes) if isinstance(self.by, Groups) else self.by.cells(self.column, codes)
        return found.astype(np.int64)


@dataclass(frozen=True)
class Scored:
    """The scores of a table, and the released counts of its curves. `rows`: how many records were counted, with noise."""

    rows: int
    scores: tuple[Score, ...]
    curves: tuple[NoisyCurve, ...]


@dataclass(frozen=True)
class Scoring:
    """What the scores of one order are computed from. `groupings`: the columns in groups, for sets of one, two, three columns.

    Neighbours differ by all rows of one person. A row adds 1 to one cell of each marginal of a statistic, so that b rows move
    a statistic of |T| marginals by at most b sqrt(|T|) in L2 (`Statistic.sensitivity_squared`).
    """

    schema: Schema
    specification: Specification
    groupings: tuple[Grouping, ...]

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """Every measure but those of subgroups."""
        return summed_measures(self.schema, self.specification)

    @cached_property
    def grids(self) -> tuple[Grid, ...]:
        """Where the workload's curves are counted."""
        return tuple(Grid.of(curve, self.schema) for curve in self.specification.workload.curves)

    @cached_property
    def marginals(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """As `marginals_of`."""
        return marginals_of(self.schema, self.specification)

    @cached_property
    def sets(self) -> Mapping[str, tuple[tuple[Cut, ...], ...]]:
        """The sets of columns of each statistic, whose cells follow each other in it; the last cut's cells vary fastest. That of
        all rows has no columns and one cell."""
        marginals = {
            name: tuple(self._cuts(self.grouping(name, len(one)), one) for one in sets)
            for name, sets in self.marginals.items()
        }
        curves = zip(curve_names(self.specification), self.grids, strict=True)
        return {ROWS: ((),), **marginals, **{name: (_of_curve(grid),) for name, grid in curves}}

    @cached_property
    def statistics(self) -> tuple[Statistic, ...]:
        """What every party counts over its rows, in order."""
        return tuple(
            Statistic(name, (sum(prod(cut.size for cut in one) for one in sets),), 1, len(sets))
            for name, sets in self.sets.items()
        )

    def count(self, table: pd.DataFrame) -> dict[str, Integers]:
        """Every statistic of a coded table, flat, by name."""
        return {name: np.concatenate([_counted(one, table) for one in sets]) for name, sets in self.sets.items()}

    def meeting(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows of a coded table meet the order's conditions on its columns: each is told by itself."""
        met = np.ones(len(table), np.bool_)
        for condition in self.specification.only:
            if condition.column in table:
                met &= meet(condition, self.schema, table[condition.column].to_numpy())
        return met

    def scored(
        self, sums: Summed, variances: Mapping[str, Fraction], table: pd.DataFrame, coincidences: int = 0
    ) -> "Scored":
        """Every score of a coded synthetic `table` of one row or more.

        `sums`: of all parties, with noise of these `variances` in each cell. `coincidences`: how many pairs of different persons
        at most, in expectation, each add a random sign to one cell of each set of columns (`protocol.split.coincidences_of`).
        Raises `Corrupt` unless the sums are those of `statistics`.
        """
        expected = {one.name: one.cells for one in self.statistics}
        given = {
            name: len(counts) for name, counts in sums.items() if max(map(abs, counts), default=0) <= LARGEST_NOISE
        }
        if given != expected or min(variances.get(name, 0) for name in expected) <= 0:
            raise Corrupt("expected the sums that scores are computed from, got others; ask who made them")
        curves = tuple(
            NoisyCurve(tuple(sums[name]), variances[name] + Fraction(coincidences, prod(grid.shape)))
            for name, grid in zip(curve_names(self.specification), self.grids, strict=True)
        )
        judge = _Judge(self, sums, variances, table, coincidences)
        return Scored(judge.rows, judge.scores(curves), curves)

    def grouping(self, name: str, width: int) -> Grouping:
        """The groups in which columns enter marginals of so many of them, in the statistic or score of this name."""
        by = self.specification.subgroups
        if by is not None and name.startswith((SUBGROUP, SUBGROUPS)):
            return self.groupings[0].apart(by)
        return self.groupings[width - 1]

    def _cuts(self, grouping: Grouping, marginal: tuple[str, ...]) -> tuple[Cut, ...]:
        own = dict(zip(self.schema.names, grouping.groups, strict=True))
        return tuple(Cut(name, size, own[name]) for name, size in zip(marginal, grouping.shape(marginal), strict=True))


def _of_curve(grid: Grid) -> tuple[Cut, ...]:
    named = zip((grid.by, grid.event, grid.time), grid.shape, strict=True)
    return tuple(Cut(column, size, grid) for column, size in named if column is not None)


def _counted(cuts: Sequence[Cut], table: pd.DataFrame) -> Integers:
    """How many rows of a coded table are in each cell of a set of columns."""
    keys, there = np.zeros(len(table), np.int64), np.ones(len(table), np.bool_)
    for cut in cuts:
        cells = cut.cells(table[cut.column].to_numpy())
        keys, there = keys * cut.size + cells, there & (cells >= 0)
    return np.bincount(keys[there], minlength=prod(cut.size for cut in cuts)).astype(np.int64)


class _Judge:
    """The scores of one synthetic table."""

    def __init__(
        self, scoring: Scoring, sums: Summed, variances: Mapping[str, Fraction], table: pd.DataFrame, coincidences: int
    ) -> None:
        self._scoring, self._sums, self._variances, self._table = scoring, sums, variances, table
        self._coincidences = coincidences
        self._made, self._seed = scoring.count(table), scoring.specification.digest
        self._cuts: dict[Grouping, tuple[Cells, tuple[Cells, ...]]] = {}
        self.rows = max(1, sums[ROWS][0])

    def scores(self, curves: Sequence[NoisyCurve]) -> tuple[Score, ...]:
        sized, made = self._variances[ROWS], len(self._table)
        found = [self._score(one, *self._counts(one), self.rows, made, sized) for one in self._scoring.measures]
        judged = [
            noisy.judged(index, grid, self._table, self._seed, self.rows).score
            for index, (noisy, grid) in enumerate(zip(curves, self._scoring.grids, strict=True))
        ]
        return (*found, *self._subgroups(), *judged)

    def _counts(self, measure: Measure) -> tuple[Sequence[int], Sequence[int], Fraction]:
        """What was summed for the measure, the same of the synthetic rows, and the variance of the first.

        A score of missing values takes the cells of those from the single columns.
        """
        name = SINGLES if measure.missing else measure.name
        summed, made = self._sums[name], self._made[name].tolist()
        if measure.missing:
            ends = self._ends(SINGLES)
            gaps = set(measure.marginals)
            places = [end - 1 for marginal, end in ends if marginal in gaps]
            summed, made = [summed[place] for place in places], [made[place] for place in places]
        return summed, made, self._variances[name]

    def _ends(self, name: str) -> list[tuple[tuple[str, ...], int]]:
        """Each marginal of a statistic with the place behind its last cell."""
        sets = self._scoring.marginals[name]
        shapes = (self._scoring.grouping(name, len(one)).shape(one) for one in sets)
        return list(zip(sets, accumulate(map(prod, shapes)), strict=True))

    def _subgroups(self) -> list[Score]:
        """Of each value that synthetic rows have, by the cells of it in the pairs of its column with every other."""
        by = self._scoring.specification.subgroups
        if by is None or SUBGROUPS not in self._sums:
            return []
        cells, _ = self._cut(self._scoring.grouping(SUBGROUPS, 2))
        return [
            self._subgroup(measure, measure.within[1]) for measure in subgroup_measures(cells, by) if measure.within
        ]

    def _subgroup(self, measure: Measure, code: int) -> Score:
        summed, made = self._of_code(self._sums[SUBGROUPS], code), self._of_code(self._made[SUBGROUPS].tolist(), code)
        rows, made_rows = max(1, self._sums[SUBGROUP_ROWS][code]), int(self._made[SUBGROUP_ROWS][code])
        noise, sized = self._variances[SUBGROUPS], self._variances[SUBGROUP_ROWS]
        return self._score(measure, summed, made, noise, rows, made_rows, sized)

    def _of_code(self, counts: Sequence[int], code: int) -> list[int]:
        """Of pairs with the column of subgroups, the cells in which that has this code."""
        found, start = list[int](), 0
        for marginal, end in self._ends(SUBGROUPS):
            _, width = self._scoring.grouping(SUBGROUPS, 2).shape(marginal)
            found += counts[start + code * width : start + (code + 1) * width]
            start = end
        return found

    def _score(
        self,
        measure: Measure,
        summed: Sequence[int],
        made: Sequence[int],
        variance: Fraction,
        rows: int,
        made_rows: int,
        sized: Fraction,
    ) -> Score:
        """The score of cells that hold `summed` of about `rows` records, with noise of `variance`, and `made` of `made_rows`.

        Dividing by a noisy number of rows, of variance `sized`, moves the score by at most its relative error, which counts in
        full: two ends that each hold 39 times in 40 hold together 19 times in 20. Coincidences move the number of rows as noise
        does. What n of them add to the k cells of a set, as differences of Poisson numbers, sums to sqrt(2 k n / pi) in absolute
        values at most, with a variance of n; that and two deviations of each set count in full, too.
        """
        blurred = sum(abs(real * made_rows - rows * own) for real, own in zip(summed, made, strict=True))
        told = estimate(float(Fraction(blurred, made_rows)), len(made), sqrt(variance))
        share, largest = Fraction(1, len(measure.marginals) * rows), Fraction(measure.largest)
        sets, met = len(measure.marginals), sqrt(self._coincidences)
        moved = Fraction((ALONE * sqrt(len(made) * sets) + 2 * sets) * met)
        error = Fraction(sqrt(sized + self._coincidences)) / rows
        sigma = (Fraction(told.reach) + moved) * share / CONFIDENCE_FACTOR + error
        return Score(
            measure.name,
            quote(min(Fraction(told.value) * share, largest)),
            quote_up(min(sigma, largest)),
            *self._beside(measure),
        )

    def _beside(self, measure: Measure) -> tuple[str, str]:
        """Floor and ceiling, on the same cells: the mean over all marginals, each in the groups of its width."""
        least = most = Fraction(0)
        for width in sorted({len(marginal) for marginal in measure.marginals}):
            own = replace(measure, marginals=tuple(one for one in measure.marginals if len(one) == width))
            cells, shuffled = self._cut(self._scoring.grouping(measure.name, width))
            share = Fraction(len(own.marginals), len(measure.marginals))
            least, most = least + share * floor(own, cells, shuffled), most + share * ceiling(own, cells, self.rows)
        return quote(least), quote(most)

    def _cut(self, grouping: Grouping) -> tuple[Cells, tuple[Cells, ...]]:
        """The synthetic table in cells, and its shuffles."""
        if grouping not in self._cuts:
            cells = grouping.cut(self._table)
            self._cuts[grouping] = cells, shuffles(cells, self._seed)
        return self._cuts[grouping]
