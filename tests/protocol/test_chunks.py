"""A buyer's request for the keys of chunks, and a node's answer."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.chunks import ChunkKeys, ChunkRequest, SignedChunkRequest
from marketplace.protocol.identity import DeliveryHash, OrderId

ORDER, DELIVERY = OrderId(b"o" * 32), DeliveryHash(b"d" * 32)
REQUEST = ChunkRequest(ORDER, DELIVERY, (0, 7), 1_000)
KEYS = ChunkKeys(ORDER, {7: b"b" * 32, 0: b"a" * 32})

indices = st.sets(st.integers(0, 2**32 - 1), min_size=1, max_size=8).map(sorted).map(tuple)
words = st.binary(min_size=32, max_size=32)


def spelled(document: dict[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


@given(words, words, indices, st.integers(0, 2**53 - 1), st.binary(max_size=2_048))
def test_a_request_survives_being_sent(
    order: bytes, delivery: bytes, wanted: tuple[int, ...], until_s: int, signature: bytes
) -> None:
    request = ChunkRequest(OrderId(order), DeliveryHash(delivery), wanted, until_s)
    assert SignedChunkRequest.decode(request.encode(signature)) == SignedChunkRequest(request, signature)


@given(words, st.dictionaries(st.integers(0, 2**32 - 1), words, max_size=8))
def test_an_answer_survives_being_sent(order: bytes, keys: dict[int, bytes]) -> None:
    assert ChunkKeys.decode(ChunkKeys(OrderId(order), keys).encode()) == ChunkKeys(OrderId(order), keys)


@pytest.mark.parametrize("wanted", [(), (1, 1), (2, 1), tuple(range(9)), (-1,), (2**32,)])
def test_a_request_is_for_one_to_eight_different_chunks_in_rising_order(wanted: tuple[int, ...]) -> None:
    with pytest.raises(Invalid):
        replace(REQUEST, indices=wanted)
    document = json.loads(REQUEST.encode(b"")) | {"indices": list(wanted)}
    with pytest.raises(Invalid):
        SignedChunkRequest.decode(spelled(document))


@pytest.mark.parametrize(
    "changes",
    [{"order": b"o"}, {"delivery": b"d" * 33}, {"until_s": -1}, {"until_s": 2**53}],
)
def test_a_request_that_cannot_be_is_invalid(changes: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(REQUEST, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("part", ["order", "delivery", "indices", "until_s", "signature"])
@pytest.mark.parametrize("value", [None, True, -5, 1.5, "xy", [], [True], ["1"], {}, "AA" * 32])
def test_a_part_of_another_kind_makes_a_request_invalid(part: str, value: object) -> None:
    document = json.loads(REQUEST.encode(b"s" * 65))
    with pytest.raises(Invalid):
        SignedChunkRequest.decode(spelled(document | {part: value}))
    del document[part]
    with pytest.raises(Invalid):
        SignedChunkRequest.decode(spelled(document))


def test_what_a_stranger_sends_is_invalid_and_never_corrupt() -> None:
    whole = REQUEST.encode(b"s" * 65)
    for data in (b"", b"nothing", b"[" * 9_000, whole + b" ", whole[:-1], KEYS.encode(), whole.replace(b"/1", b"/2")):
        with pytest.raises(Invalid, match="expected"):
            SignedChunkRequest.decode(data)
    with pytest.raises(Invalid, match="at most 2048 bytes"):
        SignedChunkRequest.decode(REQUEST.encode(b"s" * 2_049))


@pytest.mark.parametrize(
    "changes",
    [
        {"keys": None}, {"keys": {"0": "aa"}}, {"keys": [{"index": 0}]}, {"keys": [{"index": True, "key": "61" * 32}]},
        {"keys": [{"index": 0, "key": "61" * 31}]}, {"keys": [{"index": 0, "key": "AA" * 32}]}, {"order": 5}, {"x": 1},
        {"keys": [{"index": 0, "key": "61" * 32}, {"index": 0, "key": "62" * 32}]},
        {"keys": [{"index": 7, "key": "61" * 32}, {"index": 0, "key": "62" * 32}]},
    ],
)  # fmt: skip
def test_an_answer_with_other_parts_is_corrupt(changes: dict[str, object]) -> None:
    with pytest.raises(Corrupt, match="ask whose node answered"):
        ChunkKeys.decode(spelled(json.loads(KEYS.encode()) | changes))


def test_an_answer_about_another_order_is_corrupt() -> None:
    assert KEYS.keys_of(ORDER) == KEYS.keys
    with pytest.raises(Corrupt, match="those of another"):
        KEYS.keys_of(OrderId(b"x" * 32))


def test_no_key_is_printed() -> None:
    assert (b"a" * 32).hex() not in repr(KEYS)
    assert "aaaa" not in repr(KEYS)
