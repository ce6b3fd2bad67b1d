"""All columns as far as they were released: cells, bins and the number of rows, the same while measuring and after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from marketplace.protocol.schema import Schema
from node.synthesis.bins import Bins, bins_of
from node.synthesis.cells import Cells, Codes, Floats, cut, cuts, first_cells, first_cuts, widths, worth_cutting
from node.synthesis.measurements import Histogram
from node.synthesis.structure import Marginal


@dataclass(frozen=True)
class NoisyMarginal:
    """Noisy rows per combination of bins of `columns`, flat; `stddev`: the noise of one count, in rows."""

    columns: Marginal
    counts: Floats
    stddev: float


CellCounter = Callable[[int, int, Codes, Codes], Histogram]
"""Answers the noisy counts of cells: column's place, level, starts, ends; level 0 with missing last where declared."""


@dataclass(frozen=True)
class Columns:
    """`cells` and `bins` of each column; `total`: estimated rows, at least 1."""

    cells: tuple[Cells, ...]
    bins: tuple[Bins, ...]
    total: float

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many bins each column has."""
        return tuple(bins.size for bins in self.bins)


@dataclass(frozen=True)
class Question:
    """Cells of one column that are counted at one level: `starts` and `ends`, and last those without a value if asked."""

    place: int
    level: int
    starts: Codes
    ends: Codes
    with_missing: bool

    @property
    def counts(self) -> int:
        """How many counts answer it."""
        return len(self.starts) + self.with_missing


@dataclass(frozen=True)
class Released:
    """Columns as far as `levels` levels of their cells were released. `cells`, `total`: of no meaning before the first."""

    schema: Schema
    levels: int = 0
    cells: tuple[Cells, ...] = ()
    total: float = 1.0

    @property
    def questions(self) -> tuple[Question, ...]:
        """What the next level looks into, told from what was released alone, in order; nothing when all is known."""
        columns = self.schema.columns
        if not self.levels:
            return tuple(Question(i, 0, *first_cuts(column), column.missing) for i, column in enumerate(columns))
        deeper = [
            (i, widths(column)[self.levels]) for i, column in enumerate(columns) if len(widths(column)) > self.levels
        ]
        return tuple(
            Question(i, self.levels, *cuts(self.cells[i], worth_cutting(self.cells[i]), width), False)
            for i, width in deeper
        )

    def answered(self, histograms: Sequence[Histogram]) -> "Released":
        """The columns with the answers to `questions`."""
        pairs = list(zip(self.questions, histograms, strict=True))
        if not self.levels:
            total = total_of(histograms)
            first = (first_cells(self.schema.columns[q.place], _counts(h), h.stddev, total) for q, h in pairs)
            return replace(self, levels=1, cells=tuple(first), total=total)
        cells = list(self.cells)
        for asked, found in pairs:
            width, before = widths(self.schema.columns[asked.place])[self.levels], cells[asked.place]
            cells[asked.place] = cut(before, worth_cutting(before), width, _counts(found), found.stddev)
        return replace(self, levels=self.levels + 1, cells=tuple(cells))

    @property
    def columns(self) -> Columns:
        """The columns in bins. All questions are answered."""
        bins = tuple(bins_of(column, found) for column, found in zip(self.schema.columns, self.cells, strict=True))
        return Columns(self.cells, bins, self.total)


def levels_of(schema: Schema) -> int:
    """How many levels of cells there are at most, from the declaration alone."""
    return max(len(widths(column)) for column in schema.columns)


def columns_of(schema: Schema, ask: CellCounter) -> Columns:
    """The columns, from what `ask` answers alone; it is asked every level of every column once, in a fixed order."""
    released = Released(schema)
    while asked := released.questions:
        released = released.answered([ask(one.place, one.level, one.starts, one.ends) for one in asked])
    return released.columns


def total_of(histograms: Sequence[Histogram]) -> float:
    """The number of rows by noisy histograms that each count every row once: their sums, weighted by their noise.

    At least 1. Never the exact number, which no part of the generator knows.
    """
    sums = [float(sum(histogram.counts)) for histogram in histograms]
    weights = [1 / (float(histogram.variance) * len(histogram.counts)) for histogram in histograms]
    return max(1.0, float(np.average(sums, weights=weights)))


def _counts(histogram: Histogram) -> Floats:
    return np.array(histogram.counts, np.float64)
