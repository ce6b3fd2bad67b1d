"""How much the members of a pool sum at most for the twin of their records: told from the declaration alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import prod

from marketplace.protocol.crossing import MOST_SIDE_CELLS, Side
from marketplace.protocol.schema import Column, Schema
from marketplace.protocol.specification import Specification, Workload
from marketplace.scores.groups import Grouping, Groups
from marketplace.scores.summed import WIDEST, Scoring
from node.synthesis.bins import BINS, most_bins
from node.synthesis.budget import EXTRAS_PER_COLUMN, marginals_of, measures_all
from node.synthesis.cells import FAN, WORTH_SHARE, cell_count, widths
from node.twin.split import Split


@dataclass(frozen=True)
class Extent:
    """At most so many `statistics`, with so many `cells` in all of them together."""

    statistics: int
    cells: int


def extent_of(schema: Schema, specification: Specification) -> Extent:
    """The most that any records could have summed."""
    parts = [cells for column in schema.columns for cells in _levels(column)]
    parts += _of_one_width(schema) if measures_all(schema) else _sketched(schema, specification.workload)
    parts += [one.cells for one in _finest(schema, specification).statistics]
    return Extent(len(parts), sum(parts))


def shared_most(split: Split, specification: Specification) -> int:
    """How many numbers one party of a split table shares in a round at most: of its own side, and of products.

    A round has as parts of a side at most all sets of its columns of the width that is measured; a number is shared for each
    cell with its sign and without it. A side of several parties has its rows emptied, and whom the other side knows.
    """
    schema, most = split.joined, [most_bins(column) for column in split.joined.columns]
    most = [max(bins, cell_count(column)) for bins, column in zip(most, schema.columns, strict=True)]
    wanted = max(map(len, marginals_of(schema, specification.workload)), default=1)
    widest = len(most) if measures_all(schema) else wanted
    cells, products = [], 0
    for side in Side:
        sizes, parties = [most[place] for place in split.places(side)], split.sides.count(side)
        sets = (prod(part) for width in range(1, widest + 1) for part in combinations(sizes, width))
        cells.append(min(1 + sum(sets), MOST_SIDE_CELLS))
        products += parties * cells[-1] + (cells[-1] + 1 + parties * (parties - 2) if parties > 1 else 0)
    return split.buckets * (2 * max(cells) + products)


def _finest(schema: Schema, specification: Specification) -> Scoring:
    """The scoring with as many groups of each column as there can be."""
    sizes = (most_bins(column) - column.missing for column in schema.columns)
    groups = tuple(Groups(tuple(range(min(size, BINS))), tuple(range(min(size, BINS)))) for size in sizes)
    return Scoring(schema, specification, (Grouping(schema, groups),) * WIDEST)


def _levels(column: Column) -> Iterator[int]:
    """The cells of each level: of a later one the pieces of those that hold more than `WORTH_SHARE` of all rows."""
    yield cell_count(column)
    for _ in widths(column)[1:]:
        yield min(column.size, FAN * int(1 / WORTH_SHARE))


def _of_one_width(schema: Schema) -> list[int]:
    sizes = [most_bins(column) for column in schema.columns]
    each = ([prod(part) for part in combinations(sizes, width)] for width in range(1, len(sizes) + 1))
    return max(each, key=sum)


def _sketched(schema: Schema, workload: Workload) -> list[int]:
    """The sketch; the workload's marginals, whole or as their pairs; and as many of the largest pairs as may be chosen."""
    sizes, wanted = [most_bins(column) for column in schema.columns], marginals_of(schema, workload)
    groups = [min(size, BINS + column.missing) for size, column in zip(sizes, schema.columns, strict=True)]
    sketch = sum(left * right for left, right in combinations(groups, 2))
    asked = [prod(sizes[place] for place in part) for whole in wanted for part in {whole, *combinations(whole, 2)}]
    pairs = sorted((left * right for left, right in combinations(sizes, 2)), reverse=True)
    return [sketch, *asked, *pairs[: len(sizes) - 1 + EXTRAS_PER_COLUMN * len(sizes)]]
