"""A sketch of every pair of columns in few groups of bins, released for a small part of the rho; and the marginals worth
measuring in full, chosen from it alone.

Nothing is computed with but +, -, *, / and comparisons in a fixed order, so that whoever has the same counts chooses alike
on any processor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isqrt, pi, prod, sqrt

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.schema import Category, Column, Schema
from node.synthesis import structure
from node.synthesis.bins import BINS, Bins
from node.synthesis.budget import EXTRAS_PER_COLUMN
from node.synthesis.cells import Floats
from node.synthesis.columns import Columns
from node.synthesis.structure import Marginal

FEWEST_GROUPS = 2
SKETCH_NOISE = 0.9
"""How much of the sketch's own expected noise a score is freed of."""
FAINT = 1e-3
"""What each cell of a pair counts at least, as a share of an even spread, so that no conditional is undefined."""
TINY = 1e-12
TURNS = 20


@dataclass(frozen=True)
class Sketch:
    """`groups`: for each column the group of each bin; `sizes`: how many groups each has."""

    columns: Columns
    groups: tuple[NDArray[np.int64], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(int(of_bin.max()) + 1 for of_bin in self.groups)

    @property
    def pairs(self) -> list[Marginal]:
        """All pairs of columns, in the order in which they are counted."""
        return list(combinations(range(len(self.groups)), 2))

    @property
    def cells(self) -> int:
        """How many counts it has, over all pairs."""
        return sum(prod(self.sizes[column] for column in pair) for pair in self.pairs)

    def tables(self, counts: Sequence[int]) -> dict[Marginal, Floats]:
        """Noisy counts as one table for each pair."""
        found: dict[Marginal, Floats] = {}
        start = 0
        for left, right in self.pairs:
            shape = self.sizes[left], self.sizes[right]
            found[left, right] = np.array(counts[start : start + prod(shape)], np.float64).reshape(shape)
            start += prod(shape)
        return found

    def singles(self) -> list[Floats]:
        """The share of each column's groups, by what was released of the columns before."""
        return [
            np.bincount(of_bin, weights=bins.masses) / self.columns.total
            for of_bin, bins in zip(self.groups, self.columns.bins, strict=True)
        ]


def sketch_of(schema: Schema, columns: Columns, stddev: float) -> Sketch:
    """The sketch, told from released columns alone.

    `stddev`: the noise of one of its counts, in rows. A column has as many groups as keep the expected noise of a pair
    below `NOISE_SHARE` of the rows, at least two and a further one for missing.
    """
    cells = int(structure.NOISE_SHARE * columns.total / (sqrt(2 / pi) * stddev))
    most = max(FEWEST_GROUPS, min(BINS, isqrt(cells)))
    groups = (groups_of(column, bins, most) for column, bins in zip(schema.columns, columns.bins, strict=True))
    return Sketch(columns, tuple(groups))


def chosen_marginals(
    sketch: Sketch, counts: Sequence[int], stddev: float, workload: Sequence[Marginal], full: float, extras: float
) -> list[Marginal]:
    """What is measured in full: the `workload`, pairs that connect all columns, and pairs that those explain worst.

    `counts`: the sketch's, noisy, of `stddev`. `full`: the noise of one count of one of those pairs, in rows, if that pair
    alone had all the rho of the last round; `extras`: if the pairs on top, alone, shared what is meant for them. How many those
    are follows from released numbers alone.
    """
    sizes, held = sketch.columns.sizes, list(workload)
    tables, count = sketch.tables(counts), len(sketch.groups)
    free = structure.free_pairs(count, held)
    if not free:
        return held
    trees = len(structure.components(count, held)) - 1
    mean = sum(sizes[left] * sizes[right] for left, right in free) / len(free)
    worth = structure.worthwhile(mean, extras, sketch.columns.total)
    most = max(0, min(worth, EXTRAS_PER_COLUMN * count, len(free) - trees))
    noise = full * sqrt(len(held) + trees + most)

    def scores(expected: Mapping[Marginal, Floats]) -> dict[Marginal, int]:
        return _scores(sketch, tables, stddev, expected, noise, workload)

    singles = sketch.singles()
    apart = scores({(left, right): singles[left][:, None] * singles[right][None, :] for left, right in sketch.pairs})
    while candidates := structure.connecting_pairs(count, held):
        held.append(max(candidates, key=apart.__getitem__))
    explained = scores(_explained(sketch, tables, held, singles))
    forest = len(held)
    for pair in sorted(structure.free_pairs(count, held), key=lambda pair: (-explained[pair], pair)):
        if len(held) - forest == most:
            break
        if structure.junction_cells(sizes, [*held, pair]) <= structure.JUNCTION_CELLS:
            held.append(pair)
    return held


def _scores(
    sketch: Sketch,
    tables: Mapping[Marginal, Floats],
    stddev: float,
    expected: Mapping[Marginal, Floats],
    noise: float,
    workload: Sequence[Marginal],
) -> dict[Marginal, int]:
    """How much measuring each pair would tell, in rows: its distance from `expected` shares, less noise.

    Half where the workload names columns and the pair touches none of them.
    """
    wanted = {column for marginal in workload for column in marginal}
    sizes, found = sketch.columns.sizes, {}
    for pair, table in tables.items():
        distance = float(np.abs(table - expected[pair] * sketch.columns.total).sum())
        own = SKETCH_NOISE * sqrt(2 / pi) * stddev * table.size
        score = round(distance - own) - structure.expected_noise(sizes[pair[0]] * sizes[pair[1]], noise)
        found[pair] = score // 2 if wanted and not wanted & set(pair) else score
    return found


def _explained(
    sketch: Sketch, tables: Mapping[Marginal, Floats], held: Sequence[Marginal], singles: Sequence[Floats]
) -> dict[Marginal, Floats]:
    """The shares of every pair that follow from the held ones: conditionals chained along the shortest way between two.

    Nothing is left to connect.
    """
    onward: dict[int, dict[int, Floats]] = {column: {} for column in range(len(sketch.groups))}
    for left, right in (pair for marginal in held for pair in combinations(marginal, 2)):
        table = _fitted(tables[left, right] / sketch.columns.total, singles[left], singles[right])
        onward[left][right] = _conditional(table)
        onward[right][left] = _conditional(table.T)
    found: dict[Marginal, Floats] = {}
    for first in onward:
        reached = {first: np.diag(singles[first])}
        waiting = [first]
        for column in waiting:
            for other in sorted(set(onward[column]) - set(reached)):
                reached[other] = (reached[column][:, :, None] * onward[column][other][None]).sum(axis=1)
                waiting.append(other)
        found |= {(first, other): shares for other, shares in reached.items() if first < other}
    return found


def _fitted(table: Floats, rows: Floats, columns: Floats) -> Floats:
    """A noisy table of shares, cut at 0, fitted to the sums of its rows and columns.

    Source: Deming and Stephan 1940 (iterative proportional fitting), for a few turns.
    """
    fitted = np.maximum(table, 0.0) + FAINT / table.size
    for _ in range(TURNS):
        fitted = fitted * (rows / fitted.sum(axis=1))[:, None]
        fitted = fitted * (columns / np.maximum(fitted.sum(axis=0), TINY))[None, :]
        fitted = np.maximum(fitted, TINY)
    return fitted


def _conditional(table: Floats) -> Floats:
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def groups_of(column: Column, bins: Bins, most: int) -> NDArray[np.int64]:
    """The group of each bin: the heaviest categories alone and the others together; neighbouring bins of a number.

    At most `most` (>= 2) groups, and one more for missing, where declared.
    """
    values = bins.masses[: len(bins.masses) - column.missing]
    if len(values) <= most:
        groups = np.arange(len(values))
    elif isinstance(column, Category):
        groups = np.full(len(values), most - 1)
        groups[np.argsort(-values, kind="stable")[: most - 1]] = np.arange(most - 1)
    else:
        middle = (np.cumsum(values) - values / 2) / max(1.0, float(values.sum()))
        groups = np.unique(np.minimum(middle * most, most - 1).astype(np.int64), return_inverse=True)[1]
    groups = groups.astype(np.int64)
    return np.append(groups, groups.max() + 1) if column.missing else groups
