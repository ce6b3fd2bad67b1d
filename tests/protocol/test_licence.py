import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.protocol.identity import OrderId
from marketplace.protocol.licence import is_licensed
from marketplace.protocol.states import OrderState, Reason

from .examples import address
from .history import BUYER, PROVIDER, History, arbitrated, market, permitted
from .walk import LIVES

USER = address(6)


def test_the_buyer_is_licensed_from_the_reveal_to_the_last_second_of_the_term() -> None:
    history, offer = market()
    order = history.settled(offer)
    from_s = history.view(order).revealed_at_s
    to_s = from_s + offer.head.licence_s
    answers = [is_licensed(history.account, order, BUYER, at_s) for at_s in (from_s - 1, from_s, to_s, to_s + 1)]
    assert answers == [False, True, True, False]


def test_nobody_else_is_and_an_unknown_order_licenses_nobody() -> None:
    history, offer = market()
    order = history.settled(offer)
    assert not is_licensed(history.account, order, PROVIDER, history.now_s)
    assert not is_licensed(history.account, OrderId(b"o" * 32), BUYER, history.now_s)


@pytest.mark.parametrize("state", [OrderState.PLACED, OrderState.DELIVERED, OrderState.ACCEPTED])
def test_before_the_reveal_there_is_no_licence(state: OrderState) -> None:
    history, offer = market()
    order = history.reach(offer, state)
    assert not is_licensed(history.account, order, BUYER, history.now_s)
    assert not is_licensed(history.account, order, BUYER, 0)


def test_it_is_suspended_while_contested_and_live_again_if_the_providers_get_a_share() -> None:
    history, offer = arbitrated()
    order = history.reach(offer, OrderState.CONTESTED)
    assert not is_licensed(history.account, order, BUYER, history.now_s)
    history.rule(order, 1, 0)
    assert is_licensed(history.account, order, BUYER, history.now_s)


def test_it_is_void_where_the_providers_get_nothing() -> None:
    history, offer = arbitrated()
    ruled, wrong = history.reach(offer, OrderState.CONTESTED), history.reach(offer, OrderState.REVEALED)
    history.rule(ruled, 0, 0)
    history.forfeit(wrong, Reason.WRONG_BYTE)
    assert not any(is_licensed(history.account, order, BUYER, history.now_s) for order in (ruled, wrong))


def test_it_ends_with_its_permit() -> None:
    history, offer, permit = permitted()
    order = history.settled(offer, permit=permit)
    to_s = history.account.permits[permit].to_s
    assert [is_licensed(history.account, order, BUYER, at_s) for at_s in (to_s, to_s + 1)] == [True, False]
    history.revoke(permit)
    answers = [is_licensed(history.account, order, BUYER, at_s) for at_s in (history.now_s - 1, history.now_s)]
    assert answers == [True, False]


def test_a_permit_that_nobody_granted_licenses_nobody() -> None:
    history, offer, _ = permitted()
    order = history.settled(offer, permit=b"p" * 32)
    assert not is_licensed(history.account, order, BUYER, history.now_s)


def test_whom_the_buyer_names_is_licensed_from_then_on() -> None:
    history, offer = market()
    order = history.settled(offer)
    history.name_user(order, USER)
    answers = [is_licensed(history.account, order, USER, at_s) for at_s in (history.now_s - 1, history.now_s)]
    assert answers == [False, True]


@given(LIVES, st.data())
@settings(max_examples=30, deadline=None)
def test_only_buyers_and_those_they_named_are_ever_licensed_and_only_while_the_order_stands(
    history: History, data: st.DataObject
) -> None:
    account = history.account
    who = address(data.draw(st.integers(1, 45)))
    at_s = data.draw(st.integers(history.events[0].position.at_s, history.now_s + 40_000_000))
    for order, view in account.orders.items():
        if is_licensed(account, order, who, at_s):
            assert view.state in (OrderState.REVEALED, OrderState.SETTLED)
            assert who == view.order.buyer or who in {user.who for user in view.users}
            assert view.revealed_at_s <= at_s
