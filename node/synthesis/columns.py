"""All columns as far as they were released: cells, bins and the number of rows, the same while measuring and after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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


def columns_of(schema: Schema, ask: CellCounter) -> Columns:
    """The columns, from what `ask` answers alone; it is asked every level of every column once, in a fixed order."""
    first = [ask(place, 0, *first_cuts(column)) for place, column in enumerate(schema.columns)]
    total = total_of(first)
    cells = []
    for place, (column, histogram) in enumerate(zip(schema.columns, first, strict=True)):
        found = first_cells(column, _counts(histogram), histogram.stddev, total)
        for level, width in enumerate(widths(column)[1:], start=1):
            chosen = worth_cutting(found)
            finer = ask(place, level, *cuts(found, chosen, width))
            found = cut(found, chosen, width, _counts(finer), finer.stddev)
        cells.append(found)
    bins = tuple(bins_of(column, found) for column, found in zip(schema.columns, cells, strict=True))
    return Columns(tuple(cells), bins, total)


def total_of(histograms: Sequence[Histogram]) -> float:
    """The number of rows by noisy histograms that each count every row once: their sums, weighted by their noise.

    At least 1. Never the exact number, which no part of the generator knows.
    """
    sums = [float(sum(histogram.counts)) for histogram in histograms]
    weights = [1 / (float(histogram.sigma2) * len(histogram.counts)) for histogram in histograms]
    return max(1.0, float(np.average(sums, weights=weights)))


def _counts(histogram: Histogram) -> Floats:
    return np.array(histogram.counts, np.float64)
