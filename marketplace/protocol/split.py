"""A split table: two tables of the same persons, whose columns lie at different parties, and which party has which."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from marketplace.errors import Invalid
from marketplace.protocol.crossing import FEWEST_BUCKETS, MOST_BUCKETS, Side
from marketplace.protocol.schema import Schema
from marketplace.protocol.spelling import Spelling

SPELLING = Spelling.TRIMMED
"""How identifiers are spelt when they are put into buckets."""
BUCKETS_PER_ROW = 8
"""At least so many for each declared row, where there can be: no more than 12 persons of a hundred share one at their party."""


@dataclass(frozen=True)
class SplitSchema:
    """`left`, `right`: what the parties of either side declare; `sides`: of each party, in order.

    Raises `Invalid` unless both declare the same person column, one row for a person, and otherwise columns of their own that
    do not hang together under persons.
    """

    left: Schema
    right: Schema
    sides: tuple[Side, ...]

    def __post_init__(self) -> None:
        if self.left.person is None or self.left.person != self.right.person:
            raise Invalid("expected one person column at both sides of a split table; choose another offer")
        for schema in (self.left, self.right):
            if schema.rows_per_person != 1 or schema.is_linked:
                raise Invalid("expected one row for a person at either side of a split table; declare it so")
        if common := sorted(set(self.left.names) & set(self.right.names)):
            raise Invalid(f"expected each column at one side of a split table, got {', '.join(common)} at both")

    @cached_property
    def joined(self) -> Schema:
        """The columns of the left and then of the right, as of one table."""
        constraints = (*self.left.constraints, *self.right.constraints)
        return Schema((*self.left.columns, *self.right.columns), self.left.person, 1, constraints)

    def schema(self, side: Side) -> Schema:
        """What the parties of a side declare."""
        return self.left if side is Side.LEFT else self.right

    def places(self, side: Side) -> range:
        """The places of a side's columns in the joined table."""
        count = len(self.left.columns)
        return range(count) if side is Side.LEFT else range(count, count + len(self.right.columns))

    def most(self, persons: Sequence[int]) -> int:
        """How many persons both sides can know at most, where the parties know so many."""
        return min(sum(n for n, own in zip(persons, self.sides, strict=True) if own is side) for side in Side)


def coincidences_of(buckets: int, persons: Sequence[int], sides: Sequence[Side]) -> int:
    """In how many buckets at most, in expectation over the key, somebody of the left stands alone with another person of the
    right, who stands alone there, too. `persons`: how many each party has at most.

    Of n persons at the left and m at the right, n m / buckets: a pair of different persons shares a bucket once in so many. Both
    stand alone with a probability of at most exp(-max(n, m) / buckets), and x^2 exp(-x) is below 11/20.
    """
    left, right = (sum(n for n, own in zip(persons, sides, strict=True) if own is side) for side in Side)
    return -(-min(20 * left * right, 11 * buckets**2) // (20 * buckets))


def buckets_for(rows_declared: int) -> int:
    """Into how many buckets persons of a split table are put. `rows_declared`: the most that one party declares."""
    wanted = 1 << (BUCKETS_PER_ROW * rows_declared - 1).bit_length()
    return min(max(wanted, FEWEST_BUCKETS), MOST_BUCKETS)
