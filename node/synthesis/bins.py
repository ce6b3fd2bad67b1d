"""The few groups of values in which a column enters marginals, chosen from released cells alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.schema import Category, Column
from node.synthesis.cells import Cells, Floats

BINS = 16
RARE_STDDEVS = 3.0


@dataclass(frozen=True)
class Bins:
    """A column's groups. Missing, where declared, is the last one.

    `of_cell`: the bin of each cell. `masses`: estimated rows in each bin, missing last where declared.
    """

    of_cell: NDArray[np.int64]
    masses: Floats

    @property
    def size(self) -> int:
        """How many bins there are, missing included."""
        return len(self.masses)


def most_bins(column: Column) -> int:
    """The most bins that the column can get, missing included: public."""
    most = column.size if isinstance(column, Category) else min(column.size, BINS)
    return most + column.missing


def bins_of(column: Column, cells: Cells) -> Bins:
    """The bins of a column: categories that hold little more than noise are one; numbers are cut at quantiles."""
    of_cell = _merged(cells) if isinstance(column, Category) else _cut_at_quantiles(cells)
    masses = np.bincount(of_cell, weights=cells.masses).astype(np.float64)
    if cells.missing is not None:
        masses = np.append(masses, cells.missing)
    return Bins(of_cell, masses)


def _merged(cells: Cells) -> NDArray[np.int64]:
    common = cells.masses > RARE_STDDEVS * cells.stddev
    if np.count_nonzero(~common) <= 1:
        return np.arange(len(common))
    rank = np.cumsum(common) - 1
    return np.where(common, rank, np.count_nonzero(common))


def _cut_at_quantiles(cells: Cells) -> NDArray[np.int64]:
    """A bin begins with the first cell by whose end more than 1/n, 2/n, ... of the mass has passed, n at most `BINS`.

    There are so few that a bin can hold `RARE_STDDEVS` of noise. A column of few cells is not cut but gathered.
    """
    if len(cells.masses) <= BINS:
        return _gathered(cells)
    passed = np.cumsum(cells.masses)
    count = max(1, min(BINS, int(passed[-1] / max(1.0, RARE_STDDEVS * cells.stddev))))
    quantiles = passed[-1] * np.arange(1, count) / count
    begins = np.zeros(len(passed), np.int64)
    begins[np.minimum(np.searchsorted(passed, quantiles, side="right"), len(passed) - 1)] = 1
    begins[0] = 0
    return np.cumsum(begins)


def _gathered(cells: Cells) -> NDArray[np.int64]:
    """Neighbouring cells together until they hold more than `RARE_STDDEVS` of noise."""
    of_cell = np.zeros(len(cells.masses), np.int64)
    current, held = 0, 0.0
    for i, mass in enumerate(cells.masses):
        if held > 0 and held + mass / 2 > RARE_STDDEVS * cells.stddev:
            current, held = current + 1, 0.0
        of_cell[i] = current
        held += mass
    return of_cell
