"""Joint analyses that are counts of rows: how many, how they fall over a column, and over two columns together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol.analysis_statistic import NO_NOISE, SURE, OneRound, Statistic, Sums, Variances
from marketplace.protocol.analysis_tails import chi_square_tail, quadratic_form
from marketplace.protocol.schema import Schema

LARGEST_BINS = 10_000
LARGEST_TABLE_SIDE = 1_000
MOST_TESTED = 100
"""Degrees of freedom up to which a table with noise is tested."""


@dataclass(frozen=True)
class Rows:
    """How many there are. `error`: the standard error that noise leaves, 0 without."""

    rows: int
    error: float = 0.0


@dataclass(frozen=True)
class Count(OneRound):
    """How many rows there are."""

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "count"}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return ()

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts. A row adds 1 to one cell."""
        return (Statistic("rows", (1,), 1, 1),)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> Rows:
        """The number of rows, 0 where noise made it negative."""
        return Rows(max(0, sums["rows"][0]), math.sqrt(noise.get("rows", 0.0)))


@dataclass(frozen=True)
class Distribution:
    """Rows in each bin of a column. `texts`: what the first and the last code of each bin stand for.

    `missing`: rows without a value, None where the column always has one. `error`: the standard error that noise leaves
    in each count, 0 without.
    """

    texts: tuple[tuple[str, str], ...]
    counts: tuple[int, ...]
    missing: int | None
    error: float = 0.0


@dataclass(frozen=True)
class Histogram(OneRound):
    """How the rows fall over a column, cut into `bins` of as equal numbers of codes as can be, at most one for a code."""

    column: str
    bins: int

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "histogram", "column": self.column, "bins": self.bins}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (self.column,)

    def starts(self, schema: Schema) -> tuple[int, ...]:
        """The first code of each bin, and at the end the number of codes. Raises `Invalid` for more bins than codes."""
        size = schema.column(self.column).size
        if not 1 <= self.bins <= min(size, LARGEST_BINS):
            raise Invalid(
                f"column {self.column!r}: expected 1 to {min(size, LARGEST_BINS)} bins, got {self.bins}; ask for fewer"
            )
        return tuple(math.ceil(place * size / self.bins) for place in range(self.bins + 1))

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts: rows in each bin, and last those without a value, if there may be some.

        A row adds 1 to one cell.
        """
        cells = len(self.starts(schema)) - 1 + schema.column(self.column).missing
        return (Statistic("bins", (cells,), 1, 1),)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> Distribution:
        """The counts, 0 where noise made one negative."""
        column, starts = schema.column(self.column), self.starts(schema)
        counts = [max(0, count) for count in sums["bins"]]
        missing = counts.pop() if column.missing else None
        texts = [(column.text(a), column.text(b - 1)) for a, b in pairwise(starts)]
        return Distribution(tuple(texts), tuple(counts), missing, math.sqrt(noise.get("bins", 0.0)))


@dataclass(frozen=True)
class Table:
    """Rows with each pair of values, and Pearson's test that the two columns have nothing to do with each other.

    `counts`: one tuple for each value of the first column. Without continuity correction; rows and columns without any
    count are left out of the test. `p` is None where fewer than two of either are left. `error`: the standard error that
    noise leaves in each count, 0 without; the test then counts it in, and where the table is large there is none.
    """

    counts: tuple[tuple[int, ...], ...]
    statistic: float
    freedom: int
    p: float | None
    error: float = 0.0


@dataclass(frozen=True)
class Contingency(OneRound):
    """How the rows fall over two columns together. Rows in which one of them is missing are left out."""

    first: str
    second: str

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "contingency", "first": self.first, "second": self.second}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (self.first, self.second)

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts: rows with each pair of codes. A row adds 1 to one cell at most."""
        sides = tuple(schema.column(name).size for name in self.columns)
        if self.first == self.second or max(sides) > LARGEST_TABLE_SIDE:
            raise Invalid(
                f"expected two different columns of at most {LARGEST_TABLE_SIDE} values in a contingency table; name others"
            )
        return (Statistic("cells", sides, 1, 1),)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> Table:
        """The table and its test. Source: Pearson 1900. Negative counts, which noise makes, are taken as 0."""
        width = schema.column(self.second).size
        if noise:
            return _with_noise(sums["cells"], width, noise["cells"])
        flat = [max(0, count) for count in sums["cells"]]
        rows = [flat[start : start + width] for start in range(0, len(flat), width)]
        return Table(tuple(tuple(row) for row in rows), *pearson(rows))


