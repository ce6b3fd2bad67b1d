"""What may be opened of one sum that stays shared, as everybody computes it from the question alone."""

from dataclasses import dataclass
from enum import IntEnum

LARGEST_SHARE = 2**40
"""What one party's noise in a linkage count does not exceed: with the least rho it deviates by less than 2^13."""

WINDOW_POINTS = 8
"""Of how many points of a time grid all intervals that may lie among them are compared at once."""


class How(IntEnum):
    """What of a sum may be opened: all of it; whether each number is 0 or more, as 1 or -1; the cells of a table that are
    large enough; the counts of survival in intervals that are wide enough; how many buckets some parties have in common, with
    the noise that every party hands in after its buckets; of two groups' bins the rows of each, twice Mann and Whitney's U,
    and the ties; of variants' genotypes rows and copies, and homozygotes where no genotype has too few rows;
    of a fit how many rows there are, if enough lie outside each bin of each column; the rounded solution of linear
    equations, of least squares with what is left; where intervals end that are wide enough; and the rounded step of a Cox
    regression, in the first round with the mean row, in the last with its variances."""

    WHOLE = 1
    SIGNS = 2
    CELLS = 3
    CURVES = 4
    LINKED = 5
    RANKS = 6
    GENOTYPES = 7
    SUPPORTED = 8
    SOLVED = 9
    LEAST_SQUARES = 10
    INTERVALS = 11
    HAZARD_FIRST = 12
    HAZARD_STEP = 13
    HAZARD_FIT = 14


@dataclass(frozen=True)
class Opening:
    """What may be opened of one sum. `shape`: rows and columns of a table; groups and points of curves, with those beyond;
    buckets and opened numbers of a linkage count; numbers handed in and opened of ranks and fits; variants and genotypes of
    all groups.

    `least`: the smallest number that may be seen; of a linkage count, how many parties know a person that is counted; of
    equations, the binary digits after the point of what is handed in; of hazards, the
    doublings that they are clipped to. `most`: what one party's number does not exceed, in absolute value.
    """

    how: How
    shape: tuple[int, int]
    least: int
    most: int
