import pytest

from marketplace.protocol.identity import OrderId
from marketplace.protocol.limits import MOST_USERS
from marketplace.protocol.states import OrderState, Reason

from ..protocol.examples import address
from ..protocol.history import BUYER, History, arbitrated, market, permitted
from .examples import check, failing, truthful

USER = address(40)


def licensed() -> tuple[History, OrderId]:
    history, offer = market()
    return history, history.settled(offer)


def test_eight_users_pass_and_a_ninth_fails() -> None:
    history, order = licensed()
    for number in range(MOST_USERS):
        history.name_user(order, address(40 + number))
    assert failing(truthful(history)) == set()
    assert check(21, truthful(history)).evidence == "8 users"
    history.name_user(order, address(60))
    assert failing(truthful(history)) == {21}
    assert f"more than 8 users were named for order 0x{order.hex()[:8]}" in check(21, truthful(history)).evidence


def test_a_user_who_is_named_twice_or_is_the_buyer_fails() -> None:
    for users in ((USER, USER), (BUYER,)):
        history, order = licensed()
        for user in users:
            history.name_user(order, user)
        assert failing(truthful(history)) == {21}
        assert "though it had its licence" in check(21, truthful(history)).evidence


@pytest.mark.parametrize("state", [OrderState.PLACED, OrderState.ACCEPTED, OrderState.CONTESTED])
def test_a_user_who_is_named_while_there_is_no_licence_fails(state: OrderState) -> None:
    history, offer = arbitrated()
    history.name_user(history.reach(offer, state), USER)
    assert failing(truthful(history)) == {21}
    assert "while its licence was not live" in check(21, truthful(history)).evidence


def test_a_user_who_is_named_from_the_reveal_on_passes_even_if_the_licence_ends_later() -> None:
    history, offer = market()
    order = history.reach(offer, OrderState.REVEALED)
    history.name_user(order, USER)
    history.forfeit(order, Reason.WRONG_BYTE)
    assert failing(truthful(history)) == set()
    history.name_user(order, address(41))
    assert failing(truthful(history)) == {21}


@pytest.mark.parametrize(("late_s", "passes"), [(0, True), (1, False)])
def test_a_user_may_be_named_in_the_last_second_of_the_term(late_s: int, passes: bool) -> None:
    history, offer = market()
    order = history.reach(offer, OrderState.REVEALED)
    history.wait(offer.head.licence_s - 1 + late_s)
    history.name_user(order, USER)
    assert failing(truthful(history)) == (set() if passes else {21})


def test_a_user_who_is_named_after_the_permit_was_revoked_fails() -> None:
    history, offer, permit = permitted()
    order = history.settled(offer, permit=permit)
    history.name_user(order, USER)
    assert failing(truthful(history)) == set()
    history.revoke(permit)
    history.name_user(order, address(41))
    assert failing(truthful(history)) == {21}
