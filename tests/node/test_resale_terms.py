"""What may be sold again, from the account alone."""

from dataclasses import replace

import pytest

from marketplace.errors import Invalid, Refused
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState, Reason
from node.resale import Resale, stock_terms
from tests.protocol.examples import address
from tests.protocol.history import PROVIDER, History

NEXT_YEAR_S = 3_000_000_000


def history(datasets: int = 1) -> tuple[History, OrderId]:
    """A history with a delivered order on an offer of so many datasets, the first the provider's."""
    made = History()
    owners = [PROVIDER, address(77)][:datasets]
    offer = made.publish(*[made.register(provider=owner) for owner in owners])
    made.stake(10 * offer.head.bond_units)
    return made, made.reach(offer, OrderState.DELIVERED)


def asked(order: OrderId, **changes: object) -> Resale:
    return replace(Resale(order, 5, 6, NEXT_YEAR_S), **changes)  # type: ignore[arg-type]


def test_the_terms_are_those_of_the_earlier_offer_but_for_price_end_rho_and_stock() -> None:
    made, order = history()
    view = made.view(order)
    before = made.account.offer_of(view)
    terms = stock_terms(made.account, PROVIDER, asked(order), made.now_s)
    assert view.delivery is not None
    changed = {
        "cost_units": 5,
        "margin_units": 6,
        "stock": view.delivery.plain_root,
        "valid_until_s": NEXT_YEAR_S,
    }
    assert terms.head == replace(before.head, **changed)
    assert terms.members == tuple(replace(member, rho_micro=0) for member in before.members)
    assert (terms.origin.head, terms.origin.order, terms.origin.delivery) == (before.head, view.order, view.delivery)


@pytest.mark.parametrize(
    ("state", "reason"),
    [(OrderState.REFUNDED, Reason.REJECTED), (OrderState.REFUNDED, Reason.NOT_ACCEPTED)],
)
def test_what_lapsed_or_was_rejected_may_be_sold_again(state: OrderState, reason: Reason) -> None:
    made, order = history()
    made.refund(order, reason)
    assert made.view(order).state is state
    assert stock_terms(made.account, PROVIDER, asked(order), made.now_s).head.stock != bytes(32)


def test_what_was_proven_wrong_is_never_sold_again() -> None:
    made, order = history()
    made.accept(order)
    made.reveal(order)
    made.forfeit(order, Reason.WRONG_BYTE)
    with pytest.raises(Refused, match="a wrong byte of it was proven"):
        stock_terms(made.account, PROVIDER, asked(order), made.now_s)


def test_what_has_no_delivery_is_no_stock() -> None:
    made, order = history()
    placed = made.place(made.account.offer_of(made.view(order)))
    with pytest.raises(Refused, match="it is Placed; wait for its delivery"):
        stock_terms(made.account, PROVIDER, asked(placed), made.now_s)


def test_a_sale_of_stock_is_no_stock_of_its_own() -> None:
    made, order = history()
    sale = made.place(made.publish_stock(order))
    delivery = made.view(order).delivery
    made.deliver(sale, delivery)
    with pytest.raises(Refused, match=f"name {order.hex()}"):
        stock_terms(made.account, PROVIDER, asked(sale), made.now_s)


def test_a_result_that_others_have_a_part_in_is_not_sold_again_alone() -> None:
    made, order = history(datasets=2)
    with pytest.raises(Refused, match="others have a part in it"):
        stock_terms(made.account, PROVIDER, asked(order), made.now_s)


def test_only_ones_own_orders_can_be_sold_again_and_only_into_the_future() -> None:
    made, order = history()
    for provider, wanted in ((address(88), order), (PROVIDER, OrderId(b"x" * 32))):
        with pytest.raises(Invalid, match="none of this id"):
            stock_terms(made.account, provider, asked(wanted), made.now_s)
    with pytest.raises(Invalid, match="has passed"):
        stock_terms(made.account, PROVIDER, asked(order, until_s=made.now_s), made.now_s)
