"""Two groups beside each other: do their means, their ranks, or their shares differ? With noise, the noise counted in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol import canonical
from marketplace.protocol.analysis_counts import Histogram
from marketplace.protocol.analysis_design import normal_tail
from marketplace.protocol.analysis_statistic import NO_NOISE, SURE, OneRound, Statistic, Sums, Variances
from marketplace.protocol.analysis_survival import code_of
from marketplace.protocol.analysis_tails import student_tail
from marketplace.protocol.schema import Number, Schema


@dataclass(frozen=True)
class Difference:
    """Two groups beside each other, the first one first. `values`: of each its mean, its share, or how often its rows rank
    higher than the other's, ties half. `difference`: of the values, with its standard error, of sampling and noise.

    `statistic`, `freedom`, `p`: of the test that they do not differ; None of a normal one. None where a group has too few
    rows for it to mean anything, or nothing varies.
    """

    rows: tuple[int, int]
    values: tuple[float, float] | None
    difference: float | None = None
    error: float | None = None
    statistic: float | None = None
    freedom: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class _Pair(OneRound):
    """`column` in the rows in which `by` is `first`, beside those in which it is `second`. Others are left out."""

    column: str
    by: str
    first: str
    second: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (self.column, self.by)

    def groups(self, schema: Schema) -> tuple[int, int]:
        """The codes of the two groups. Raises `Invalid` where they are not two values of another column."""
        column = schema.column(self.by)
        codes = code_of(column, self.first), code_of(column, self.second)
        if self.column == self.by or codes[0] == codes[1]:
            raise Invalid("expected two different values of another column as the groups; name others")
        return codes

    def parts(self) -> dict[str, Any]:
        """What the documents of all comparisons have."""
        return {"column": self.column, "by": self.by, "first": self.first, "second": self.second}


@dataclass(frozen=True)
class Welch(_Pair):
    """Whether the mean of a number differs between two groups, whose variances may differ."""

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "welch test", **self.parts()}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Welch":
        return cls(*_texts(document, "column", "by", "first", "second"))

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts of each group: rows, and the sums of centred codes and of their squares, as `Variance`.

        A row is in one group at most, so it adds to one cell of each.
        """
        self.groups(schema)
        most = max(1, _number(schema, self.column).size - 1)
        return (
            Statistic("present", (2,), 1, 1),
            Statistic("sum", (2,), most, most**2),
            Statistic("squares", (2,), most**2, most**4),
        )

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> Difference:
        """Welch's test. Its degrees of freedom are Satterthwaite's, as if the noise had none to lose. Source: Welch 1947."""
        column = _number(schema, self.column)
        half, middle = float(column.step) / 2, float(column.lower + column.upper) / 2
        rows, few = _rows(sums["present"], noise.get("present", 0.0))
        if few or min(rows) < 2:
            return Difference(rows, None)
        centred = [total / count for total, count in zip(sums["sum"], rows, strict=True)]
        left = [square - n * c**2 for square, n, c in zip(sums["squares"], rows, centred, strict=True)]
        sampled = [max(0.0, half**2 * one / (n - 1)) / n for one, n in zip(left, rows, strict=True)]
        added = [
            half**2 * (noise.get("sum", 0.0) + c**2 * noise.get("present", 0.0)) / n**2
            for n, c in zip(rows, centred, strict=True)
        ]
        values = (middle + half * centred[0], middle + half * centred[1])
        variance = math.fsum((*sampled, *added))
        spread = math.fsum(one**2 / (n - 1) for one, n in zip(sampled, rows, strict=True))
        if variance == 0 or spread == 0:
            return Difference(rows, values)
        freedom, error = variance**2 / spread, math.sqrt(variance)
        statistic = (values[0] - values[1]) / error
        return Difference(
            rows, values, values[0] - values[1], error, statistic, freedom, student_tail(statistic, freedom)
        )


