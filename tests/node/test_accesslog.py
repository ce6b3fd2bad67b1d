"""A day of the access log as one root."""

from dataclasses import replace

import pytest

from marketplace.errors import Corrupt
from marketplace.protocol import canonical
from node.accesslog import DayLog
from node.vault.access import Access, Day, Entry

ENTRIES = tuple(
    Entry(1_728_000_000 + place, access, dataset, version, order, bytes([place]) * 32)
    for place, (access, dataset, version, order) in enumerate(
        [
            (Access.TAKEN_IN, b"d" * 32, 1, b""),
            (Access.OPENED, b"d" * 32, 1, b"o" * 32),
            (Access.DELETED, b"", 0, b"o" * 32),
        ]
    )
)
DAY = Day(20_000, b"s" * 32, ENTRIES)


def test_a_day_is_read_again_as_it_was_written() -> None:
    assert DayLog.decode(DayLog(DAY).encode()) == DayLog(DAY)
    empty = replace(DAY, entries=())
    assert DayLog.decode(DayLog(empty).encode()).root() == DayLog(empty).root()


def test_the_root_follows_from_every_part_of_every_line() -> None:
    lines = [replace(ENTRIES[1], **change) for change in ({"at_s": 1}, {"version": 2}, {"order": b"x" * 32})]  # type: ignore[arg-type]
    days = [
        DAY,
        replace(DAY, number=20_001),
        replace(DAY, salt=b"t" * 32),
        replace(DAY, entries=()),
        replace(DAY, entries=ENTRIES[:2]),
        replace(DAY, entries=(ENTRIES[1], ENTRIES[0], ENTRIES[2])),
        *(replace(DAY, entries=(ENTRIES[0], line, ENTRIES[2])) for line in lines),
    ]
    assert len({DayLog(day).root() for day in days}) == len(days)
    assert {len(DayLog(day).root()) for day in days} == {32}


def test_two_empty_days_have_roots_that_tell_nothing() -> None:
    assert DayLog(Day(1, b"s" * 32, ())).root() != DayLog(Day(1, b"t" * 32, ())).root()


@pytest.mark.parametrize(
    "change",
    [
        {"day": {"day": -1, "salt": "00" * 32}},
        {"day": {"day": 1, "salt": "00"}},
        {"entries": [{}]},
        {"entries": [{"at_s": 1, "access": "read", "dataset": "", "version": 0, "order": "", "salt": "00" * 32}]},
        {"more": 1},
        {"format": "agora/access-log/2"},
    ],
)
def test_bytes_that_are_no_access_log_are_corrupt(change: dict[str, object]) -> None:
    document = canonical.decode(DayLog(DAY).encode(), "access-log", 1)
    with pytest.raises(Corrupt):
        DayLog.decode(canonical.encode({**document, **change}))