def pearson(rows: Sequence[Sequence[int]]) -> tuple[float, int, float | None]:
    """Statistic, degrees of freedom and p of Pearson's test, as `Table` has them. `rows`: counts, none below 0."""
    used = [row for row in rows if any(row)]
    columns = [column for column in zip(*used, strict=True) if any(column)]
    if min(len(used), len(columns)) < 2:
        return 0.0, 0, None
    freedom = (len(used) - 1) * (len(columns) - 1)
    total = sum(map(sum, columns))
    sums_of_rows = [sum(row) for row in used]
    statistic = math.fsum(
        (count * total - mass * row_mass) ** 2 / (mass * row_mass * total)
        for column in columns
        for mass in (sum(column),)
        for count, row_mass in zip(column, sums_of_rows, strict=True)
    )
    return statistic, freedom, chi_square_tail(statistic, freedom)


def _with_noise(cells: Sequence[int], width: int, variance: float) -> Table:
    """The table from counts with noise of `variance` in each, and Pearson's test with that noise in its covariance.

    The excess of a count over what its row and its column make likely is (I - r 1') N (I - 1 c'), N the counts, r and c
    the shares of rows and columns. Sampling gives it the covariance n (R - r r') x (C - c c'), R and C diagonal, and noise
    the variance times (I - r 1')(I - r 1')' x (I - c 1')(I - c 1')'. The last row and column follow from the others.
    Rows and columns whose sums noise alone could make are left out. Source: Gaboardi and others 2016, section 5.
    """
    rows = [cells[start : start + width] for start in range(0, len(cells), width)]
    shown, error = tuple(tuple(max(0, count) for count in row) for row in rows), math.sqrt(variance)
    used = [row for row in rows if sum(row) > SURE * math.sqrt(variance * width)]
    columns = [column for column in zip(*used, strict=True) if sum(column) > SURE * math.sqrt(variance * len(used))]
    used = [list(row) for row in zip(*columns, strict=True)]
    freedom = (len(used) - 1) * (len(columns) - 1)
    total: int = sum(map(sum, used))
    if min(len(used), len(columns)) < 2 or freedom > MOST_TESTED or min(map(sum, used)) <= 0:
        return Table(shown, 0.0, 0, None, error)
    r, c = [sum(row) / total for row in used], [sum(column) / total for column in columns]
    places = [(i, j) for i in range(len(r) - 1) for j in range(len(c) - 1)]
    excess = [used[i][j] - total * r[i] * c[j] for i, j in places]

    def covariance(i: int, j: int, k: int, m: int) -> float:
        sampled: float = total * r[i] * ((i == k) - r[k]) * c[j] * ((j == m) - c[m])
        return sampled + variance * _centred(r, i, k) * _centred(c, j, m)

    try:
        statistic = quadratic_form(excess, [[covariance(i, j, k, m) for k, m in places] for i, j in places])
    except Invalid:
        return Table(shown, 0.0, 0, None, error)
    return Table(shown, statistic, freedom, chi_square_tail(max(0.0, statistic), freedom), error)


def _centred(shares: Sequence[float], i: int, k: int) -> float:
    """An element of (I - s 1')(I - s 1')', for `shares` s of 1."""
    return float(i == k) - shares[i] - shares[k] + len(shares) * shares[i] * shares[k]
