"""Tables cut into few cells per column: what marginals are counted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketplace.protocol.schema import Number, Schema
from marketplace.scores.codes import MISSING

LARGEST_BINS = 16
DENSE_CELLS = 1 << 16
LARGEST_INT32 = 2**31 - 1

Counts = npt.NDArray[np.int64]
Keys = npt.NDArray[np.signedinteger[Any]]


@dataclass(frozen=True, eq=False)
class Cells:
    """A table of cells: for each name an int32 array, all of one length, of cells 0 .. size - 1; the last is missing."""

    names: tuple[str, ...]
    columns: tuple[npt.NDArray[np.int32], ...]
    sizes: tuple[int, ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[0])

    def missing(self) -> "Cells":
        """The same table with two cells per column: there, or missing."""
        flags = (cells == size - 1 for cells, size in zip(self.columns, self.sizes, strict=True))
        return Cells(self.names, tuple(flag.astype(np.int32) for flag in flags), (2,) * len(self.sizes))

    def only(self, name: str, cell: int) -> "Cells":
        """The rows whose column of this name is in this cell."""
        found = self.columns[self.names.index(name)] == cell
        return Cells(self.names, tuple(cells[found] for cells in self.columns), self.sizes)

    def keys(self, marginal: tuple[str, ...]) -> Keys:
        """For each row, which cell of the marginal over these columns it is in: 0 .. size(marginal) - 1."""
        first, *others = (self.names.index(name) for name in marginal)
        keys: Keys = self.columns[first].astype(
            np.int32 if self.size(marginal) <= LARGEST_INT32 else np.int64, copy=True
        )
        for position in others:
            keys *= self.sizes[position]
            keys += self.columns[position]
        return keys

    def size(self, marginal: tuple[str, ...]) -> int:
        """How many cells the marginal over these columns has."""
        size = 1
        for name in marginal:
            size *= self.sizes[self.names.index(name)]
        return size


def counts(tables: Sequence[Cells], marginal: tuple[str, ...]) -> list[Counts]:
    """For each table of one cut, the counts of the marginal's cells, in one order; cells empty in all may be left out."""
    keys, size = [table.keys(marginal) for table in tables], tables[0].size(marginal)
    if size > max(DENSE_CELLS, 8 * sum(table.rows for table in tables)):
        found, together = np.unique(np.concatenate(keys), return_inverse=True)
        keys, size = np.split(together, np.cumsum([table.rows for table in tables])[:-1]), len(found)
    return [np.bincount(part, minlength=size) for part in keys]


@dataclass(frozen=True)
class Bins:
    """How the columns of a schema are cut into cells: a category keeps its values, a number goes into bins.

    `edges`: for each column the last code of every bin but the last, ascending; None for a category. A missing value
    is in a cell of its own.
    """

    schema: Schema
    edges: tuple[tuple[int, ...] | None, ...]

    @classmethod
    def of(cls, table: pd.DataFrame, schema: Schema) -> "Bins":
        """At most 16 bins for each number, cut at the 1/16, ..., 15/16 quantiles of the codes in `table`.

        The quantile q of n codes is the smallest code that at least q n of them do not exceed; equal ones are one edge.
        """
        return cls(
            schema,
            tuple(
                _edges(table[column.name].to_numpy()) if isinstance(column, Number) else None
                for column in schema.columns
            ),
        )

    def cut(self, table: pd.DataFrame) -> Cells:
        """`table`, int32 codes with -1 for missing, in cells. Raises `ValueError` for other columns or codes."""
        if tuple(table.columns) != self.schema.names:
            raise ValueError("expected a coded table with the schema's columns in order")
        columns, sizes = [], []
        for column, edges in zip(self.schema.columns, self.edges, strict=True):
            codes = table[column.name].to_numpy()
            if codes.size and not MISSING <= codes.min() <= codes.max() < column.size:
                raise ValueError(f"expected codes of column {column.name!r} between -1 and {column.size - 1}")
            cells = codes if edges is None else np.searchsorted(np.array(edges, dtype=np.int64), codes, side="left")
            size = column.size if edges is None else len(edges) + 1
            columns.append(np.where(codes == MISSING, size, cells).astype(np.int32))
            sizes.append(size + 1)
        return Cells(self.schema.names, tuple(columns), tuple(sizes))


def _edges(codes: npt.NDArray[np.int32]) -> tuple[int, ...]:
    present = np.sort(codes[codes != MISSING])
    if not present.size:
        return ()
    places = [-(-part * present.size // LARGEST_BINS) - 1 for part in range(1, LARGEST_BINS)]
    return tuple(sorted({int(present[place]) for place in places}))
