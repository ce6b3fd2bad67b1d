"""Which cells of an exact table are opened, and the test that follows from a table with closed cells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from marketplace.protocol.analysis_counts import pearson

CLOSED = -(2**63)
"""What stands in the place of a number that is not opened; no sum is as low."""

Groups = tuple[tuple[int, ...], ...]
"""Places that are taken together, each in one group, by the first of each."""


@dataclass(frozen=True)
class Coarser:
    """Rows and columns of a table that are taken together, so that no closed cell is left in it."""

    rows: Groups
    columns: Groups

    @property
    def freedom(self) -> int:
        """The most degrees of freedom that its test can have."""
        return (len(self.rows) - 1) * (len(self.columns) - 1)


@dataclass(frozen=True)
class ClosedTable:
    """Rows with each pair of values, None where a cell stays closed.

    `rows`, `columns`: which values were taken together, by their places, for the coarser table that `merged` is and that
    Pearson's test is of: `statistic`, `freedom` and `p` as in `Table`. None, and no test, where too little of it is left.
    """

    counts: tuple[tuple[int | None, ...], ...]
    rows: Groups = ()
    columns: Groups = ()
    merged: tuple[tuple[int, ...], ...] | None = None
    statistic: float = 0.0
    freedom: int = 0
    p: float | None = None


def shown_cells(reaching: Sequence[Sequence[bool]]) -> tuple[tuple[bool, ...], ...]:
    """Which cells of a table may be opened, told from which of them reach the smallest cell k: `reaching`, rows of columns.

    Every cell below k is closed. In one row or column another that reaches k is closed with it. In a table it is closed with
    the three that form a rectangle with it, two of which reach k: the one of its row and the one of its column. Where there
    are none such, all is closed. So for each closed cell below k there is another table of counts with the same opened
    cells and the same totals of all rows and columns in which that cell has k more: none follows from what is opened, nor
    from totals that are known from elsewhere.
    """
    rows, columns = range(len(reaching)), range(len(reaching[0]))
    closed = {(row, column) for row in rows for column in columns if not reaching[row][column]}
    for row, column in sorted(closed):
        found = [
            beside
            for beside in _companions(row, column, rows, columns)
            if all(reaching[r][c] for r, c in beside[:2])
        ]  # fmt: skip
        if not found:
            closed = {(r, c) for r in rows for c in columns}
            break
        closed |= set(min(found, key=lambda beside: (len(set(beside) - closed), beside)))
    return tuple(tuple((row, column) not in closed for column in columns) for row in rows)


def _companions(row: int, column: int, rows: range, columns: range) -> list[tuple[tuple[int, int], ...]]:
    """What may be closed with a cell: in a line one other, in a table the rest of a rectangle, its neighbours first."""
    if len(rows) == 1 or len(columns) == 1:
        return [((r, c),) for r in rows for c in columns if (r, c) != (row, column)]
    return [((row, c), (r, column), (r, c)) for r in rows if r != row for c in columns if c != column]


def coarser(shown: Sequence[Sequence[bool]]) -> Coarser | None:
    """Which columns, or else which rows, are taken together where some cells of a table stay closed, told from `shown` alone.

    Columns with a closed cell in one row go together, or rows with one in one column; of the two the way that leaves more
    degrees of freedom, columns where both leave as many. None where nothing is closed, or no test would be left.

    A cell below k is closed with the rectangle that `shown_cells` found for it, whose other cell in the row reaches k: so in
    the coarser table every cell that has closed ones in it reaches k. And the table with k more in that cell, which has the
    same totals, differs from this one within the rectangle alone, whose columns are one, and whose rows are: the coarser
    table is the same for both. So no closed cell follows from it either.
    """
    rows, columns = len(shown), len(shown[0])
    if all(all(row) for row in shown):
        return None
    across = [[column for column in range(columns) if not row[column]] for row in shown]
    down = [[row for row in range(rows) if not shown[row][column]] for column in range(columns)]
    ways = (
        Coarser(_together(rows, ()), _together(columns, across)),
        Coarser(_together(rows, down), _together(columns, ())),
    )
    best = max(ways, key=lambda way: way.freedom)
    return best if best.freedom else None


def taken_together(counts: Sequence[Sequence[int]], way: Coarser) -> tuple[tuple[int, ...], ...]:
    """The coarser table of `counts`."""
    return tuple(
        tuple(sum(counts[r][c] for r in rows for c in columns) for columns in way.columns) for rows in way.rows
    )


def closed_table(counts: Sequence[Sequence[int | None]], way: Coarser | None, merged: Sequence[int]) -> ClosedTable:
    """The table with its test. `merged`: the coarser table, flat, as it was opened beside the cells."""
    shown = tuple(map(tuple, counts))
    if way is None:
        return ClosedTable(shown)
    width = len(way.columns)
    table = tuple(tuple(merged[start : start + width]) for start in range(0, len(way.rows) * width, width))
    return ClosedTable(shown, way.rows, way.columns, table, *pearson(table))


def _together(count: int, sets: Iterable[Sequence[int]]) -> Groups:
    """The numbers below `count`, those of one set and of sets that meet in one group."""
    group = list(range(count))
    for one in sets:
        first = min((group[place] for place in one), default=0)
        named = {group[place] for place in one}
        group = [first if of in named else of for of in group]
    return tuple(tuple(place for place in range(count) if group[place] == of) for of in sorted(set(group)))
