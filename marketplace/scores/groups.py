"""Columns in few groups of codes that are fixed before a table is made: the cells of counts that several parties sum."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Schema
from marketplace.scores.cells import Cells
from marketplace.scores.codes import MISSING

TEXT = re.compile(r"\d{1,9}:\d{1,9}( \d{1,9}:\d{1,9})*", re.ASCII)


@dataclass(frozen=True)
class Groups:
    """One column's codes in groups 0, 1, ...: from the code `starts[i]` on they are in group `of[i]`, up to the next start.

    Codes of one group need not lie together. Missing, where declared, is a group of its own behind the others.
    """

    starts: tuple[int, ...]
    of: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many groups there are, missing left out."""
        return max(self.of) + 1

    def cells(self, codes: NDArray[np.int32]) -> NDArray[np.int32]:
        """The group of each code; `size` for missing."""
        found = np.array(self.of, np.int32)[np.searchsorted(self.starts, np.maximum(codes, 0), side="right") - 1]
        return np.where(codes == MISSING, np.int32(self.size), found)

    def fits(self, size: int) -> bool:
        """Whether these are groups of the codes 0 .. `size` - 1."""
        rising = all(one < other for one, other in pairwise(self.starts))
        return rising and self.starts[0] == 0 and self.starts[-1] < size and set(self.of) == set(range(self.size))


@dataclass(frozen=True)
class Grouping:
    """All columns of a schema, each in groups."""

    schema: Schema
    groups: tuple[Groups, ...]

    def shape(self, marginal: Sequence[str]) -> tuple[int, ...]:
        """How many groups the columns of the marginal have, missing counted where it is declared."""
        pairs = zip(self.schema.columns, self.groups, strict=True)
        sizes = {column.name: own.size + column.missing for column, own in pairs}
        return tuple(sizes[name] for name in marginal)

    def cut(self, table: pd.DataFrame) -> Cells:
        """A coded `table` in cells; the last of every column is missing, whether or not that is declared."""
        names = self.schema.names
        return Cells(names, tuple(self.places(names, table)), tuple(own.size + 1 for own in self.groups))

    def places(self, marginal: Sequence[str], table: pd.DataFrame) -> list[NDArray[np.int32]]:
        """The group of every row of a coded `table` in each column of the marginal."""
        own = dict(zip(self.schema.names, self.groups, strict=True))
        return [own[name].cells(table[name].to_numpy()) for name in marginal]

    def apart(self, name: str) -> "Grouping":
        """The same with each value of the column of this name in a group of its own."""
        every = tuple(range(self.schema.column(name).size))
        own = zip(self.schema.names, self.groups, strict=True)
        return replace(self, groups=tuple(Groups(every, every) if each == name else found for each, found in own))

    def encode(self) -> str:
        """The groups as one text: of each column, `start:group` one after the other."""
        return ";".join(
            " ".join(f"{start}:{group}" for start, group in zip(own.starts, own.of, strict=True)) for own in self.groups
        )

    @classmethod
    def decode(cls, text: str, schema: Schema) -> "Grouping":
        """The groups in `text`. Raises `Corrupt` unless they are groups of the columns of `schema`."""
        parts = text.split(";")
        if len(parts) != len(schema.columns) or not all(TEXT.fullmatch(part) for part in parts):
            raise Corrupt("expected the groups of each column, got others; ask who made it")
        found = cls(schema, tuple(_groups(part.split(" ")) for part in parts))
        sizes = (column.size for column in schema.columns)
        if not all(own.fits(size) for own, size in zip(found.groups, sizes, strict=True)) or found.encode() != text:
            raise Corrupt("expected groups of the schema's codes, got others; ask who made it")
        return found


def _groups(pairs: Sequence[str]) -> Groups:
    starts, of = zip(*(map(int, pair.split(":")) for pair in pairs), strict=True)
    return Groups(starts, of)
