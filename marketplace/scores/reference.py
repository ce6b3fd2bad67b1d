"""What a score is read against: the floor that a shuffle sets and the ceiling that sampling alone allows."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Workload
from marketplace.scores.cells import Bins, Cells, counts
from marketplace.scores.measure import Measure, measures, subgroup_measures, table_measures
from marketplace.scores.permutation import permutation
from marketplace.scores.score import quote

SHUFFLES = 3
EXACT_UP_TO = 64


@dataclass(frozen=True)
class Reference:
    """Floor and ceiling of one score as quotes. Distances: the ceiling is the smaller number, and the better."""

    name: str
    floor: str
    ceiling: str


def references(
    synthetic: pd.DataFrame,
    schema: Schema,
    workload: Workload,
    seed: bytes,
    rows_declared: int,
    subgroups: str | None = None,
    further: Sequence[pd.DataFrame] = (),
) -> tuple[Reference, ...]:
    """Floor and ceiling of every released score but those of curves, from public values alone.

    `synthetic`: the result's codes, one row or more. `seed`: the specification's hash. `rows_declared`: the dataset's
    public, rounded number of rows, >= 1. `subgroups`: the specification's. `further`: codes of the result's further
    tables, in order; of one without rows nothing is scored, and of the others as large a share of rows is taken to be
    declared as they have of the result's. Raises `ValueError` where one of them is out of range.
    """
    if rows_declared < 1 or not len(synthetic):
        raise ValueError("expected at least 1 declared row and 1 synthetic row")
    table = Bins.of(synthetic, schema).cut(synthetic)
    found = _beside(
        (*measures(schema, workload, seed), *subgroup_measures(table, subgroups)), table, rows_declared, seed
    )
    for declared, codes in zip(schema.tables, further, strict=False):
        if len(codes):
            rows = max(1, rows_declared * len(codes) // len(synthetic))
            wanted = table_measures(declared, schema, workload, seed)
            found += _beside(wanted, Bins.of(codes, declared.schema).cut(codes), rows, seed)
    return found


def _beside(wanted: Sequence[Measure], table: Cells, rows: int, seed: bytes) -> tuple[Reference, ...]:
    shuffled = shuffles(table, seed)
    return tuple(
        Reference(measure.name, quote(floor(measure, table, shuffled)), quote(ceiling(measure, table, rows)))
        for measure in wanted
    )


def floor(measure: Measure, table: Cells, shuffled: Sequence[Cells]) -> Fraction:
    """The mean distance of `shuffled` tables from the `table` that they are shuffles of."""
    return sum(measure.distances(shuffled, table), Fraction(0)) / len(shuffled)


def shuffles(table: Cells, seed: bytes) -> tuple[Cells, ...]:
    """The shuffles of `table` whose mean distance is a floor."""
    return tuple(shuffle(table, seed, index) for index in range(SHUFFLES))


def shuffle(table: Cells, seed: bytes, index: int) -> Cells:
    """`table` with each column in an order of its own, which keeps every column and destroys every relation.

    `seed` and `index` fix the orders.
    """
    columns = (
        cells[permutation(seed, f"agora/scores/shuffle/{index}/{position}", table.rows)]
        for position, cells in enumerate(table.columns)
    )
    return Cells(table.names, tuple(columns), table.sizes)


def ceiling(measure: Measure, table: Cells, rows: int) -> Fraction:
    """The distance expected between `table` and `rows` rows drawn from it with replacement.

    It is the mean over marginals of the sum over cells of `expected_deviation`; where only some rows are compared, so
    large a share of `rows` is, and at least one.
    """
    view = measure.view(table)
    rows = max(1, rows * view.rows // table.rows)
    times: Counter[int] = Counter()
    for marginal in measure.marginals:
        sizes, repeats = np.unique(counts((view,), marginal)[0], return_counts=True)
        times.update(dict(zip(sizes.tolist(), repeats.tolist(), strict=True)))
    total = math.fsum(count * expected_deviation(size, view.rows, rows) for size, count in times.items())
    return Fraction(total) * measure.largest / (2 * len(measure.marginals))


def expected_deviation(part: int, whole: int, draws: int) -> float:
    """E|K / draws - p| for K binomial with p = part / whole and `draws` >= 1 trials; 0 <= part <= whole.

    The same for p and 1 - p, so let p be the smaller and k = floor(draws p). Where k <= 64 it is exactly
    2 (k + 1) C(draws, k + 1) p^(k+1) (1 - p)^(draws-k) / draws; beyond, sqrt(2 p (1 - p) / (pi draws)), which is off
    by less than 0.3 %.
    Source: De Moivre 1730 in Diaconis and Zabell 1991, Closed form summation for classical distributions.
    """
    part = min(part, whole - part)
    chance = part / whole
    below = draws * part // whole
    if below > EXACT_UP_TO:
        return math.sqrt(2 * chance * (1 - chance) / (math.pi * draws))
    term = 2 * (below + 1) / draws * _power(1 - chance, draws - below)
    for index in range(below + 1):
        term *= (draws - index) / (index + 1) * chance
    return term


def _power(factor: float, exponent: int) -> float:
    """By multiplications alone, whose rounding every machine agrees on."""
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= factor
        factor *= factor
        exponent >>= 1
    return result
