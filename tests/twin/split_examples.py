"""Split tables for tests: parties of both sides, what they hand in, and what would be opened, told in the clear."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.constraints import Condition
from marketplace.protocol.crossing import Side
from marketplace.protocol.specification import Curve, Specification, Workload
from marketplace.protocol.split import coincidences_of
from node.mpc.noise import add
from node.mpc.persons import placed
from node.noise.stream import NoiseStream
from node.twin.marking import marks
from node.twin.split import Split
from node.twin.vertical import VerticalTwin
from scripts.benchmarks.mpc_crossed import crossed
from tests.synthesis.examples import ROW, WIDE, rows_of, specification, table_of

Integers = np.ndarray
KEY, BUCKETS, RHO_MICRO = bytes(range(32)), 2**12, 60_000
SIDES = (Side.LEFT, Side.RIGHT, Side.LEFT)
WHOLE = replace(WIDE, rows_per_person=1)
MET = coincidences_of(BUCKETS, (450, 900, 450), SIDES)
LEFT, RIGHT = (replace(WHOLE, columns=part) for part in (WHOLE.columns[:2], WHOLE.columns[2:]))
SPLIT = Split(LEFT, RIGHT, SIDES, BUCKETS, MET)
ROWS = rows_of(WHOLE, 900)

Person = tuple[str, ROW]
"""An identifier and the codes of one side's columns."""


PLAIN = specification(rows=900)
CURVES = (Curve("visits", "stage", None, "II"), Curve("age", "clinic", "stage", "clinic 3"))
WISHES = replace(
    PLAIN,
    workload=Workload((("clinic", "stage"), ("visits", "clinic", "age")), CURVES),
    subgroups="clinic",
    only=(Condition("age", lower=Decimal(30)), Condition("visits", upper=Decimal(8))),
)
"""Sets that begin with a column at the right, curves over both sides, and conditions at each."""


def twin_of(
    split: Split = SPLIT, rho_micro: int = RHO_MICRO, at: int = len(SIDES), asked: Specification = PLAIN
) -> VerticalTwin:
    return VerticalTwin(asked, rho_micro, split, 1, at)


def halved(split: Split = SPLIT, rows: Sequence[ROW] = ROWS) -> list[list[Person]]:
    """Each person's left columns at one of the left parties, dealt in turn, and the right ones at every right party's turn."""
    turns = {side: [n for n, one in enumerate(split.sides) if one is side] for side in Side}
    parties: list[list[Person]] = [[] for _ in split.sides]
    for number, row in enumerate(rows):
        for side, codes in ((Side.LEFT, row[:2]), (Side.RIGHT, row[2:])):
            parties[turns[side][number % len(turns[side])]].append((f"person {number}", codes))
    return parties


def handed_in(twin: VerticalTwin, party: int, persons: Sequence[Person], opened: Opened, key: bytes = KEY) -> Integers:
    """A party's marks of the next round."""
    side, split = twin.split.sides[party], twin.split
    table = table_of(split.schema(side), [codes for _, codes in persons])
    return marks(twin, side, table, placed([name for name, _ in persons], key, split.buckets), opened)


def noise_of(twin: VerticalTwin, stream: NoiseStream | None, opened: Opened) -> Integers:
    """A party's noise of the next round, flat; none without a stream."""
    shares = twin.shares(opened)
    nothing = {one.name: np.zeros(one.cells, np.int64) for one in shares}
    return np.concatenate(list((add(nothing, shares, stream, len(opened)) if stream else nothing).values()))


def opened_by(
    twin: VerticalTwin, parties: Sequence[Sequence[Person]], noise: Sequence[NoiseStream] = (), key: bytes = KEY
) -> Opened:
    """What all rounds open, as the parties would, in one process."""
    opened: tuple[Mapping[str, tuple[int, ...]], ...] = ()
    while (crossing := twin.crossing(opened)) is not None:
        found = crossed(crossing, [handed_in(twin, n, one, opened, key) for n, one in enumerate(parties)])
        for stream in noise:
            found = found + noise_of(twin, stream, opened)
        opened = (*opened, twin.named(opened, found))
    return opened
