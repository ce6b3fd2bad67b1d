"""Whether chunks are opened before payment: the pure decision, at each of its edges."""

from dataclasses import replace

import pytest

from marketplace.buying.spot_check import Sampled
from marketplace.protocol.chunks import LONGEST_LIFE_S, MOST_CHUNKS, ChunkRequest
from marketplace.protocol.draw import draw
from marketplace.protocol.identity import DeliveryHash, OrderId
from marketplace.protocol.order import Standing
from marketplace.protocol.result import least_rows_bytes
from marketplace.protocol.states import OrderState, Reason
from marketplace.sealing.chunk import DATA_BYTES, MOST_DISCLOSED
from node.endpoint.disclosure import Sealed, objection_to_chunks, objection_to_order
from tests.protocol.examples import SCHEMA

NOW_S = 1_000_000
DELIVERY, OTHER = DeliveryHash(b"d" * 32), DeliveryHash(b"e" * 32)
REQUEST = ChunkRequest(OrderId(b"o" * 32), DELIVERY, (0, 5), NOW_S + 60)
STANDING = Standing(OrderState.DELIVERED, Reason.NONE, NOW_S + 3_600, 0, 0, 0, 0, DELIVERY)
SEALED = Sealed(DELIVERY, 4_000, 32 * DATA_BYTES)


def of_order(now_s: int = NOW_S, request: ChunkRequest = REQUEST, **changes: object) -> str | None:
    found = objection_to_order(request, replace(STANDING, **changes), now_s)  # type: ignore[arg-type]
    return str(found) if found else None


def of_chunks(*indices: int, opened: frozenset[int] = frozenset(), **changes: object) -> str | None:
    request = replace(REQUEST, indices=indices)
    found = objection_to_chunks(request, replace(SEALED, **changes), opened)  # type: ignore[arg-type]
    return str(found) if found else None


def test_a_delivered_order_may_be_looked_into() -> None:
    assert of_order() is None
    assert of_chunks(0, 5) is None


def test_both_the_request_and_the_acceptance_hold_through_their_last_second() -> None:
    assert of_order(REQUEST.until_s) is None
    assert "has expired" in str(of_order(REQUEST.until_s + 1))
    assert of_order(deadline_s=NOW_S) is None
    assert "the time for it has passed" in str(of_order(deadline_s=NOW_S - 1))


def test_a_request_for_more_than_an_hour_is_refused() -> None:
    assert of_order(request=replace(REQUEST, until_s=NOW_S + LONGEST_LIFE_S)) is None
    assert "at most 3600 s" in str(of_order(request=replace(REQUEST, until_s=NOW_S + LONGEST_LIFE_S + 1)))


@pytest.mark.parametrize("state", sorted(set(OrderState) - {OrderState.DELIVERED}))
def test_every_other_state_is_refused_by_its_word(state: OrderState) -> None:
    assert f"this one is {state.word}" in str(of_order(state=state))


def test_the_delivery_is_the_ledgers_and_this_nodes() -> None:
    assert "the delivery on the ledger" in str(of_order(delivery=OTHER))
    assert "the delivery that this node sealed" in str(of_chunks(0, delivery=OTHER))


def test_an_index_is_below_the_count() -> None:
    assert of_chunks(3_999) is None
    assert "expected chunks below 4000" in str(of_chunks(3_999, 4_000))


def test_chunks_that_are_open_cost_nothing_and_others_are_counted() -> None:
    seven = frozenset(range(7))
    assert of_chunks(0, 1, 6, 7, opened=seven) is None
    assert "7 are open already" in str(of_chunks(7, 8, opened=seven))
    assert of_chunks(*range(8), opened=frozenset(range(8))) is None
    assert "8 are open already" in str(of_chunks(8, opened=frozenset(range(8))))


@pytest.mark.parametrize(
    ("count", "chunks_of_rows", "most"),
    [
        (4_000, 32, 8),
        (4_000, 31, 7),
        (4_000, 4, 1),
        (4_000, 3, 0),
        (4_000, 9_999, 8),
        (31, 31, 7),
        (3, 3, 0),
        (1, 0, 0),
    ],
)
def test_at_most_eight_and_a_quarter_of_count_and_of_rows(count: int, chunks_of_rows: int, most: int) -> None:
    sealed = Sealed(DELIVERY, count, chunks_of_rows * DATA_BYTES)
    assert sealed.most == most
    assert of_chunks(0, count=count, content_bytes=chunks_of_rows * DATA_BYTES) is None or most == 0


def test_one_request_can_ask_for_all_that_is_ever_opened() -> None:
    assert MOST_CHUNKS == MOST_DISCLOSED == 8


def test_of_stock_only_what_its_seed_draws_is_opened_in_any_sale() -> None:
    sealed = replace(SEALED, stock=b"s" * 32)
    allowed = sealed.open_to_all
    assert allowed is not None
    assert len(allowed) == 8
    assert 0 in allowed
    assert of_chunks(*sorted(allowed), stock=sealed.stock) is None
    closed = next(index for index in range(32) if index not in allowed)
    assert "the 8 chunks of this stock that all its buyers may open" in str(of_chunks(0, closed, stock=sealed.stock))
    assert of_chunks(closed) is None
    assert replace(sealed, stock=b"t" * 32).open_to_all != allowed
    assert replace(sealed, content_bytes=3 * DATA_BYTES).open_to_all == frozenset()
    assert SEALED.open_to_all is None


@pytest.mark.parametrize("rows", [600, 1_200, 5_000, 100_000])
def test_a_buyer_asks_for_no_other_chunks_of_stock_than_the_node_opens(rows: int) -> None:
    sampled = Sampled(SCHEMA, rows, b"s" * 32, stock=True)
    sealed = Sealed(DELIVERY, 4_000, least_rows_bytes(SCHEMA, rows), b"s" * 32)
    assert sampled.most(4_000) == sealed.most > 0
    asked = frozenset((0, *draw(sampled.seed, sealed.most - 1, sampled.below(3_000))))
    assert asked == sealed.open_to_all
    assert replace(sampled, stock=False).below(3_000) == 3_000
