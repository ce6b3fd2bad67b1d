"""Genetic variants over several hospitals: how frequent each allele is, and whether it goes with an outcome."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from marketplace.errors import Invalid
from marketplace.protocol import canonical
from marketplace.protocol.analysis_design import normal_tail
from marketplace.protocol.analysis_statistic import NO_NOISE, SURE, OneRound, Statistic, Sums, Variances
from marketplace.protocol.analysis_survival import code_of
from marketplace.protocol.schema import Schema

GENOTYPES = 3
LARGEST_POSITION = 2**32


@dataclass(frozen=True)
class Variant:
    """A column of three values in order: how many copies of the counted allele, 0 to 2; and where on the genome it is."""

    column: str
    chromosome: str
    position: int

    def __post_init__(self) -> None:
        if not 1 <= len(self.chromosome) <= 20 or not 0 <= self.position < LARGEST_POSITION:
            raise Invalid(f"column {self.column!r}: expected a chromosome's name and a position of 0 or more on it")

    def document(self) -> list[Any]:
        """The variant as a value for canonical JSON."""
        return [self.column, self.chromosome, self.position]

    @classmethod
    def of_document(cls, document: Sequence[Any]) -> "Variant":
        column, chromosome, position = document
        return cls(canonical.text(column), canonical.text(chromosome), canonical.whole(position))


@dataclass(frozen=True)
class Frequency:
    """How frequent the counted allele is among the `rows` that have a genotype, with its standard error.

    None where there are too few rows for it to mean anything; `rows` too where the variant stays closed.
    """

    variant: Variant
    rows: int | None
    frequency: float | None
    error: float | None


@dataclass(frozen=True)
class Association:
    """Whether a variant goes with the outcome, controls first and cases second: as a point of a Manhattan plot has it.

    `allelic`, `trend`: chi-square statistics with one degree of freedom, of alleles, and of copies by Cochran and
    Armitage, each with its p. None where a group has too few rows, or all have one genotype; `rows` too where the variant
    stays closed, and the trend where its homozygotes do.
    """

    variant: Variant
    rows: tuple[int, int] | None
    frequencies: tuple[float, float] | None = None
    allelic: float | None = None
    allelic_p: float | None = None
    trend: float | None = None
    trend_p: float | None = None


@dataclass(frozen=True)
class AlleleFrequencies(OneRound):
    """How frequent the allele of each variant is. Rows without a genotype are left out of that variant."""

    variants: tuple[Variant, ...]

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {"kind": "allele frequencies", "variants": [one.document() for one in self.variants]}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "AlleleFrequencies":
        return cls(tuple(map(Variant.of_document, document["variants"])))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return tuple(one.column for one in self.variants)

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts: for each variant the rows of each genotype. A row adds 1 to one cell of each variant."""
        count = _check(self.variants, schema)
        return (Statistic("genotypes", (count, GENOTYPES), 1, count),)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> tuple[Frequency, ...]:
        """The frequencies, with the error of sampling rows, whose two alleles may hang together, and of the noise."""
        variance, found = noise.get("genotypes", 0.0), []
        for one, counts in zip(self.variants, _threes(sums["genotypes"]), strict=True):
            rows = max(0, sum(counts))
            if rows <= SURE * math.sqrt(GENOTYPES * variance):
                found.append(Frequency(one, rows, None, None))
                continue
            share = _frequency(counts)
            spread = max(0.0, (counts[1] / 4 + counts[2]) / rows - share**2)
            error = math.sqrt(spread / rows + variance * _moved(share, rows))
            found.append(Frequency(one, rows, share, error))
        return tuple(found)


