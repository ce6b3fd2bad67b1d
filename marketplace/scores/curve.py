"""Survival curves from counts on a declared grid: of synthetic rows exactly, of records from released noisy counts.

The grid follows from the schema alone: the declared range of the time in at most 20 intervals of whole codes, the groups
of `by`. A row counts where time, event and group are all there. Everything here but `count` of records is post-processing.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Curve, event_code
from marketplace.scores.codes import MISSING
from marketplace.scores.permutation import permutation, words
from marketplace.scores.score import CONFIDENCE_FACTOR, Score, quote, quote_up

MOST_INTERVALS = 20
REDRAWS = 400
COINS = 256
SHUFFLES, RESAMPLES = 3, 8
READABLE_DEVIATIONS = 6
POINTWISE = 40
"""A line's reach at one time is what one of so many redraws exceeds: around a noisy curve, 20 would hold it 94 times in 100."""
CURVE = "curve_"
FRACTION = re.compile(r"[1-9][0-9]{0,79}(/[1-9][0-9]{0,79})?", re.ASCII)

Counts = npt.NDArray[np.int64]
Survival = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Where a curve is counted. `time`, `event`, `by`: columns. `after`: the code behind each interval's last, ascending.

    `occurred`: the event's code. `groups`: how many there are; 1 without `by`.
    """

    time: str
    event: str
    by: str | None
    after: tuple[int, ...]
    occurred: int
    groups: int

    @classmethod
    def of(cls, curve: Curve, schema: Schema) -> Self:
        """The grid of a curve that `schema` allows, from the declaration alone."""
        codes = schema.column(curve.time).size
        intervals = min(MOST_INTERVALS, codes)
        after = tuple(codes * (place + 1) // intervals for place in range(intervals))
        groups = 1 if curve.by is None else schema.column(curve.by).size
        return cls(curve.time, curve.event, curve.by, after, event_code(curve, schema), groups)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Groups; looked no more, event; intervals."""
        return self.groups, 2, len(self.after)

    def cells(self, column: str, codes: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Where each code of one of its columns is along that column; -1 where it is missing."""
        found = codes.astype(np.int64)
        if column == self.time:
            found = np.searchsorted(np.array(self.after), codes, side="right").astype(np.int64)
        elif column == self.event:
            found = (codes == self.occurred).astype(np.int64)
        return np.where(codes == MISSING, MISSING, found)

    def count(self, table: pd.DataFrame) -> Counts:
        """How many rows of a coded table are in each cell, of shape `shape`.

        A row is in one cell at most: the b rows of one person move the counts by at most b in L2, in one cell at worst.
        """
        time, event = table[self.time].to_numpy(), table[self.event].to_numpy()
        group = np.zeros(len(table), np.int64) if self.by is None else table[self.by].to_numpy()
        there = (time != MISSING) & (event != MISSING) & (group != MISSING)
        interval = np.searchsorted(np.array(self.after), time[there], side="right")
        cells = (group[there].astype(np.int64) * 2 + (event[there] == self.occurred)) * len(self.after) + interval
        return np.bincount(cells, minlength=math.prod(self.shape)).reshape(self.shape).astype(np.int64)


@dataclass(frozen=True)
class NoisyCurve:
    """The records' counts of a curve as released: flat in the grid's order, each with noise of variance `sigma2`."""

    counts: tuple[int, ...]
    sigma2: Fraction

    def document(self) -> dict[str, Any]:
        """The counts as a value for canonical JSON."""
        return {"counts": list(self.counts), "sigma2": str(self.sigma2)}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """The counts in `document`. Raises `Corrupt` where a part is missing, of another kind, or one too many."""
        counts, sigma2 = document.get("counts"), document.get("sigma2")
        if not isinstance(counts, list) or not all(type(count) is int for count in counts) or len(document) != 2:
            raise Corrupt("expected whole counts of a curve, got other parts; ask who made it")
        if not isinstance(sigma2, str) or not FRACTION.fullmatch(sigma2):
            raise Corrupt("expected the variance of a curve's noise, got another part; ask who made it")
        return cls(tuple(counts), Fraction(sigma2))

    def judged(self, index: int, grid: Grid, synthetic: pd.DataFrame, seed: bytes, rows_declared: int) -> "Judged":
        """As `judged`. Raises `Corrupt` unless there is one count for each cell of the grid."""
        if len(self.counts) != math.prod(grid.shape):
            raise Corrupt("expected one count for each cell of a curve's grid, got another number; ask who made it")
        noisy = np.array(self.counts, np.int64).reshape(grid.shape)
        return judged(index, grid, synthetic, noisy, self.sigma2, seed, rows_declared)


@dataclass(frozen=True, eq=False)
class Line:
    """One group's curves. `synthetic`, `released`: survival at the end of each readable interval; `reach`: how far from the
    released one the records' own lies at most, at least 19 times in 20, for each time by itself. Records are readable while
    six standard deviations of the noise are fewer than those at risk."""

    group: int
    synthetic: Survival
    released: Survival
    reach: Survival


@dataclass(frozen=True, eq=False)
class Judged:
    """A curve's score and the lines behind it; a group of whom nothing is readable has none."""

    score: Score
    lines: tuple[Line, ...]


def survival(counts: Counts | Survival) -> Survival:
    """The Kaplan-Meier estimate at the end of each interval, the last axis of `counts`; the one before it: no more, event.

    Those who are looked at no more within an interval count as at risk in it. Noisy counts are taken as they are: the
    estimate is cut to 0 and 1, and noise may make it rise. Source: Kaplan and Meier 1958.
    """
    return np.clip(_product(counts), 0.0, 1.0)


def judged(
    index: int, grid: Grid, synthetic: pd.DataFrame, noisy: Counts, sigma2: Fraction, seed: bytes, rows_declared: int
) -> Judged:
    """The score of a workload's curve number `index`, and its lines, from the released counts and public values alone.

    `noisy`: the records' counts with Gaussian noise of variance `sigma2` in each cell. The value is the mean over readable
    intervals of the absolute difference of the two curves, and the mean of that over groups by their synthetic rows; 1 if
    nothing is readable. Its `sigma` is such that the score's interval reaches as far as 19 of 20 further draws of the same
    noise move the released curve on average, which bounds how far they move the value (triangle inequality). How far is told
    before the curve is cut to 0 and 1, which brings it only nearer to one that lies there.
    Floor: the synthetic rows with time, event and group shuffled. Ceiling: as many rows as declared, drawn from the
    synthetic ones. `seed` (the specification's hash) fixes all that is drawn.
    """
    label = f"agora/scores/curve/{index}"
    made = grid.count(synthetic)
    readable = [int(end) if group.sum() else 0 for group, end in zip(made, _readable(noisy, sigma2), strict=True)]
    weights = np.array([float(group.sum()) if end else 0.0 for group, end in zip(made, readable, strict=True)])
    if not weights.sum():
        return Judged(Score(f"{CURVE}{index}", *("1.000000",) * 2, floor="0.000000", ceiling="0.000000"), ())
    real, own = survival(noisy), survival(made)
    moved = abs(_product(noisy + _redrawn(noisy.shape, sigma2, seed, label)) - _product(noisy))
    reach = float(_exceeded_once(_distance(moved, readable, weights), 20))
    floor = [survival(grid.count(shuffled)) for shuffled in _shuffled(grid, synthetic, seed, label)]
    ceiling = [survival(drawn) for drawn in _resampled(made, len(synthetic), rows_declared, seed, label)]
    score = Score(
        f"{CURVE}{index}",
        quote(Fraction(float(_distance(abs(own - real), readable, weights)))),
        quote_up(min(Fraction(1), Fraction(reach) / CONFIDENCE_FACTOR)),
        floor=quote(_mean([float(_distance(abs(each - own), readable, weights)) for each in floor])),
        ceiling=quote(_mean([float(_distance(abs(each - own), readable, weights)) for each in ceiling])),
    )
    pointwise = _exceeded_once(moved, POINTWISE)
    return Judged(
        score,
        tuple(
            Line(group, own[group, :end], real[group, :end], pointwise[group, :end])
            for group, end in enumerate(readable)
            if end
        ),
    )


def exact_distance(grid: Grid, left: pd.DataFrame, right: pd.DataFrame) -> float:
    """The same distance between two coded tables, without noise; weights are of the rows of `right`. 0 if it has none."""
    one, two = grid.count(left), grid.count(right)
    readable = [int(end) for end in _readable(two, Fraction(0))]
    weights = two.sum(axis=(1, 2)).astype(np.float64)
    return float(_distance(abs(survival(one) - survival(two)), readable, weights)) if weights.sum() else 0.0


def _product(counts: Counts | Survival) -> Survival:
    """The estimate as it comes: of noisy counts it may rise, and leave 0 and 1."""
    events = np.asarray(counts[..., 1, :], np.float64)
    hazard = np.minimum(events / np.maximum(_at_risk(counts), 1.0), 1.0)
    return np.asarray(np.cumprod(1.0 - hazard, axis=-1), np.float64)


def _at_risk(counts: Counts | Survival) -> Survival:
    both = np.asarray(counts[..., 0, :], np.float64) + counts[..., 1, :]
    return np.cumsum(both[..., ::-1], axis=-1)[..., ::-1]


def _readable(counts: Counts, sigma2: Fraction) -> Counts:
    """Of each group, how many intervals have more at risk than the noise of their sum hides."""
    intervals = counts.shape[-1]
    noise = np.sqrt(2.0 * float(sigma2) * np.arange(intervals, 0, -1))
    few = _at_risk(counts) < np.maximum(1.0, READABLE_DEVIATIONS * noise)
    ends: Counts = np.where(few.any(axis=-1), few.argmax(axis=-1), intervals)
    return ends


def _distance(differences: Survival, readable: list[int], weights: Survival) -> Survival:
    """The mean of `differences` (..., groups, intervals) over readable intervals, then over groups by weight."""
    parts = [
        np.cumsum(differences[..., group, :end], axis=-1)[..., -1] / end * (weights[group] / weights.sum())
        for group, end in enumerate(readable)
        if end and weights[group]
    ]
    total: Survival = np.cumsum(np.stack(parts), axis=0)[-1]
    return total


def _redrawn(shape: tuple[int, ...], sigma2: Fraction, seed: bytes, label: str) -> Survival:
    """Public noise of the released counts' variance, shape (redraws, *shape): centred sums of 256 coins, which every machine
    draws alike."""
    cells = REDRAWS * math.prod(shape)
    coins = words(seed, f"{label}/noise", cells * COINS // 64).reshape(cells, COINS // 64)
    heads = np.bitwise_count(coins).sum(axis=1, dtype=np.int64) - COINS // 2
    drawn: Survival = heads / math.sqrt(COINS / 4) * math.sqrt(float(sigma2))
    return drawn.reshape(REDRAWS, *shape)


def _shuffled(grid: Grid, table: pd.DataFrame, seed: bytes, label: str) -> list[pd.DataFrame]:
    columns = [name for name in (grid.time, grid.event, grid.by) if name is not None]
    return [
        pd.DataFrame(
            {
                name: table[name].to_numpy()[permutation(seed, f"{label}/shuffle/{index}/{name}", len(table))]
                for name in columns
            }
        )
        for index in range(SHUFFLES)
    ]


def _resampled(made: Counts, rows: int, draws: int, seed: bytes, label: str) -> list[Counts]:
    """Counts of `draws` rows drawn with replacement from the `rows` that were counted into `made`, a few times."""
    ends = np.cumsum(made.ravel())
    found = []
    for index in range(RESAMPLES):
        chosen = words(seed, f"{label}/resample/{index}", draws) % np.uint64(rows)
        places = np.searchsorted(ends, chosen.astype(np.int64), side="right")
        found.append(np.bincount(places, minlength=made.size + 1)[:-1].reshape(made.shape).astype(np.int64))
    return found


def _exceeded_once(moved: Survival, redraws: int) -> Survival:
    """What one of so many `redraws`, the first axis, exceeds."""
    found: Survival = np.sort(moved, axis=0)[REDRAWS - REDRAWS // redraws - 1]
    return found


def _mean(values: list[float]) -> Fraction:
    return Fraction(math.fsum(values)) / len(values)
