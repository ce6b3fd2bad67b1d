"""One column as far as it was released: consecutive cells of codes, cut finer level by level where the mass is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.schema import Category, Column

FAN = 32
WORTH_STDDEVS = 2.0
WORTH_SHARE = 1 / 256

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """Cells of a column and what they hold.

    Cell i holds the codes `starts[i]` <= code < `ends[i]`; together they are all codes, in order. `masses`: estimated
    rows in each cell, >= 0. `missing`: estimated rows without a value, >= 0; None where none is declared.
    `stddev`: the noise of one count at the finest level, in rows. `fresh`: which cells the finest level made.
    """

    starts: Codes
    ends: Codes
    masses: Floats
    missing: float | None
    stddev: float
    fresh: NDArray[np.bool_]


def widths(column: Column) -> tuple[int, ...]:
    """How many codes a cell has at each level, from the declaration alone; the last is 1.

    A category and a number of at most `FAN` points have one level. Every other number is cut into at most `FAN` cells,
    each of which may be cut again, until a cell is one point.
    """
    if isinstance(column, Category) or column.size <= FAN:
        return (1,)
    levels = 1
    while FAN**levels < column.size:
        levels += 1
    fan = next(fan for fan in range(2, FAN + 1) if fan**levels >= column.size)
    return tuple(fan ** (levels - 1 - level) for level in range(levels))


def cell_count(column: Column) -> int:
    """How many counts the first level has, missing included: public, and typical of the later levels."""
    return -(-column.size // widths(column)[0]) + column.missing


def first_cuts(column: Column) -> tuple[Codes, Codes]:
    """Starts and ends of the cells of the first level."""
    return _pieces(0, column.size, widths(column)[0])


def first_cells(column: Column, counts: Floats, stddev: float, total: float) -> Cells:
    """The cells of the first level. `counts`: noisy, missing last where declared. `total`: estimated rows, > 0."""
    starts, ends = first_cuts(column)
    masses = nearest(counts, total)
    missing = float(masses[-1]) if column.missing else None
    return Cells(starts, ends, masses[: len(starts)], missing, stddev, np.ones(len(starts), np.bool_))


def worth_cutting(cells: Cells) -> NDArray[np.intp]:
    """The cells that the next level looks into, told from what was released alone.

    Those of the finest level that hold more than noise and a small share of all rows; where there are none, the
    heaviest, so that every level is drawn. Never empty.
    """
    least = max(WORTH_STDDEVS * cells.stddev, WORTH_SHARE * float(cells.masses.sum()))
    heavy = np.flatnonzero(cells.fresh & (cells.masses > least))
    if heavy.size:
        return heavy
    return np.array([np.argmax(np.where(cells.fresh, cells.masses, -1.0))], np.intp)


def cuts(cells: Cells, chosen: NDArray[np.intp], width: int) -> tuple[Codes, Codes]:
    """Starts and ends of the pieces of at most `width` codes into which the `chosen` cells fall, in order."""
    pieces = [_pieces(int(cells.starts[i]), int(cells.ends[i]), width) for i in chosen]
    return np.concatenate([starts for starts, _ in pieces]), np.concatenate([ends for _, ends in pieces])


def cut(cells: Cells, chosen: NDArray[np.intp], width: int, counts: Floats, stddev: float) -> Cells:
    """The cells with the `chosen` ones replaced by their pieces, which share what each of them held.

    `counts`: the noisy counts of `cuts(cells, chosen, width)`.
    """
    starts, ends = cuts(cells, chosen, width)
    parent = np.searchsorted(cells.starts, starts, side="right") - 1
    masses = np.concatenate([nearest(counts[parent == i], float(cells.masses[i])) for i in chosen])
    kept = np.ones(len(cells.starts), np.bool_)
    kept[chosen] = False
    all_starts = np.concatenate([cells.starts[kept], starts])
    order = np.argsort(all_starts)
    return Cells(
        starts=all_starts[order],
        ends=np.concatenate([cells.ends[kept], ends])[order],
        masses=np.concatenate([cells.masses[kept], masses])[order],
        missing=cells.missing,
        stddev=stddev,
        fresh=np.concatenate([np.zeros(int(kept.sum()), np.bool_), np.ones(len(starts), np.bool_)])[order],
    )


def nearest(counts: Floats, total: float) -> Floats:
    """The non-negative vector with sum `total` (>= 0) that is nearest to `counts` in L2.

    Source: Duchi, Shalev-Shwartz, Singer and Chandra 2008, Figure 1.
    """
    if total <= 0:
        return np.zeros(len(counts))
    falling = np.sort(counts)[::-1]
    excess = (np.cumsum(falling) - total) / np.arange(1, len(counts) + 1)
    above = np.flatnonzero(falling > excess)
    threshold = excess[above[-1] if above.size else 0]
    return np.asarray(np.maximum(counts - threshold, 0.0))


def _pieces(start: int, end: int, width: int) -> tuple[Codes, Codes]:
    starts = np.arange(start, end, width, dtype=np.int64)
    return starts, np.minimum(starts + width, end)
