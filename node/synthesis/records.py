"""The records' own counts: the one module of the generator that computes from records. What it returns is not noisy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol.schema import Column, Schema
from node.synthesis.bins import Bins
from node.synthesis.cells import Cells, Codes
from node.synthesis.sketch import Sketch
from node.synthesis.structure import Marginal

MISSING = -1
BATCH_ROWS = 65_536

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Records:
    """A coded table, null for missing, read a batch at a time from where it lies. A person has at most `bound` of the rows.

    Sensitivities, for neighbours that differ by all rows of one person, with b = `bound`: a person's rows fall into the
    cells of one histogram with counts d_1, d_2, ... >= 0 and sum at most b, so the histogram moves by at most b in L1,
    and by sqrt(sum d_i^2) <= sum d_i <= b in L2, which all b rows in one cell reach.
    """

    columns: tuple[pa.ChunkedArray, ...]
    bound: int

    @classmethod
    def of_table(cls, table: pa.Table, schema: Schema) -> "Records":
        """The columns of a coded `table`. Raises `Invalid`, naming the column, if it is not of the `schema`."""
        if tuple(table.column_names) != schema.names:
            raise Invalid(f"expected the columns {', '.join(schema.names)} in this order; code the records again")
        for column in schema.columns:
            _check(table.column(column.name), column)
        return cls(tuple(table.columns), schema.rows_per_person)

    def in_cells(self, column: int, starts: Codes, ends: Codes, with_missing: bool) -> Counts:
        """How many rows have a code of `column` in each cell, missing last if asked. L2 sensitivity `bound`.

        The cells do not overlap.
        """
        counts = np.zeros(len(starts) + with_missing, np.int64)
        for piece in _pieces(self.columns[column]):
            codes = np.sort(piece)
            counts[: len(starts)] += np.searchsorted(codes, ends) - np.searchsorted(codes, starts)
            if with_missing:
                counts[-1] += np.count_nonzero(codes == MISSING)
        return counts

    def binned(self, cells: Sequence[Cells], bins: Sequence[Bins]) -> "BinnedRecords":
        """The records with each code replaced by its bin, in as few bytes as hold it."""
        columns = []
        for codes, column_cells, column_bins in zip(self.columns, cells, bins, strict=True):
            found = np.empty(len(codes), np.min_scalar_type(column_bins.size))
            end = 0
            for piece in _pieces(codes):
                start, end = end, end + len(piece)
                cell = np.searchsorted(column_cells.starts, np.maximum(piece, 0), side="right") - 1
                found[start:end] = np.where(piece == MISSING, column_bins.size - 1, column_bins.of_cell[cell])
            columns.append(found)
        return BinnedRecords(tuple(columns), tuple(column_bins.size for column_bins in bins), self.bound)


@dataclass(frozen=True)
class BinnedRecords:
    """Records whose columns hold bins, 0 <= bin < `sizes[column]`. Sensitivities as in `Records`."""

    columns: tuple[NDArray[np.integer[Any]], ...]
    sizes: tuple[int, ...]
    bound: int

    def marginal(self, columns: Sequence[int]) -> Counts:
        """How many rows have each combination of bins of `columns`, the last varying fastest. L2 sensitivity `bound`."""
        counts = np.zeros(prod(self.sizes[column] for column in columns), np.int64)
        for batch in self._batches(columns):
            key = batch[0]
            for bins, column in zip(batch[1:], columns[1:], strict=True):
                key *= self.sizes[column]
                key += bins
            counts += np.bincount(key, minlength=len(counts))
        return counts

    @cached_property
    def pairs(self) -> Mapping[Marginal, Counts]:
        """The marginal of every pair of columns, counted once and kept. L2 sensitivity of each: `bound`."""
        places = range(len(self.sizes))
        counts: dict[Marginal, Counts] = {
            (left, right): np.zeros(self.sizes[left] * self.sizes[right], np.int64)
            for left, right in combinations(places, 2)
        }
        for batch in self._batches(places):
            key = np.empty_like(batch[0])
            for (left, right), found in counts.items():
                np.multiply(batch[left], self.sizes[right], out=key)
                np.add(key, batch[right], out=key)
                found += np.bincount(key, minlength=len(found))
        return counts

    def in_sketch(self, sketch: Sketch) -> Counts:
        """The rows in each cell of every pair, flat, one pair after the other. A row adds 1 to one cell of each pair."""
        found = tuple(of_bin[bins] for of_bin, bins in zip(sketch.groups, self.columns, strict=True))
        pairs = BinnedRecords(found, sketch.sizes, self.bound).pairs
        return np.concatenate([pairs[pair] for pair in sketch.pairs])

    def distance(self, pair: Marginal, expected: Counts) -> int:
        """The L1 distance of a pair's marginal from `expected` whole numbers that were released before, in rows.

        Sensitivity `bound`, up or down: by the triangle inequality it moves by no more than the marginal does in L1.
        """
        return int(np.abs(self.pairs[pair] - expected).sum())

    def _batches(self, columns: Sequence[int]) -> Iterator[list[NDArray[np.int64]]]:
        for start in range(0, len(self.columns[0]), BATCH_ROWS):
            yield [self.columns[column][start : start + BATCH_ROWS].astype(np.int64) for column in columns]


def _pieces(column: pa.ChunkedArray) -> Iterator[NDArray[np.int32]]:
    for chunk in column.chunks:
        for start in range(0, len(chunk), BATCH_ROWS):
            yield chunk.slice(start, BATCH_ROWS).fill_null(MISSING).to_numpy()


def _check(values: pa.ChunkedArray, column: Column) -> None:
    if values.type != pa.int32():
        raise Invalid(f"column {column.name!r}: expected codes as int32; code the records again")
    if values.null_count and not column.missing:
        raise Invalid(f"column {column.name!r}: expected a value in every row; declare that it may be missing")
    found = pc.min_max(values)
    if found["min"].is_valid and not 0 <= found["min"].as_py() <= found["max"].as_py() < column.size:
        raise Invalid(f"column {column.name!r}: expected codes from 0 to {column.size - 1}; code the records again")