@dataclass(frozen=True)
class CaseControl(OneRound):
    """Whether each variant goes with `outcome` being `happened`. Rows without an outcome are left out, of each variant
    those without a genotype."""

    outcome: str
    happened: str
    variants: tuple[Variant, ...]

    def document(self) -> dict[str, Any]:
        """The analysis as a value for canonical JSON."""
        return {
            "kind": "case-control association",
            "outcome": self.outcome,
            "happened": self.happened,
            "variants": [one.document() for one in self.variants],
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "CaseControl":
        outcome, happened = canonical.text(document["outcome"]), canonical.text(document["happened"])
        return cls(outcome, happened, tuple(map(Variant.of_document, document["variants"])))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at, the outcome last."""
        return (*(one.column for one in self.variants), self.outcome)

    def event_code(self, schema: Schema) -> int:
        """The code of `happened`. Raises `Invalid` where it is no value of the column."""
        return code_of(schema.column(self.outcome), self.happened)

    def statistics(self, schema: Schema) -> tuple[Statistic, ...]:
        """What each party counts: for each variant the controls and the cases of each genotype.

        A row adds 1 to one cell of each variant.
        """
        self.event_code(schema)
        if self.outcome in self.columns[:-1]:
            raise Invalid(f"column {self.outcome!r}: expected another column as the outcome; name another")
        count = _check(self.variants, schema)
        return (Statistic("genotypes", (count, 2, GENOTYPES), 1, count),)

    def result(self, schema: Schema, sums: Sums, noise: Variances = NO_NOISE) -> tuple[Association, ...]:
        """Both tests of each variant, with the noise in their variance. That of alleles takes the two of a row as
        independent, that of trend does not. Source: Sasieni 1997; Armitage 1955."""
        threes = _threes(sums["genotypes"])
        groups = zip(threes[::2], threes[1::2], strict=True)
        variance = noise.get("genotypes", 0.0)
        return tuple(_association(*given, variance) for given in zip(self.variants, groups, strict=True))


def _association(variant: Variant, groups: tuple[Sequence[int], Sequence[int]], variance: float) -> Association:
    rows = (max(0, sum(groups[0])), max(0, sum(groups[1])))
    if min(rows) <= SURE * math.sqrt(GENOTYPES * variance):
        return Association(variant, rows)
    shares = (_frequency(groups[0]), _frequency(groups[1]))
    whole = [a + b for a, b in zip(*groups, strict=True)]
    together = _frequency(whole)
    noisy = variance * math.fsum(_moved(together, n) for n in rows)
    return associated(variant, rows, shares, together, (whole[1] + 4 * whole[2]) / sum(rows), noisy)


def associated(
    variant: Variant,
    rows: tuple[int, int],
    shares: tuple[float, float],
    together: float,
    square: float | None,
    noise: float = 0.0,
) -> Association:
    """Both tests, from the frequencies `shares` of controls and cases and that of all `together`.

    `square`: the mean square of copies of all rows, without which there is no test of trend. `noise`: the variance that noise
    gives the difference of frequencies.
    """
    weight, difference = math.fsum(1 / n for n in rows), (shares[1] - shares[0]) ** 2
    alleles = together * (1 - together) / 2 * weight + noise
    copies = None if square is None else max(0.0, square - 4 * together**2) / 4 * weight + noise
    if alleles == 0 or copies == 0:
        return Association(variant, rows, shares)
    allelic = difference / alleles
    found = Association(variant, rows, shares, allelic, normal_tail(math.sqrt(allelic)))
    if copies is None:
        return found
    trend = difference / copies
    return replace(found, trend=trend, trend_p=normal_tail(math.sqrt(trend)))


def _check(variants: Sequence[Variant], schema: Schema) -> int:
    """How many there are. Raises `Invalid` where they are none, not all different, or a column has not three values."""
    names = {one.column for one in variants}
    if not names or len(names) != len(variants):
        raise Invalid("expected one variant or more, each column once; name others")
    for name in sorted(names):
        if schema.column(name).size != GENOTYPES:
            raise Invalid(
                f"column {name!r}: expected three values, 0 to 2 copies of an allele, got {schema.column(name).size}; "
                "name another"
            )
    return len(variants)


def _threes(flat: Sequence[int]) -> list[Sequence[int]]:
    return [flat[start : start + GENOTYPES] for start in range(0, len(flat), GENOTYPES)]


def _frequency(counts: Sequence[int]) -> float:
    """Of the counted allele among two of each row, within 0 and 1 whatever noise says."""
    return max(0.0, min(1.0, (counts[1] / 2 + counts[2]) / sum(counts)))


def _moved(share: float, rows: int) -> float:
    """By how much, squared and summed, one more in each of the three counts moves a frequency."""
    return math.fsum((copies / 2 - share) ** 2 for copies in range(GENOTYPES)) / rows**2
