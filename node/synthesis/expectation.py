"""What public facts alone say about a twin of private marginals before it is made: its noise, and what sampling allows.

No record is within reach: schema, declared number of rows, rho and wishes are all that is asked for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, islice

import numpy as np

from marketplace.protocol.schema import Category, Schema
from marketplace.protocol.specification import Curve, Specification, Workload
from marketplace.scores.curve import MOST_INTERVALS, READABLE_DEVIATIONS
from node.synthesis import structure
from node.synthesis.bins import BINS, RARE_STDDEVS, most_bins
from node.synthesis.budget import budget_of, marginals_of
from node.synthesis.cells import Floats, cell_count, widths
from node.synthesis.structure import Marginal

HALF_NORMAL = math.sqrt(2 / math.pi)
LARGEST_DISTANCE = 2.0
FILLED = 0.8
"""How many cells of a marginal are as good as filled evenly: this power of their number. Fitted once, on public tables."""
MOST_SETS = 1_000
CURVE_SHARE = 5 / 95 * 12 / 33
"""Of the generator's rho, what all curves together may spend where everything else is scored too."""


@dataclass(frozen=True)
class Facts:
    """All that is known of an order before its records are opened. `rows`: declared ones that its conditions leave, taken
    as even shares of the declared values. `asked`: synthetic rows. `rho_micro`: the generator's. `narrowed`: whether there are
    conditions."""

    schema: Schema
    rows: float
    asked: int
    workload: Workload
    rho_micro: int
    narrowed: bool = False

    @classmethod
    def of(cls, schema: Schema, rows_declared: int, specification: Specification, rho_micro: int) -> "Facts":
        """The facts of an order with this specification."""
        share = 1.0
        for condition in specification.only:
            column = schema.column(condition.column)
            codes = sum(end - start for start, end in condition.spans(column)) + condition.admits_missing(column)
            share *= codes / (column.size + column.missing)
        rows, wishes = max(1.0, rows_declared * share), specification
        return cls(schema, rows, wishes.rows, wishes.workload, rho_micro, bool(wishes.only))

    def of_rows(self, rows: float) -> "Facts":
        """The same with other records, as many as `rows`."""
        return replace(self, rows=rows)

    @cached_property
    def sizes(self) -> Floats:
        """The cells of each column in which scores are counted, at most."""
        columns = self.schema.columns
        sizes = [(c.size if isinstance(c, Category) else min(BINS, c.size)) + c.missing for c in columns]
        return np.array(sizes, np.float64)

    def sets(self, ways: int) -> list[Marginal]:
        """All sets of `ways` columns, or a thousand or so of them evenly."""
        count = len(self.schema.columns)
        step = -(-math.comb(count, ways) // MOST_SETS)
        return list(islice(combinations(range(count), ways), 0, None, step))

    @property
    def wanted(self) -> list[Marginal]:
        """The columns of each marginal and curve of the workload."""
        return [self.places(marginal) for marginal in self.workload.all_marginals]

    def places(self, names: Sequence[str]) -> Marginal:
        """Where the columns of these names stand."""
        return tuple(self.schema.names.index(name) for name in names)

    def is_readable(self, curve: Curve) -> bool:
        """Whether a group of even size is larger than the noise of a released curve hides, by the usual shares of rho.

        Source: `marketplace.scores.curve` (readable), `node.evaluation.stages` (what a curve may spend).
        """
        spent_micro = self.rho_micro * CURVE_SHARE / len(self.workload.curves)
        stddev = self.schema.rows_per_person * math.sqrt(1e6 / (2 * max(1.0, spent_micro)))
        groups = 1 if curve.by is None else self.schema.column(curve.by).size
        return self.rows / groups > READABLE_DEVIATIONS * stddev * math.sqrt(2 * MOST_INTERVALS)


@dataclass(frozen=True)
class Noise:
    """Mean L1 norms of the noise that will be drawn, as shares of the rows, 2 at most.

    `singles`: of a column's counts. `pairs`: of a measured pair's, in wider marginals too. `measured`: the share of all
    pairs that are. `width`: columns of each marginal where all of one width are measured, otherwise 0. `coarseness`: mean
    logarithm of the bins that noise leaves to a column over the cells of its scores. `levels`: mean number of a column's
    levels of cells.
    """

    singles: float
    pairs: float
    measured: float
    width: int
    coarseness: float
    levels: float


def noise_of(facts: Facts) -> Noise:
    """The noise that the budget's division means. Raises `Refused` where the rho cannot pay for every stage.

    Source of the norms: E|noise| = sqrt(2/pi) sigma for each count, sigma = b / sqrt(2 rho).
    """
    schema, rows = facts.schema, facts.rows
    columns, budget = schema.columns, budget_of(schema, facts.workload, facts.rho_micro)

    def stddev(rho_micro: int, among: int = 1) -> float:
        return schema.rows_per_person * math.sqrt(among * 1e6 / (2 * max(1, rho_micro)))

    sigmas = np.array([stddev(levels[0]) for levels in budget.cells_micro])
    first = np.array([cell_count(column) for column in columns], np.float64)
    missing = np.array([column.missing for column in columns], np.float64)
    most = np.array([most_bins(column) for column in columns], np.float64) - missing
    bins = np.clip(rows / (RARE_STDDEVS * sigmas), 1, most) + missing
    if budget.is_joint:
        width = structure.joint_width([max(1, round(size)) for size in bins], stddev(budget.extras_micro), rows)
        held, sets = math.comb(len(columns), width), facts.sets(min(2, len(columns)))
        cells, whole = _cells(bins, sets), float(_cells(bins, facts.sets(width)).mean())
        shared = math.comb(len(columns) - 2, width - 2) if len(columns) > 1 else 1
        norms, measured = stddev(budget.extras_micro, held) * np.sqrt(cells * whole / shared), 1.0
    else:
        wanted = {pair for marginal in marginals_of(schema, facts.workload) for pair in combinations(marginal, 2)}
        held, cells, width = len(wanted) + len(budget.tree_micro), _cells(bins, facts.sets(2)), 0
        worth = structure.worthwhile(float(cells.mean()), stddev(budget.extras_micro), rows)
        norms = stddev(budget.forest_micro, max(1, held)) * cells
        measured = min(1.0, (held + min(worth, budget.most_extras)) / math.comb(len(columns), 2))
    return Noise(
        singles=_capped(sigmas * np.sqrt(facts.sizes * np.maximum(first, facts.sizes)) / rows),
        pairs=_capped(norms / rows),
        measured=measured,
        width=width,
        coarseness=float(np.log(bins / facts.sizes).mean()),
        levels=float(np.mean([len(widths(column)) for column in columns])),
    )


def terms_of(facts: Facts, noise: Noise, sets: Sequence[Marginal]) -> tuple[float, ...]:
    """What the score over `sets` of columns is predicted from, in the order of `SIGNS`."""
    rows, asked = (_odds(_sampling(drawn, facts.sizes, sets)) for drawn in (facts.rows, facts.asked))
    count, cells = len(facts.schema.columns), float(np.log(_cells(facts.sizes, sets)).mean())
    return (
        *(1.0, *_bent(rows), math.log(count), cells, math.log(facts.rows)),
        *(asked, *_bent(math.log(noise.singles)), *_bent(_odds(noise.pairs))),
        *(noise.coarseness, math.log(noise.measured), float(noise.width > 0), float(noise.width > 2), noise.levels),
    )


SIGNS = (0, 1, 1, 0, 0, -1, 1, 1, 1, 1, 1, -1, -1, 0, -1, 0)
"""Which way each term may move a score, so that more rho or more records never make a prediction worse; 0 for either."""
OF_RECORDS = 6
"""The first terms, which know nothing of the noise: floor and ceiling are predicted from them alone."""
BEND = -2.0


def _bent(term: float) -> tuple[float, float]:
    """A term in two parts, so that its slope may differ on both sides of `BEND`."""
    return min(term, BEND), max(term - BEND, 0.0)


def _cells(sizes: Floats, sets: Sequence[Marginal]) -> Floats:
    """How many cells each set of columns has."""
    if len({len(columns) for columns in sets}) == 1:
        return np.asarray(np.prod(sizes[np.array(sets)], axis=1))
    return np.array([np.prod(sizes[list(columns)]) for columns in sets])


def _capped(norms: Floats) -> float:
    return float(np.minimum(LARGEST_DISTANCE, HALF_NORMAL * norms).mean())


def _sampling(rows: float, sizes: Floats, sets: Sequence[Marginal]) -> float:
    """The mean L1 distance that drawing `rows` rows brings to marginals over evenly filled cells, by Poisson's law."""
    return float(np.mean([_deviation(rows / cells**FILLED) for cells in _cells(sizes, sets)]))


def _deviation(expected: float) -> float:
    """E|K - m| / m for K of Poisson's law with mean m = `expected`. Source: De Moivre, as `marketplace.scores.reference`."""
    below = math.floor(expected)
    return 2 * math.exp(below * math.log(expected) - expected - math.lgamma(below + 1))


def _odds(distance: float) -> float:
    kept = min(max(distance, 1e-4), LARGEST_DISTANCE - 1e-3)
    return math.log(kept / (LARGEST_DISTANCE - kept))
