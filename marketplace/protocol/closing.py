"""What is opened in the closed lane: of an exact analysis whose smallest cell is above 1, and of a linkage count with noise.

Pure decisions, the same for buyer, nodes and auditor.

Sums stay shared between the parties; each statistic has an `Opening` that says what may be opened of its sum. An opening
that shows nothing shuts the order: everything after it stays closed. So one analysis stands in such an order, since what
one leaves closed must not follow from another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol.analysis import AnalysisSpecification, Asked
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_lane import SMALLEST_CELL
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.analysis_moments import Mean
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_statistic import LARGEST_PARTY_ROWS, Opened, Variances
from marketplace.protocol.analysis_survival import Survival, SurvivalCurves
from marketplace.protocol.schema import Schema

CLOSED = -(2**63)
"""What stands in the place of a number that is not opened; no sum is as low."""

LARGEST_CELLS, LARGEST_POINTS, SMALLEST_GRID = 1_024, 512, 16
LARGEST_SHARE = 2**40
"""What one party's noise in a linkage count does not exceed: with the least rho it deviates by less than 2^13."""


class How(IntEnum):
    """What of a sum may be opened: all of it; whether each number is 0 or more, as 1 or -1; the cells of a table that are
    large enough; the counts of survival in intervals that are wide enough; how many buckets some parties have in common, with
    the noise that every party hands in after its buckets."""

    WHOLE = 1
    SIGNS = 2
    CELLS = 3
    CURVES = 4
    LINKED = 5


@dataclass(frozen=True)
class Opening:
    """What may be opened of one sum. `shape`: rows and columns of a table; groups and points of curves, with those beyond;
    buckets and opened numbers of a linkage count.

    `least`: the smallest number that may be seen; of a linkage count, how many parties know a person that is counted.
    `most`: what one party's number does not exceed, in absolute value.
    """

    how: How
    shape: tuple[int, int]
    least: int
    most: int


@dataclass(frozen=True)
class ClosedTable:
    """Rows with each pair of values, None where a cell stays closed. No test follows from a table with closed cells."""

    counts: tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True)
class ClosedDistribution:
    """Rows in each bin of a column, and without a value, None where a cell stays closed. `texts`: as in `Distribution`."""

    texts: tuple[tuple[str, str], ...]
    counts: tuple[int | None, ...]
    missing: int | None


