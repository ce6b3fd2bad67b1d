"""Log entries that are not the marketplace's own are never taken for events."""

import pytest

from marketplace.errors import Corrupt
from marketplace.ledger import artifact
from marketplace.ledger.abi import encode
from marketplace.ledger.addresses import address_of, places_of
from marketplace.ledger.artifact import Entry
from marketplace.ledger.chain import Log
from marketplace.ledger.events import decode_events, entries_at
from marketplace.protocol.events import Event, OrderSettled, Position
from marketplace.protocol.identity import Address
from marketplace.protocol.states import Reason

PLACES = places_of(address_of(b"\x07" * 20))
ENTRIES = entries_at(PLACES, artifact.load())
BY_NAME = {entry.name: entry for entries in ENTRIES.values() for entry in entries.values()}
POSITION = Position(12, 0, bytes(32), 1)
ORDER = b"o" * 32


def settled(entry: Entry, reason: int, contract: Address = PLACES.marketplace) -> Log:
    return Log(POSITION, contract, (entry.key, ORDER), encode(["uint8"], [reason]))


def decode_event(log: Log) -> Event:
    (event,) = decode_events([log], ENTRIES)
    return event


def log(topics: tuple[bytes, ...], data: bytes, contract: Address = PLACES.marketplace) -> Log:
    return Log(POSITION, contract, topics, data)


def test_a_known_entry_becomes_its_event() -> None:
    event = decode_event(settled(BY_NAME["OrderSettled"], 7))
    assert event == OrderSettled(POSITION, ORDER, Reason.APPROVED)  # type: ignore[arg-type]


@pytest.mark.parametrize("topics", [(), (bytes(32),), (BY_NAME["OrderSettled"].key,), (b"\x01" * 32, ORDER)])
def test_an_unknown_entry_is_corrupt_and_names_the_block(topics: tuple[bytes, ...]) -> None:
    with pytest.raises(Corrupt, match="block 12"):
        decode_event(log(topics, encode(["uint8"], [7])))


def test_an_entry_with_other_data_is_corrupt() -> None:
    for data in (b"", b"\xff" * 32, encode(["uint8"], [200])):
        with pytest.raises(Corrupt):
            decode_event(log((BY_NAME["OrderSettled"].key, ORDER), data))


def test_an_event_that_says_nothing_about_the_marketplace_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="block 12"):
        decode_event(log((BY_NAME["EIP712DomainChanged"].key,), b""))


def test_an_event_counts_only_where_its_contract_wrote_it() -> None:
    for place in (PLACES.permits, PLACES.providers, PLACES.licences, PLACES.checks, address_of(b"\x09" * 20)):
        with pytest.raises(Corrupt, match="block 12"):
            decode_event(settled(BY_NAME["OrderSettled"], 7, place))


def test_what_licences_tell_wallets_is_skipped_and_nothing_else_of_theirs_is() -> None:
    word = encode(["uint256"], [1])
    for name in ("Transfer", "Approval"):
        topics = (BY_NAME[name].key, bytes(32), bytes(32), word)
        assert list(decode_events([log(topics, b"", PLACES.licences)], ENTRIES)) == []
        with pytest.raises(Corrupt):
            decode_event(log(topics, b""))
    assert list(decode_events([log((BY_NAME["Locked"].key,), word, PLACES.licences)], ENTRIES)) == []
    named = (BY_NAME["UserNamed"].key, ORDER, bytes(32))
    assert decode_event(log(named, b"", PLACES.licences)).position == POSITION


def test_a_reason_to_decline_that_nobody_knows_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="DeclineReason"):
        decode_event(log((BY_NAME["OrderDeclined"].key, ORDER), encode(["uint8"], [6])))
