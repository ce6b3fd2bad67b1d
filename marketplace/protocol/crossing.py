"""What is opened of persons whose columns lie at different parties: tables of cells at one side against cells at the other.

Each party puts every one of its persons into a bucket, with a sign, by a keyed hash of an identifier that all have in common,
and leaves a bucket empty into which two of its own fall. A bucket is empty for a side, too, unless one of its parties alone has
somebody there. A *part* is some of a side's columns: there a bucket is empty or has one cell, 1 or -1. What is opened of two
parts of different sides is, for each cell of either, the sum over buckets of the product of what both sides have there; of two
parts of one side, the same of their pairs of cells and the other side's presence. A person known to both sides adds its sign
squared, 1. Different persons that share a bucket add a product of independent signs: nothing, in expectation over the key.
Source: Alon, Matias and Szegedy 1996 (tug of war), for the signs.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from marketplace.errors import Invalid

FEWEST_BUCKETS, MOST_BUCKETS = 2**8, 2**18
MOST_SIDE_CELLS = 2**16
PIECE_ELEMENTS = 2**18
"""How many elements of one party are on their way at once: a mebibyte."""
LARGEST_NUMBER = 2**30 - 1
"""What nothing that is opened may exceed, in absolute value: it has its sign in a field of 2^31 - 1 elements."""

_HEAD, _COUNT, _CELLS, _TABLE = struct.Struct(">IQ"), struct.Struct(">I"), struct.Struct(">I"), struct.Struct(">BIII")


class Side(IntEnum):
    """Which of the two tables a party holds."""

    LEFT = 0
    RIGHT = 1


class Where(IntEnum):
    """Of which sides the two parts of a table are."""

    WITHIN_LEFT = 0
    WITHIN_RIGHT = 1
    ACROSS = 2

    @property
    def sides(self) -> tuple[Side, Side]:
        """Those of the first part and of the second."""
        return (Side.LEFT, Side.RIGHT) if self is Where.ACROSS else (Side(self), Side(self))


@dataclass(frozen=True)
class Table:
    """Two parts, by their numbers at their sides, against each other; of all pairs of cells, the second part's varying fastest,
    the first so many are `opened`."""

    where: Where
    first: int
    second: int
    opened: int


@dataclass(frozen=True)
class Crossing:
    """One round's tables. `sides`: of each party. `cells`: of each part at the left, and at the right; the first part is
    presence, of one cell: there is somebody. `tables`: in the order in which they are opened.

    `most`: what the noise of one party in one number does not exceed. Raises `Invalid` for a table of no side, buckets that
    are no power of two from 2^8 to 2^18, more cells than a party can share, and numbers that could lose their sign.
    """

    buckets: int
    sides: tuple[Side, ...]
    cells: tuple[tuple[int, ...], tuple[int, ...]]
    tables: tuple[Table, ...]
    most: int

    def __post_init__(self) -> None:
        check_buckets(self.buckets)
        left, right = self.cells
        if len(set(self.sides)) != len(Side):
            raise Invalid("expected parties at both sides of a split table, got none at one; choose another offer")
        if not self.tables or not all(map(self._is_there, self.tables)):
            raise Invalid("expected tables of parts that there are, and no more cells of them")
        if (left[0], right[0]) != (1, 1):
            raise Invalid("expected presence first among the parts of either side")
        if min(left + right) < 1 or max(sum(left), sum(right)) > MOST_SIDE_CELLS:
            raise Invalid(
                f"expected at most {MOST_SIDE_CELLS} cells at either side of a split table; ask for coarser ones"
            )
        if self.largest > LARGEST_NUMBER:
            raise Invalid("expected noise that a split table's numbers can hold, got more; offer more rho")

    @property
    def opened(self) -> int:
        """How many numbers everybody sees, each with every party's noise in it."""
        return sum(table.opened for table in self.tables)

    @property
    def largest(self) -> int:
        """What no number that is opened exceeds, in absolute value, if all parties keep to their bounds."""
        return self.buckets + len(self.sides) * self.most

    def across(self, side: Side) -> tuple[int, ...]:
        """Presence, and those parts of a side that stand against parts of the other."""
        found = {(one.first, one.second)[side] for one in self.tables if one.where is Where.ACROSS}
        return tuple(sorted({0, *found}))

    def first_within(self, side: Side) -> tuple[int, ...]:
        """Those parts of a side that come first in a table within it."""
        return tuple(sorted({one.first for one in self.tables if one.where.sides == (side, side)}))

    def second_within(self, side: Side) -> tuple[int, ...]:
        """Presence, and those parts of a side that come second in a table within it."""
        return tuple(sorted({0, *(one.second for one in self.tables if one.where.sides == (side, side))}))

    def _is_there(self, table: Table) -> bool:
        first, second = (self.cells[side] for side in table.where.sides)
        return (
            table.first < len(first)
            and table.second < len(second)
            and 1 <= table.opened <= first[table.first] * second[table.second]
        )

    def encode(self) -> bytes:
        """Its bytes, the same at every party, from which nothing else has the same."""
        left, right = self.cells
        lists = (bytes(self.sides), b"".join(map(_CELLS.pack, left)), b"".join(map(_CELLS.pack, right)))
        parts = (*lists, b"".join(_TABLE.pack(one.where, one.first, one.second, one.opened) for one in self.tables))
        return _HEAD.pack(self.buckets, self.most) + b"".join(_COUNT.pack(len(part)) + part for part in parts)

    @classmethod
    def decode(cls, data: bytes) -> "Crossing":
        """What is in `data`. Raises `ValueError` or `Invalid` where it is nothing of the kind."""
        try:
            buckets, most = _HEAD.unpack(data[: _HEAD.size])
            parts, rest = [], data[_HEAD.size :]
            while rest:
                (length,) = _COUNT.unpack(rest[: _COUNT.size])
                parts.append(rest[_COUNT.size : _COUNT.size + length])
                rest = rest[_COUNT.size + length :]
            sides, left, right, tables = parts
            cells = tuple(tuple(one for (one,) in _CELLS.iter_unpack(part)) for part in (left, right))
            named = tuple(Table(Where(where), *rest) for where, *rest in _TABLE.iter_unpack(tables))
            found = cls(buckets, tuple(map(Side, sides)), (cells[0], cells[1]), named, most)
        except struct.error:
            raise ValueError("expected a crossing") from None
        if found.encode() != data:
            raise ValueError("expected a crossing and no more")
        return found


def check_buckets(buckets: int) -> None:
    """Raises `Invalid` unless persons of a split table can be put into so many."""
    if not FEWEST_BUCKETS <= buckets <= MOST_BUCKETS or buckets & (buckets - 1):
        raise Invalid(
            f"expected a power of two of {FEWEST_BUCKETS} to {MOST_BUCKETS} buckets for a split table, got {buckets}"
        )


def reach_of(at: int) -> int:
    """By how much somebody with rows at so many parties moves any one table of a crossing, in L2, where each row has one cell of
    it.

    A side has in a bucket nothing or one person's cell. Somebody who comes to one of its parties fills a bucket there, or
    empties it where another was alone; so the side's bucket goes from nothing to a cell or back (a second party's being there
    empties it), never from one cell to another, and the product with the other side from 0 to +-1 in one cell or back: by 1. At
    several parties it is 1 for each (triangle inequality), since the bucket is counted as another at each: a promise must not
    hang on how identifiers are spelt. Where a row has a cell in each of k tables that are charged as one, all of it is sqrt(k)
    as long.
    """
    return at
