"""Which chunks are open, as the journal has it."""

from pathlib import Path

import pytest

from marketplace.errors import Corrupt
from marketplace.protocol.identity import OrderId
from node.endpoint.opened import note_opened, opened_chunks
from node.journal import Journal, Mark

ONE, OTHER = OrderId(b"1" * 32), OrderId(b"2" * 32)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def test_what_was_noted_at_different_times_adds_up_for_each_order(journal: Journal) -> None:
    assert opened_chunks(journal, ONE) == frozenset()
    note_opened(journal, ONE, {7, 2**32 - 1}, 1)
    note_opened(journal, OTHER, {5}, 2)
    note_opened(journal, ONE, {0}, 3)
    journal.add(ONE, Mark.SECRETS, b"abcd", 4)
    assert opened_chunks(journal, ONE) == {0, 7, 2**32 - 1}
    assert opened_chunks(journal, OTHER) == {5}


@pytest.mark.parametrize("data", [b"", b"abc", b"abcde"])
def test_other_bytes_are_corrupt(journal: Journal, data: bytes) -> None:
    journal.add(ONE, Mark.OPENED, data, 1)
    with pytest.raises(Corrupt, match="indices of chunks in the journal"):
        opened_chunks(journal, ONE)
