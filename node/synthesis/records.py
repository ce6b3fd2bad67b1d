"""The records' own counts: the one module of the generator that computes from records. What it returns is not noisy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import prod

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol.schema import Column, Schema
from node.synthesis.bins import Bins
from node.synthesis.cells import Cells, Codes
from node.synthesis.structure import Marginal

MISSING = -1

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Records:
    """A coded table as arrays, -1 for missing. A person has at most `bound` of the rows.

    Sensitivities, for neighbours that differ by all rows of one person, with b = `bound`: a person's rows fall into the
    cells of one histogram with counts d_1, d_2, ... >= 0 and sum at most b, so the histogram moves by at most b in L1,
    and by sqrt(sum d_i^2) <= sum d_i <= b in L2, which all b rows in one cell reach.
    """

    columns: tuple[NDArray[np.int32], ...]
    bound: int

    @classmethod
    def of_table(cls, table: pa.Table, schema: Schema) -> "Records":
        """The arrays of a coded `table`. Raises `Invalid`, naming the column, if it is not of the `schema`."""
        if tuple(table.column_names) != schema.names:
            raise Invalid(f"expected the columns {', '.join(schema.names)} in this order; code the records again")
        columns = tuple(_codes(table.column(column.name), column) for column in schema.columns)
        return cls(columns, schema.rows_per_person)

    def in_cells(self, column: int, starts: Codes, ends: Codes, with_missing: bool) -> Counts:
        """How many rows have a code of `column` in each cell, missing last if asked. L2 sensitivity `bound`.

        The cells do not overlap.
        """
        codes = np.sort(self.columns[column])
        counts = np.searchsorted(codes, ends) - np.searchsorted(codes, starts)
        if with_missing:
            counts = np.append(counts, np.count_nonzero(codes == MISSING))
        return counts.astype(np.int64)

    def binned(self, cells: Sequence[Cells], bins: Sequence[Bins]) -> "BinnedRecords":
        """The records with each code replaced by its bin."""
        columns = []
        for codes, column_cells, column_bins in zip(self.columns, cells, bins, strict=True):
            cell = np.searchsorted(column_cells.starts, np.maximum(codes, 0), side="right") - 1
            last = column_bins.size - 1
            columns.append(np.where(codes == MISSING, last, column_bins.of_cell[cell]).astype(np.int16))
        return BinnedRecords(tuple(columns), tuple(column_bins.size for column_bins in bins), self.bound)


@dataclass(frozen=True)
class BinnedRecords:
    """Records whose columns hold bins, 0 <= bin < `sizes[column]`. Sensitivities as in `Records`."""

    columns: tuple[NDArray[np.int16], ...]
    sizes: tuple[int, ...]
    bound: int

    def marginal(self, columns: Sequence[int]) -> Counts:
        """How many rows have each combination of bins of `columns`, the last varying fastest. L2 sensitivity `bound`."""
        first, *others = columns
        key = self.columns[first].astype(np.int64)
        for column in others:
            key *= self.sizes[column]
            key += self.columns[column]
        return np.bincount(key, minlength=prod(self.sizes[column] for column in columns)).astype(np.int64)

    @cached_property
    def pairs(self) -> Mapping[Marginal, Counts]:
        """The marginal of every pair of columns, counted once and kept. L2 sensitivity of each: `bound`."""
        return {pair: self.marginal(pair) for pair in combinations(range(len(self.sizes)), 2)}

    def distance(self, pair: Marginal, expected: Counts) -> int:
        """The L1 distance of a pair's marginal from `expected` whole numbers that were released before, in rows.

        Sensitivity `bound`, up or down: by the triangle inequality it moves by no more than the marginal does in L1.
        """
        return int(np.abs(self.pairs[pair] - expected).sum())


def _codes(values: pa.ChunkedArray, column: Column) -> NDArray[np.int32]:
    if values.type != pa.int32():
        raise Invalid(f"column {column.name!r}: expected codes as int32; code the records again")
    if values.null_count and not column.missing:
        raise Invalid(f"column {column.name!r}: expected a value in every row; declare that it may be missing")
    present = values.drop_null().to_numpy()
    if present.size and not 0 <= present.min() <= present.max() < column.size:
        raise Invalid(f"column {column.name!r}: expected codes from 0 to {column.size - 1}; code the records again")
    codes: NDArray[np.int32] = values.fill_null(MISSING).to_numpy().astype(np.int32)
    return codes
