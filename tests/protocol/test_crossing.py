"""What may be opened of a split table, what cannot be asked, and by how much a person moves it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.protocol.crossing import LARGEST_NUMBER, Crossing, Side, Table, Where, reach_of

LEFT, RIGHT = Side.LEFT, Side.RIGHT
TABLES = (Table(Where.ACROSS, 0, 1, 4), Table(Where.WITHIN_LEFT, 0, 1, 5), Table(Where.WITHIN_RIGHT, 1, 2, 7))
CROSSING = Crossing(256, (LEFT, RIGHT, LEFT), ((1, 5), (1, 4, 2)), TABLES, 1_000)
SIDES = ((LEFT, RIGHT, LEFT), (LEFT, RIGHT, RIGHT), (RIGHT, LEFT, LEFT, RIGHT), (LEFT, RIGHT, LEFT, RIGHT, LEFT))
BUCKETS, CELLS = 5, 2


def test_a_crossing_is_what_its_bytes_say_and_no_more() -> None:
    assert Crossing.decode(CROSSING.encode()) == CROSSING
    for data in (b"", CROSSING.encode()[:-1], CROSSING.encode() + b"\0\0\0\0", CROSSING.encode() + b"\1"):
        with pytest.raises(ValueError):
            Crossing.decode(data)


def test_what_is_opened_is_a_number_for_each_pair_of_cells() -> None:
    assert CROSSING.opened == 4 + 5 + 7


def test_what_is_shared_of_a_part_follows_from_the_tables_that_it_stands_in() -> None:
    assert [CROSSING.across(side) for side in Side] == [(0,), (0, 1)]
    assert [CROSSING.first_within(side) for side in Side] == [(0,), (1,)]
    assert [CROSSING.second_within(side) for side in Side] == [(0, 1), (0, 2)]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"buckets": 255}, "power of two"),
        ({"buckets": 2**19}, "power of two"),
        ({"sides": (LEFT, LEFT, LEFT)}, "none at one"),
        ({"tables": ()}, "parts that there are"),
        ({"tables": (Table(Where.ACROSS, 2, 0, 1),)}, "parts that there are"),
        ({"tables": (Table(Where.WITHIN_LEFT, 0, 2, 1),)}, "parts that there are"),
        ({"tables": (Table(Where.WITHIN_LEFT, 0, 1, 6),)}, "no more cells"),
        ({"cells": ((1, 2**16), (1, 4, 2))}, "65536 cells"),
        ({"cells": ((1, 5), (1, 4, 2, 0))}, "65536 cells"),
        ({"cells": ((2, 5), (1, 4, 2))}, "presence first"),
        ({"most": LARGEST_NUMBER // 3}, "offer more rho"),
    ],
)
def test_what_cannot_be_shared_or_could_lose_its_sign_is_invalid(changes: dict[str, object], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        replace(CROSSING, **changes)  # type: ignore[arg-type]


def table(sides: tuple[Side, ...], held: list[list[list[tuple[int, int]]]]) -> np.ndarray:
    """What is opened of what each party has in each bucket: of one that alone at its side has one person there, cell and sign."""
    found = np.zeros((CELLS, CELLS), np.int64)
    for bucket in range(len(held[0])):
        there = [
            [one[bucket][0] for one, own in zip(held, sides, strict=True) if own is side and len(one[bucket]) == 1]
            for side in Side
        ]
        if len(there[LEFT]) == len(there[RIGHT]) == 1:
            (one,), (other,) = there
            found[one[0], other[0]] += one[1] * other[1]
    return found


PERSON = st.tuples(st.integers(0, CELLS - 1), st.sampled_from([-1, 1]))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SIDES), st.data())
def test_a_person_moves_a_table_by_no_more_than_its_reach(sides: tuple[Side, ...], data) -> None:  # type: ignore[no-untyped-def]
    """Whoever else is in the buckets, however the person's identifier is spelt at each party."""
    few = st.lists(PERSON, max_size=2)
    held = [data.draw(st.lists(few, min_size=BUCKETS, max_size=BUCKETS)) for _ in sides]
    before = table(sides, held)
    at = data.draw(st.sets(st.integers(0, len(sides) - 1), min_size=1))
    for party in at:
        held[party][data.draw(st.integers(0, BUCKETS - 1))].append(data.draw(PERSON))
    assert ((table(sides, held) - before) ** 2).sum() <= reach_of(len(at)) ** 2


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("at", [1, 2, 3])
def test_somebody_reaches_it(sides: tuple[Side, ...], at: int) -> None:
    """In a bucket of its own at each party, where the other side has somebody alike."""
    held: list[list[list[tuple[int, int]]]] = [[[] for _ in sides] for _ in sides]
    for party, side in enumerate(sides):
        held[next(n for n, other in enumerate(sides) if other is not side)][party].append((0, 1))
    before = table(sides, held)
    for party in range(at):
        held[party][party].append((0, 1))
    assert int((table(sides, held) - before)[0, 0]) == reach_of(at)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SIDES), st.data())
def test_spelt_alike_a_person_moves_one_bucket_wherever_it_is(sides: tuple[Side, ...], data) -> None:  # type: ignore[no-untyped-def]
    few = st.lists(PERSON, max_size=2)
    held = [data.draw(st.lists(few, min_size=1, max_size=1)) for _ in sides]
    before = table(sides, held)
    for party in range(len(sides)):
        held[party][0].append(data.draw(PERSON))
    assert ((table(sides, held) - before) ** 2).sum() <= 4