@dataclass(frozen=True)
class MannWhitney(_Pair):
    """Whether the rows of one group rank higher than those of the other, over `bins` of the column as `Histogram` has them.

    Rows of one bin are tied.
    """

    bins: int

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "mann-whitney test", **self.parts(), "bins": self.bins}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "MannWhitney":
        column, by, first, second = _texts(document, "column", "by", "first", "second")
        return cls(column, by, first, second, canonical.whole(document["bins"]))

    def starts(self, schema: Schema) -> tuple[int, ...]:
        """The first code of each bin, and at the end the number of codes. Raises `Invalid` for more bins than codes."""
        return Histogram(self.column, self.bins).starts(schema)

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts: rows of each group in each bin. A row adds 1 to one cell at most."""
        self.groups(schema)
        return (Statistic("bins", (2, len(self.starts(schema)) - 1), 1, 1),)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> Difference:
        """The test of Mann and Whitney 1947 with its normal approximation, corrected for ties, not for continuity.

        With a and b the counts, and t the share of pairs in which the first ranks higher, a row more of the first group in
        a bin moves t by (share of b below it - t) / n; so the noise in each count moves it.
        """
        variance, bins = noise.get("bins", 0.0), self.bins
        a, b = sums["bins"][:bins], sums["bins"][bins:]
        rows, few = _rows((sum(a), sum(b)), bins * variance)
        if few:
            return Difference(rows, None)
        above = [1 - share for share in _below(a, rows[0])]
        below = _below(b, rows[1])
        share = math.fsum(count * one for count, one in zip(a, below, strict=True)) / rows[0]
        moved = math.fsum((one - share) ** 2 for one in below) / rows[0] ** 2
        moved += math.fsum((one - share) ** 2 for one in above) / rows[1] ** 2
        ties = math.fsum((x + y) ** 3 - (x + y) * (1 + 6 * variance) for x, y in zip(a, b, strict=True))
        return ranked(rows, share, ties, variance * moved)


def ranked(rows: tuple[int, int], share: float, ties: float, noise: float = 0.0) -> Difference:
    """The test of Mann and Whitney, from the `share` of pairs in which the first ranks higher. `ties`: the sum of t^3 - t over
    bins of t rows. `noise`: the variance that noise gives the share."""
    whole = sum(rows)
    sampled = (whole + 1 - ties / (whole * (whole - 1))) / (12 * rows[0] * rows[1])
    spread = max(0.0, sampled) + noise
    values = (share, 1 - share)
    if spread == 0:
        return Difference(rows, values)
    error = 2 * math.sqrt(spread)
    statistic = (2 * share - 1) / error
    return Difference(rows, values, 2 * share - 1, error, statistic, None, normal_tail(statistic))


@dataclass(frozen=True)
class Proportions(_Pair):
    """Whether the share of rows in which `column` is `happened` differs between two groups."""

    happened: str

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "two proportions", **self.parts(), "happened": self.happened}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Proportions":
        return cls(*_texts(document, "column", "by", "first", "second", "happened"))

    def event_code(self, schema: Schema) -> int:
        """The code of `happened`. Raises `Invalid` where it is no value of the column."""
        return code_of(schema.column(self.column), self.happened)

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts: rows of each group without and with it. A row adds 1 to one cell at most."""
        self.groups(schema)
        self.event_code(schema)
        return (Statistic("cells", (2, 2), 1, 1),)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> Difference:
        """The pooled test of two shares. The error of their difference is as if each group had one row more of each kind,
        so that it is not 0 where a share is 0 or 1. Source: Agresti 2013, section 3.2; Agresti and Caffo 2000."""
        variance, cells = noise.get("cells", 0.0), sums["cells"]
        rows, few = _rows((cells[0] + cells[1], cells[2] + cells[3]), 2 * variance)
        if few:
            return Difference(rows, None)
        shares = [max(0.0, min(1.0, cells[place] / n)) for place, n in zip((1, 3), rows, strict=True)]
        together = math.fsum(share * n for share, n in zip(shares, rows, strict=True)) / sum(rows)

        def spread(share: float, n: int) -> float:
            return share * (1 - share) / n + variance * (share**2 + (1 - share) ** 2) / n**2

        values = (shares[0], shares[1])
        pooled = math.fsum(spread(together, n) for n in rows)
        if pooled == 0:
            return Difference(rows, values)
        difference = values[0] - values[1]
        error = math.sqrt(math.fsum(spread((s * n + 1) / (n + 2), n + 2) for s, n in zip(shares, rows, strict=True)))
        statistic = difference / math.sqrt(pooled)
        return Difference(rows, values, difference, error, statistic, None, normal_tail(statistic))


def _rows(counts: Sequence[int], variance: float) -> tuple[tuple[int, int], bool]:
    """How many rows each group has, and whether noise of `variance` in each alone could make one of them."""
    rows = (max(0, counts[0]), max(0, counts[1]))
    return rows, min(rows) <= SURE * math.sqrt(variance)


def _below(counts: Sequence[int], rows: int) -> list[float]:
    """For each bin, the share of a group's rows below it, those in it half."""
    return [(before - count / 2) / rows for before, count in zip(accumulate(counts), counts, strict=True)]


def _number(schema: Schema, name: str) -> Number:
    column = schema.column(name)
    if not isinstance(column, Number):
        raise Invalid(f"column {name!r}: expected a number to compare, got a category; name a number")
    return column


def _texts(document: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    return tuple(canonical.text(document[name]) for name in names)
