"""How much the members of a pool sum at most for the twin of their records: told from the declaration alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import prod

from marketplace.protocol.schema import Column, Schema
from marketplace.protocol.specification import Specification, Workload
from marketplace.scores.groups import Grouping, Groups
from marketplace.scores.summed import WIDEST, Scoring
from node.synthesis.bins import BINS, most_bins
from node.synthesis.budget import EXTRAS_PER_COLUMN, marginals_of, measures_all
from node.synthesis.cells import FAN, WORTH_SHARE, cell_count, widths


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
