"""Released noisy counts of one column beside the synthetic shares of the same cells: what the picture draws."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.protocol.schema import Category, Column, Number
from marketplace.scores.codes import MISSING

NORMAL_95 = 1.96
LARGEST_BARS = 9
NARROWEST = 24
CLIPPED = 0.01

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class NoisyCounts:
    """Released counts of the cells of one column, each with noise of standard deviation `sigma` in rows.

    `cells`: which codes each of `counts` covers, every code in one cell; a number's are ascending ranges. `missing`: the
    count of missing values, None where nothing may be missing. Counts may be negative: noise does that.
    """

    column: str
    cells: tuple[Sequence[int], ...]
    counts: tuple[int, ...]
    missing: int | None
    sigma: float

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.counts) or not all(self.cells):
            raise ValueError(f"column {self.column!r}: expected one count for each cell, and no cell without a code")

    @property
    def total(self) -> int:
        """The rows counted, at least 1: noisy, as its parts are."""
        return max(1, sum(self.counts) + (self.missing or 0))


@dataclass(frozen=True)
class Bar:
    """One cell in the picture. Shares are of all rows, 0 to 1; `reach` is half of the released share's 95 % interval.

    `codes`: the range of a histogram's cell, from its first code to the one behind its last; None for labelled bars.
    """

    label: str
    share: float
    released: float | None
    reach: float
    codes: tuple[int, int] | None = None


def bars(codes: Codes, column: Column, noisy: NoisyCounts | None) -> tuple[Bar, ...]:
    """The cells of one column as bars, missing last where the schema lets values be missing.

    `codes`: the synthetic column, one row or more. Categories: the eight most frequent, and the others as one. Numbers
    with at most nine cells: each of them, in order. Other numbers: neighbouring cells are joined until each is at least
    a 24th as wide as the middle 98 % of the synthetic values, and the bars carry `codes` in place of a label.
    """
    found = _number_bars(codes, column, noisy) if isinstance(column, Number) else _category_bars(codes, column, noisy)
    if not column.missing:
        return found
    count = None if noisy is None else noisy.missing
    return (*found, _bar("missing", float((codes == MISSING).mean()), None if count is None else [count], noisy))


def middle(codes: Codes) -> tuple[int, int]:
    """The codes between which the middle 98 % of the synthetic values lie; (0, 0) where all are missing."""
    present = np.sort(codes[codes != MISSING])
    if not present.size:
        return 0, 0
    last = present.size - 1
    return int(present[math.floor(last * CLIPPED)]), int(present[math.ceil(last * (1 - CLIPPED))])


def _number_bars(codes: Codes, column: Number, noisy: NoisyCounts | None) -> tuple[Bar, ...]:
    low, high = middle(codes)
    narrowest = max(1, -(-(high - low + 1) // NARROWEST))
    values = np.unique(codes[codes != MISSING])
    if noisy is not None and len(noisy.cells) <= LARGEST_BARS:
        ranges = [(cell[0], cell[-1] + 1, [count]) for cell, count in zip(noisy.cells, noisy.counts, strict=True)]
    elif noisy is not None:
        ranges = _joined(noisy, narrowest)
    elif len(values) <= LARGEST_BARS:
        ranges = [(value, value + 1, []) for value in values.tolist()]
    else:
        ranges = [(first, first + narrowest, []) for first in range(low, high + 1, narrowest)]
    few = len(ranges) <= LARGEST_BARS and (noisy is None or len(noisy.cells) <= LARGEST_BARS)
    return tuple(
        _bar(
            _range_label(column, first, after) if few else "",
            float(((codes >= first) & (codes < after)).mean()),
            counts or None,
            noisy,
            None if few else (first, after),
        )
        for first, after, counts in ranges
    )


def _range_label(column: Number, first: int, after: int) -> str:
    return column.text(first) if after == first + 1 else f"{column.text(first)} to {column.text(after - 1)}"


def _joined(noisy: NoisyCounts, narrowest: int) -> list[tuple[int, int, list[int]]]:
    joined: list[tuple[int, int, list[int]]] = []
    for cell, count in zip(noisy.cells, noisy.counts, strict=True):
        first, after = cell[0], cell[-1] + 1
        is_narrow_end = cell is noisy.cells[-1] and after - first < narrowest
        if joined and (joined[-1][1] - joined[-1][0] < narrowest or is_narrow_end):
            before = joined.pop()
            joined.append((before[0], after, [*before[2], count]))
        else:
            joined.append((first, after, [count]))
    return joined


def _category_bars(codes: Codes, column: Category, noisy: NoisyCounts | None) -> tuple[Bar, ...]:
    cells = noisy.cells if noisy else tuple((code,) for code in range(column.size))
    times = np.bincount(codes[codes != MISSING], minlength=column.size)
    shares = [float(times[list(cell)].sum()) / len(codes) for cell in cells]
    order = sorted(range(len(cells)), key=lambda index: (-shares[index], index))
    kept = order if len(order) <= LARGEST_BARS else order[: LARGEST_BARS - 1]
    found = [
        _bar(_label(column, cells[index]), shares[index], [noisy.counts[index]] if noisy else None, noisy)
        for index in kept
    ]
    if rest := order[len(kept) :]:
        counts = [noisy.counts[index] for index in rest] if noisy else None
        others = f"{sum(len(cells[index]) for index in rest)} others"
        found.append(_bar(others, sum(shares[index] for index in rest), counts, noisy))
    return tuple(found)


def _label(column: Category, cell: Sequence[int]) -> str:
    return column.text(cell[0]) if len(cell) == 1 else f"{column.text(cell[0])} and {len(cell) - 1} more"


def _bar(
    label: str, share: float, counts: list[int] | None, noisy: NoisyCounts | None, codes: tuple[int, int] | None = None
) -> Bar:
    if counts is None or noisy is None:
        return Bar(label, share, None, 0.0, codes)
    reach = NORMAL_95 * noisy.sigma * math.sqrt(len(counts)) / noisy.total
    return Bar(label, share, sum(counts) / noisy.total, reach, codes)
