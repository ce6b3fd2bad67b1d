"""Two tables of the same persons, whose columns lie at different parties: which party has which, and what is crossed."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt, prod

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.crossing import Crossing, Side, Table, Where, check_buckets
from marketplace.protocol.schema import Schema
from marketplace.protocol.split import SplitSchema
from node.twin.rounds import CellRound, MarginalRound, Round, ScoreRound, SketchRound

NOUN, VERSION = "split", 1
MOST_WHOLE = 24
"""With more cells, a question's number of a cell is shared as two digits."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Split(SplitSchema):
    """A split table whose persons are put into so many `buckets`. `coincidences`: as `protocol.split.coincidences_of` tells them
    from what members declare. Raises as `SplitSchema`, and `Invalid` for buckets that cannot be."""

    buckets: int
    coincidences: int

    def __post_init__(self) -> None:
        check_buckets(self.buckets)
        super().__post_init__()

    def encode(self) -> bytes:
        """The canonical bytes, for the process that counts."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "left": self.left.document(),
                "right": self.right.document(),
                "sides": list(map(int, self.sides)),
                "buckets": self.buckets,
                "coincidences": self.coincidences,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Split":
        """The split table in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            left, right = (Schema.of_document(document[name]) for name in ("left", "right"))
            buckets, coincidences = (canonical.whole(document[name]) for name in ("buckets", "coincidences"))
            return cls(left, right, tuple(map(Side, document["sides"])), buckets, coincidences)
        except (KeyError, TypeError, ValueError, Invalid):
            raise Corrupt(
                "expected the parts of a split table, got others; let the node start the work again"
            ) from None

    def layout(self, step: Round) -> "Layout":
        """What of a round is crossed with what."""
        return Layout.of(step, self.places(Side.LEFT))

    def crossing(self, step: Round, most: int) -> Crossing:
        """What a round opens. `most`: as in `Crossing`."""
        layout = self.layout(step)
        left, right = (tuple(layout.cells(part) for part in parts) for parts in layout.parts)
        return Crossing(self.buckets, self.sides, (left, right), layout.tables, most)


@dataclass(frozen=True)
class Axis:
    """The cells of a round's question, of a column, or of a column as it is scored, number `of`; or one of two digits of their
    number: that divided by `divisor`, modulo `size`."""

    of: int
    size: int
    divisor: int = 1


Part = tuple[Axis, ...]


@dataclass(frozen=True)
class Layout:
    """`parts`: the axes of each part at the left and at the right; `tables`: in the order of the round's counts. `turned`: of
    those whose cells are opened in another order than they are counted in, by their number, the sizes of their axes as they are
    opened, and the places of those axes as they are counted.

    The part without axes, which comes first, has one cell: that a bucket has a person. A table within one side stands its first
    axis against the others, and a single one with many cells its number's first digit against the second.
    """

    parts: tuple[tuple[Part, ...], tuple[Part, ...]]
    tables: tuple[Table, ...]
    turned: Mapping[int, tuple[tuple[int, ...], tuple[int, ...]]]

    @classmethod
    def of(cls, step: Round, left: range) -> "Layout":
        """The layout of a round of which the columns at the places `left` are at the left."""
        parts: tuple[dict[Part, int], dict[Part, int]] = ({(): 0}, {(): 0})
        tables, turned = [], {}
        for number, (axes, places) in enumerate(_tables(step)):
            sides = [Side.LEFT if place in left else Side.RIGHT for place in places]
            where = Where(sides[0]) if len(set(sides)) == 1 else Where.ACROSS
            cells = prod(axis.size for axis in axes)
            if where is Where.ACROSS:
                order = sorted(range(len(sides)), key=sides.__getitem__)
                if order != list(range(len(sides))):
                    turned[number] = tuple(axes[at].size for at in order), tuple(map(order.index, range(len(order))))
                first, second = (tuple(a for a, own in zip(axes, sides, strict=True) if own is side) for side in Side)
            else:
                first, second = _apart(axes)
            one, other = (
                parts[side].setdefault(part, len(parts[side]))
                for side, part in zip(where.sides, (first, second), strict=True)
            )
            tables.append(Table(where, one, other, cells))
        return cls((tuple(parts[0]), tuple(parts[1])), tuple(tables), turned)

    def counted(self, opened: Integers) -> Integers:
        """What a crossing `opened`, in the order in which cells are counted."""
        found = np.split(opened, np.cumsum([table.opened for table in self.tables])[:-1])
        for number, (sizes, order) in self.turned.items():
            found[number] = found[number].reshape(sizes).transpose(order).ravel()
        return np.concatenate(found)

    @staticmethod
    def cells(part: Part) -> int:
        """How many cells a part has."""
        return prod(axis.size for axis in part)


def _apart(axes: Part) -> tuple[Part, Part]:
    """A table's axes as two parts, of which the first is the smaller: presence where the only axis has few cells."""
    if len(axes) > 1:
        return axes[:1], axes[1:]
    (axis,) = axes
    if axis.size <= MOST_WHOLE:
        return (), axes
    low = isqrt(axis.size - 1) + 1
    return (Axis(axis.of, -(-axis.size // low), low),), (Axis(axis.of, low),)


def _tables(step: Round) -> list[tuple[Part, tuple[int, ...]]]:
    """Of each table of a round its axes, and the places of their columns."""
    match step:
        case CellRound(questions=questions):
            return [((Axis(number, one.counts),), (one.place,)) for number, one in enumerate(questions)]
        case SketchRound(sketch=sketch):
            sizes, marginals = sketch.sizes, tuple(sketch.pairs)
        case MarginalRound(columns=columns):
            sizes, marginals = columns.sizes, step.marginals
        case ScoreRound(scoring=scoring):
            numbers, names = {cut: number for number, cut in enumerate(step.cuts)}, scoring.schema.names
            return [
                (tuple(Axis(numbers[cut], cut.size) for cut in one), tuple(names.index(cut.column) for cut in one))
                for sets in scoring.sets.values()
                for one in sets
            ]
    return [(tuple(Axis(place, sizes[place]) for place in marginal), marginal) for marginal in marginals]
