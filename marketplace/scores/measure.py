"""What is scored: sets of columns whose marginals two tables are compared on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from marketplace.protocol.schema import MAIN, Schema, Table
from marketplace.protocol.specification import Workload
from marketplace.scores.cells import Cells, counts
from marketplace.scores.permutation import permutation

LARGEST_SETS = 1_000
SUBGROUP = "subgroup_"


@dataclass(frozen=True)
class Measure:
    """One score: the mean over `marginals` of the L1 distance of two tables' normalised marginals.

    `missing`: only whether values are there is compared, and the distance is halved, which makes it the mean absolute
    difference of the shares that are missing. `within`: only rows of this column with this code are compared.
    """

    name: str
    marginals: tuple[tuple[str, ...], ...]
    missing: bool = False
    within: tuple[str, int] | None = None

    @property
    def largest(self) -> int:
        """The largest value that the score can have."""
        return 1 if self.missing else 2

    def view(self, table: Cells) -> Cells:
        """What the score looks at in `table`."""
        if self.within is not None:
            table = table.only(*self.within)
        return table.missing() if self.missing else table

    def difference(self, left: Cells, right: Cells, left_weight: int, right_weight: int) -> int:
        """The sum over all marginals and their cells of |left_weight left count - right_weight right count|, exactly.

        Both tables are of the same cut. One more row in `left` changes it by at most `left_weight` for each marginal.
        """
        tables, total = (self.view(left), self.view(right)), 0
        for marginal in self.marginals:
            left_counts, right_counts = counts(tables, marginal)
            total += int(abs(left_counts * left_weight - right_counts * right_weight).sum())
        return total

    def distances(self, others: Sequence[Cells], table: Cells) -> list[Fraction]:
        """The score of each of `others` beside `table`, exactly: 0 (the same) to `largest`.

        All are of the same cut and have one row or more that is compared.
        """
        views, totals = [self.view(each) for each in (table, *others)], [0] * len(others)
        rows, *others_rows = (view.rows for view in views)
        for marginal in self.marginals:
            base, *found = counts(views, marginal)
            for index, (other_rows, each) in enumerate(zip(others_rows, found, strict=True)):
                totals[index] += int(abs(each * rows - base * other_rows).sum())
        return [
            Fraction(total * self.largest, 2 * rows * other_rows * len(self.marginals))
            for total, other_rows in zip(totals, others_rows, strict=True)
        ]

    def distance(self, left: Cells, right: Cells) -> Fraction:
        """The score of two tables, as `distances`."""
        return self.distances((left,), right)[0]


def measures(schema: Schema, workload: Workload, seed: bytes) -> tuple[Measure, ...]:
    """Every measure that makes sense for a schema: 1-, 2-, 3-way marginals, missingness, the workload's marginals.

    `seed`: the specification's hash, which fixes the sets where there are too many (see `column_sets`). Left out are
    ways with more columns than there are, missingness where nothing may be missing, and an empty workload.
    """
    found = [column_sets(schema.names, ways, seed) for ways in (1, 2, 3) if ways <= len(schema.names)]
    gaps = tuple((column.name,) for column in schema.columns if column.missing)
    if gaps:
        found.append(Measure("missingness", gaps, missing=True))
    own = workload.of_table(MAIN, schema).all_marginals
    if own:
        found.append(Measure("workload", own))
    return tuple(found)


def table_measures(table: Table, schema: Schema, workload: Workload, seed: bytes) -> tuple[Measure, ...]:
    """The measures of a further table of `schema`, as `measures` has them; names begin with the table's: `labs/l1_1way`."""
    own = measures(table.schema, workload.of_table(table.name, schema), seed)
    return tuple(replace(measure, name=f"{table.name}/{measure.name}") for measure in own)


def subgroup_measures(table: Cells, column: str | None) -> tuple[Measure, ...]:
    """For each value of `column` that `table` has, the distance of the other columns' distributions within it.

    Named `subgroup_<code>`. `table`: the synthetic one, which is public. None where `column` is None or stands alone.
    """
    others = tuple((name,) for name in table.names if name != column)
    if column is None or not others:
        return ()
    codes = np.unique(table.columns[table.names.index(column)])
    declared = codes[codes < table.sizes[table.names.index(column)] - 1].tolist()
    return tuple(Measure(f"{SUBGROUP}{code}", others, within=(column, code)) for code in declared)


def column_sets(names: tuple[str, ...], ways: int, seed: bytes, most: int = LARGEST_SETS) -> Measure:
    """The marginals over all sets of `ways` columns, named `l1_<ways>way`.

    Where there are more than `most` sets, `seed` chooses so many of them, and the name says so: `l1_3way_1000_of_161700`.
    """
    every = math.comb(len(names), ways)
    name = f"l1_{ways}way"
    sets = list(combinations(names, ways))
    if every <= most:
        return Measure(name, tuple(sets))
    chosen = sorted(permutation(seed, f"agora/scores/sets/{ways}", every)[:most])
    return Measure(f"{name}_{most}_of_{every}", tuple(sets[index] for index in chosen))
