"""How long a result is kept, for every result that there can be."""

from dataclasses import replace

import pytest

from marketplace.protocol.account import OfferView, OrderView
from marketplace.protocol.events import Position
from marketplace.protocol.order import CODEC_RAW, Delivery
from marketplace.protocol.states import OrderState, Reason
from node.stock import KEEP_S, Anchor, Delete, Shelf, next_care
from node.vault.access import DAY_S
from node.work import Done, Wait
from tests.node.examples import PLACED_AT_S, offer, view

DELIVERY = Delivery(b"c" * 32, b"r" * 32, b"k" * 32, b"o" * 32, b"m" * 32, 3, CODEC_RAW)
UNTIL_S = PLACED_AT_S + 400 * DAY_S
SALE = OfferView(offer(stock=b"r" * 32, valid_until_s=UNTIL_S), Position(2, 0, b"t" * 32, PLACED_AT_S))
LATER_S = PLACED_AT_S + KEEP_S


def made(state: OrderState, reason: Reason = Reason.NONE) -> OrderView:
    """An order that was delivered."""
    return replace(view(state, reason), delivery=DELIVERY)


def shelf(order: OrderView | None = None, **changes: object) -> Shelf:
    kept = Shelf(
        order or made(OrderState.SETTLED, Reason.APPROVED), sales=(), kept=True, deleted_at_s=None, anchored=frozenset()
    )
    return replace(kept, **changes)  # type: ignore[arg-type]


WAYS_TO_END = [
    (OrderState.SETTLED, Reason.APPROVED),
    (OrderState.REFUNDED, Reason.REJECTED),
    (OrderState.REFUNDED, Reason.NOT_ACCEPTED),
    (OrderState.FORFEITED, Reason.NOT_REVEALED),
    (OrderState.REFUNDED, Reason.RULED),
]


@pytest.mark.parametrize(("state", "reason"), WAYS_TO_END)
def test_what_was_delivered_is_kept_for_a_while_after_its_order_however_that_ended(
    state: OrderState, reason: Reason
) -> None:
    ended = shelf(made(state, reason))
    assert isinstance(next_care(ended, now_s=LATER_S), Wait)
    assert next_care(ended, now_s=LATER_S + 1) == Delete()


@pytest.mark.parametrize("state", [OrderState.PLACED, OrderState.DELIVERED, OrderState.REVEALED, OrderState.CONTESTED])
def test_nothing_is_deleted_while_its_order_is_open(state: OrderState) -> None:
    assert isinstance(next_care(shelf(view(state)), now_s=LATER_S * 2), Wait)


def test_what_was_proven_wrong_or_never_delivered_is_deleted_at_once() -> None:
    flawed = shelf(made(OrderState.FORFEITED, Reason.WRONG_BYTE), sales=(SALE,))
    assert next_care(flawed, now_s=PLACED_AT_S) == Delete()
    lapsed = shelf(view(OrderState.REFUNDED, Reason.NOT_DELIVERED))
    assert next_care(lapsed, now_s=PLACED_AT_S) == Delete()


def test_stock_is_kept_to_the_last_second_of_its_offer_and_no_longer() -> None:
    stock = shelf(sales=(SALE,))
    assert isinstance(next_care(stock, now_s=UNTIL_S), Wait)
    assert next_care(stock, now_s=UNTIL_S + 1) == Delete()


def test_stock_is_kept_while_an_order_for_it_is_open() -> None:
    stock = shelf(sales=(replace(SALE, open=1), replace(SALE, retired=True)))
    assert isinstance(next_care(stock, now_s=UNTIL_S + KEEP_S), Wait)


def test_stock_of_a_retired_offer_is_deleted_even_before_its_time() -> None:
    retired = replace(SALE, retired=True)
    assert next_care(shelf(sales=(retired,)), now_s=PLACED_AT_S) == Delete()
    assert isinstance(next_care(shelf(sales=(retired, SALE)), now_s=PLACED_AT_S), Wait)


def test_the_end_of_stock_is_anchored_once_its_day_is_over() -> None:
    deleted = shelf(sales=(SALE,), kept=False, deleted_at_s=20_000 * DAY_S + 5)
    assert isinstance(next_care(deleted, now_s=20_001 * DAY_S - 1), Wait)
    assert next_care(deleted, now_s=20_001 * DAY_S) == Anchor(20_000)
    assert next_care(replace(deleted, anchored=frozenset({20_000})), now_s=20_001 * DAY_S) == Done()
    assert next_care(replace(deleted, anchored=frozenset({19_999})), now_s=20_001 * DAY_S) == Anchor(20_000)


def test_what_was_never_on_sale_ends_without_a_word_on_the_ledger() -> None:
    assert next_care(shelf(kept=False, deleted_at_s=PLACED_AT_S), now_s=LATER_S) == Done()


def test_a_deletion_that_was_interrupted_is_done_again() -> None:
    assert next_care(shelf(sales=(replace(SALE, retired=True),), deleted_at_s=5), now_s=PLACED_AT_S) == Delete()