@dataclass(frozen=True)
class ClosedSpecification:
    """An order's question as its parties answer it in the closed lane; asked, counted and hashed as it stands.

    `smallest_cell`: 10 or more of an exact order, None of a linkage count, which has noise. Raises `Invalid` for several
    analyses, and for one that cannot be closed.
    """

    specification: AnalysisSpecification
    smallest_cell: int | None

    def __post_init__(self) -> None:
        if self.specification.links and self.smallest_cell is None:
            return
        if self.smallest_cell is None or not SMALLEST_CELL <= self.smallest_cell <= LARGEST_PARTY_ROWS:
            raise Invalid(
                f"expected a smallest cell of {SMALLEST_CELL} to {LARGEST_PARTY_ROWS}, got {self.smallest_cell}; ask again"
            )
        if len(self.specification.analyses) != 1:
            raise Invalid(
                "expected one analysis in an exact order, since closed cells may follow from several; ask singly"
            )
        if not isinstance(self.specification.analyses[0], Count | Histogram | Contingency | Mean | Quantile | Survival):
            raise Invalid("expected an analysis whose small cells can be closed, got another; ask for it with noise")

    def encode(self) -> bytes:
        """The specification's own bytes, whose SHA-256 the order names."""
        return self.specification.encode()

    def asked(self, schema: Schema, opened: Opened = ()) -> tuple[Asked, ...]:
        """As the specification's. Raises `Invalid` also where an opening does not fit `schema`."""
        self.openings(schema)
        return self.specification.asked(schema, opened)

    def openings(self, schema: Schema) -> dict[str, Opening]:
        """What may be opened of each statistic, by the names of `asked`. Numbers count rows, so that the fewest that may be
        seen are those of as many persons with all their rows at one provider.

        Raises `Invalid` for a table or time grid that is too large to be closed cell by cell, and for moments of a column
        with so few values that they would give its counts away.
        """
        analysis = self.specification.analyses[0]
        bounds = {one.name: one.of for asked in self.specification.schedule(schema) for one in asked}
        found = {}
        if isinstance(analysis, Linkage):
            least = 2 if analysis.known_to is KnownTo.TWO else analysis.parties
            return {
                name: Opening(How.LINKED, (one.hidden, one.cells), least, LARGEST_SHARE) for name, one in bounds.items()
            }
        assert self.smallest_cell is not None
        for name, statistic in bounds.items():
            how, shape, least = _way(
                analysis, schema, name.removeprefix("0/"), self.smallest_cell * schema.rows_per_person
            )
            most = statistic.bound * LARGEST_PARTY_ROWS
            found[name] = Opening(how, shape or (1, statistic.cells), least, most)
        return found

    def results(self, schema: Schema, opened: Opened, noise: Sequence[Variances] = ()) -> tuple[Any, ...]:
        """The answer, in a tuple of one: that of the sums lane where nothing stayed closed, else one with None for what did,
        and None where all did. Curves are those of the time grid that was left. Raises `Corrupt` as the specification does.
        """
        (answer,) = self.specification.results(schema, opened, noise)
        analysis, parts = self.specification.analyses[0], self.specification.part(0, opened)
        shown = next(iter(parts[0].values()))
        if all(one == CLOSED for one in shown):
            return (None,)
        if isinstance(analysis, Survival):
            return (_curves(analysis, schema, shown),)
        if CLOSED not in shown:
            return (answer,)
        counts = tuple(None if one == CLOSED else one for one in shown)
        if isinstance(analysis, Histogram):
            missing = counts[-1] if schema.column(analysis.column).missing else None
            return (ClosedDistribution(answer.texts, counts[: len(answer.texts)], missing),)
        width = len(answer.counts[0])
        return (ClosedTable(tuple(counts[start : start + width] for start in range(0, len(counts), width))),)


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


def _way(analysis: object, schema: Schema, name: str, cell: int) -> tuple[How, tuple[int, int] | None, int]:
    """How a statistic is opened, its shape where it is not a row of numbers, and the least that may be seen."""
    match analysis:
        case Survival():
            points = len(analysis.grid)
            if points > LARGEST_POINTS:
                raise Invalid(
                    f"expected a time grid of at most {LARGEST_POINTS} points to close, got {points}; widen it"
                )
            return How.CURVES, (len(analysis.groups(schema)), points + 1), cell
        case Quantile():
            return (How.SIGNS, None, 0) if name == "signs" else (How.CELLS, None, analysis.least_rows(cell))
        case Mean(column=column):
            if schema.column(column).size < SMALLEST_GRID:
                raise Invalid(
                    f"column {column!r}: expected {SMALLEST_GRID} points or more, since moments of fewer tell how many rows "
                    "each has; ask for its histogram"
                )
            return (How.CELLS if name == "present" else How.WHOLE), None, cell
        case Contingency(first=first, second=second):
            sides = schema.column(first).size, schema.column(second).size
            return How.CELLS, _small(sides), cell
        case Histogram(bins=bins):
            return How.CELLS, _small((1, bins + schema.column(analysis.column).missing)), cell
    return How.CELLS, None, cell


def _small(sides: tuple[int, int]) -> tuple[int, int]:
    if sides[0] * sides[1] > LARGEST_CELLS:
        raise Invalid(
            f"expected a table of at most {LARGEST_CELLS} cells to close, got {sides[0] * sides[1]}; ask for a coarser one"
        )
    return sides


def _curves(analysis: Survival, schema: Schema, shown: Sequence[int]) -> SurvivalCurves:
    """The curves on the points that are left of the grid."""
    width = len(analysis.grid) + 1
    left = [place for place in range(width) if shown[2 * place] != CLOSED]
    grid = tuple(analysis.grid[place] for place in left[:-1])
    places = [
        2 * (start + place) + side for start in range(0, len(shown) // 2, width) for place in left for side in (0, 1)
    ]
    coarser: Mapping[str, Sequence[int]] = {"leaving": [shown[place] for place in places]}
    return replace(analysis, grid=grid).result(schema, coarser)
