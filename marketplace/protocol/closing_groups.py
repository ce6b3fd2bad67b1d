"""What is opened of two groups' ranks and of genetic variants in the closed lane, and what follows from it."""

import math
from collections.abc import Sequence

from marketplace.protocol.analysis_comparisons import Difference, MannWhitney, ranked
from marketplace.protocol.analysis_genetics import (
    GENOTYPES,
    AlleleFrequencies,
    Association,
    CaseControl,
    Frequency,
    Variant,
    associated,
)
from marketplace.protocol.closing_cells import CLOSED

RANKS = 4
"""The numbers that are opened of ranks: the rows of each group, twice U, and the ties cut off at `tie_bits`."""
MOST_RANKED_BITS = 20
"""Ranks are told of fewer than 2^20 rows, so that the third power of their number stays within what the engine can cut."""
TIE_DIGITS = 20


def tie_bits(rows: int) -> int:
    """How many of the last binary digits of the sum of t^3 are cut off: all but about 20 of those of `rows`^3."""
    return max(0, 3 * rows.bit_length() - TIE_DIGITS)


def closed_ranks(asked: MannWhitney, shown: Sequence[int]) -> Difference:
    """The test from what was opened. What was cut off moves its variance by less than 2^-17 of that without ties."""
    first, second, twice, ties = shown
    rows = first + second
    return ranked((first, second), twice / (2 * first * second), (ties << tie_bits(rows)) - rows)


def copies_only(reaching: Sequence[Sequence[bool]], doubly: Sequence[bool]) -> bool:
    """Whether rows and copies of the counted allele may be opened of a variant, although a genotype has too few rows.

    `reaching`: for each group, and each genotype, whether it reaches k. `doubly`: of each group, whether its heterozygotes reach
    2 k. Of one group alone a homozygote below k has k to spare: with j more of both homozygotes and 2 j heterozygotes fewer rows
    and copies are the same. Of two groups only one may have such, and the other's homozygotes reach k: with j fewer of them
    there, and 2 j heterozygotes more, the genotypes of both together are the same as well, whoever knows them.
    """
    few = [place for place, group in enumerate(reaching) if not all(group)]
    return len(few) <= 1 and all(doubly[place] for place in few)


def closed_variants(
    asked: AlleleFrequencies | CaseControl, shown: Sequence[int]
) -> tuple[Frequency, ...] | tuple[Association, ...]:
    """The answer from rows, copies and homozygotes of each variant and group, `CLOSED` where they are not told."""
    triples = [tuple(shown[start : start + GENOTYPES]) for start in range(0, len(shown), GENOTYPES)]
    if isinstance(asked, AlleleFrequencies):
        return tuple(map(_frequency, asked.variants, triples))
    return tuple(map(_association, asked.variants, triples[::2], triples[1::2]))


def _frequency(variant: Variant, triple: Sequence[int]) -> Frequency:
    """Without homozygotes the error is as if the two alleles of a row did not hang together."""
    rows, copies, both = triple
    if rows == CLOSED:
        return Frequency(variant, None, None, None)
    share = copies / (2 * rows)
    spread = share * (1 - share) / 2 if both == CLOSED else (copies + 2 * both) / (4 * rows) - share**2
    return Frequency(variant, rows, share, math.sqrt(max(0.0, spread) / rows))


def _association(variant: Variant, controls: Sequence[int], cases: Sequence[int]) -> Association:
    if controls[0] == CLOSED:
        return Association(variant, None)
    rows, copies = (controls[0], cases[0]), (controls[1], cases[1])
    shares = (copies[0] / (2 * rows[0]), copies[1] / (2 * rows[1]))
    both = None if CLOSED in (controls[2], cases[2]) else controls[2] + cases[2]
    square = None if both is None else (sum(copies) + 2 * both) / sum(rows)
    return associated(variant, rows, shares, sum(copies) / (2 * sum(rows)), square)
