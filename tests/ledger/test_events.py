"""Log entries that are not the marketplace's own are never taken for events."""

import pytest

from marketplace.errors import Corrupt
from marketplace.ledger import artifact
from marketplace.ledger.abi import encode
from marketplace.ledger.artifact import Entry
from marketplace.ledger.chain import Log
from marketplace.ledger.events import decode_event
from marketplace.protocol.events import OrderSettled, Position
from marketplace.protocol.states import Reason

EVENTS = artifact.load().marketplace.events
BY_NAME = {entry.name: entry for entry in EVENTS.values()}
POSITION = Position(12, 0, bytes(32), 1)
ORDER = b"o" * 32


def settled(entry: Entry, reason: int) -> Log:
    return Log(POSITION, (entry.key, ORDER), encode(["uint8"], [reason]))


def test_a_known_entry_becomes_its_event() -> None:
    event = decode_event(settled(BY_NAME["OrderSettled"], 7), EVENTS)
    assert event == OrderSettled(POSITION, ORDER, Reason.APPROVED)  # type: ignore[arg-type]


@pytest.mark.parametrize("topics", [(), (bytes(32),), (BY_NAME["OrderSettled"].key,), (b"\x01" * 32, ORDER)])
def test_an_unknown_entry_is_corrupt_and_names_the_block(topics: tuple[bytes, ...]) -> None:
    with pytest.raises(Corrupt, match="block 12"):
        decode_event(Log(POSITION, topics, encode(["uint8"], [7])), EVENTS)


def test_an_entry_with_other_data_is_corrupt() -> None:
    for data in (b"", b"\xff" * 32, encode(["uint8"], [200])):
        with pytest.raises(Corrupt):
            decode_event(Log(POSITION, (BY_NAME["OrderSettled"].key, ORDER), data), EVENTS)


def test_an_event_that_says_nothing_about_the_marketplace_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="block 12"):
        decode_event(Log(POSITION, (BY_NAME["EIP712DomainChanged"].key,), b""), EVENTS)
