"""How an order ends: settled, rejected, lapsed at each stage; the money, the licence."""

import pytest

from marketplace.errors import Refused
from marketplace.protocol.states import OrderState, Reason
from tests.buying.provider import BOND_UNITS, HOUR_S, PRICE_UNITS
from tests.buying.world import PURSE_UNITS, World

FEE_UNITS = PRICE_UNITS * 500 // 10_000
LATE_S = HOUR_S + 60


def credit(world: World) -> int:
    return world.ledger.credit_units(world.ledger.token, world.buyer.address)


def test_settling_pays_the_provider_and_keeps_the_licence(world: World) -> None:
    order, client = world.revealed(), world.client()
    assert client.is_licensed(order)
    assert client.settle(order).function == "settle"
    view = client.order(order)
    assert (view.state, view.reason) == (OrderState.SETTLED, Reason.APPROVED)
    assert client.account().offers[view.order.offer].owed_units(0) == PRICE_UNITS
    assert client.is_licensed(order)
    assert client.withdraw(order) is None


@pytest.mark.parametrize("reached", ["placed", "delivered", "accepted"])
def test_there_is_no_licence_before_the_key_is_revealed(world: World, reached: str) -> None:
    order = {"placed": world.place, "delivered": world.delivered, "accepted": world.accepted}[reached]()
    assert not world.client().is_licensed(order)


def test_a_licence_is_nobody_elses(world: World) -> None:
    order = world.revealed()
    assert not world.client(signer=world.ledger.account()).is_licensed(order)


def test_a_licence_ends_with_its_term(world: World) -> None:
    order = world.revealed()
    world.client().settle(order)
    world.ledger.advance(366 * 24 * HOUR_S)
    assert not world.client().is_licensed(order)


def test_settling_before_the_reveal_is_refused(world: World) -> None:
    with pytest.raises(Refused):
        world.client().settle(world.accepted())


def test_settling_twice_is_refused(world: World) -> None:
    order = world.revealed()
    world.client().settle(order)
    with pytest.raises(Refused, match="Settled"):
        world.client().settle(order)


def test_rejecting_costs_the_compute_fee_and_no_more(world: World) -> None:
    order, client = world.delivered(), world.client()
    assert client.reject(order).function == "reject"
    view = client.order(order)
    assert (view.state, view.reason) == (OrderState.REFUNDED, Reason.REJECTED)
    assert credit(world) == PRICE_UNITS - FEE_UNITS
    withdrawn = client.withdraw(order)
    assert withdrawn is not None
    assert withdrawn.function == "withdrawCredit"
    assert world.purse_units() == PURSE_UNITS - FEE_UNITS
    assert client.withdraw(order) is None
    assert not client.is_licensed(order)


def test_rejecting_needs_no_fetch_but_a_delivery(world: World) -> None:
    with pytest.raises(Refused, match="expected a delivery to reject, the order is Placed"):
        world.client().reject(world.place())


def test_rejecting_what_was_accepted_is_refused(world: World) -> None:
    with pytest.raises(Refused):
        world.client().reject(world.accepted())


def test_a_declined_order_gives_the_whole_price_back(world: World) -> None:
    order, client = world.place(), world.client()
    world.provider.decline(order)
    client.withdraw(order)
    assert client.order(order).reason is Reason.DECLINED
    assert world.purse_units() == PURSE_UNITS


def test_an_order_without_delivery_gives_the_whole_price_back(world: World) -> None:
    order, client = world.place(), world.client()
    world.ledger.advance(LATE_S)
    assert client.refund(order).function == "refund"
    assert client.order(order).reason is Reason.NOT_DELIVERED
    client.withdraw(order)
    assert world.purse_units() == PURSE_UNITS


def test_a_delivery_that_lapsed_costs_the_compute_fee(world: World) -> None:
    order, client = world.delivered(), world.client()
    world.ledger.advance(LATE_S)
    assert client.refund(order).function == "refund"
    assert client.order(order).reason is Reason.NOT_ACCEPTED
    client.withdraw(order)
    assert world.purse_units() == PURSE_UNITS - FEE_UNITS


def test_a_key_that_did_not_come_gives_price_and_bond(world: World) -> None:
    order, client = world.accepted(), world.client()
    world.ledger.advance(LATE_S)
    assert client.refund(order).function == "forfeit"
    assert client.order(order).state is OrderState.FORFEITED
    client.withdraw(order)
    assert world.purse_units() == PURSE_UNITS + BOND_UNITS
    assert not client.is_licensed(order)


@pytest.mark.parametrize("reached", ["placed", "delivered", "accepted"])
def test_ending_an_order_too_early_is_refused(world: World, reached: str) -> None:
    order = {"placed": world.place, "delivered": world.delivered, "accepted": world.accepted}[reached]()
    with pytest.raises(Refused, match="wait until then"):
        world.client().refund(order)


def test_a_revealed_order_cannot_be_refunded(world: World) -> None:
    with pytest.raises(Refused, match="this one is Revealed"):
        world.client().refund(world.revealed())


def test_an_ended_order_cannot_be_refunded(world: World) -> None:
    order = world.revealed()
    world.client().settle(order)
    with pytest.raises(Refused, match="it is Settled already"):
        world.client().refund(order)


def test_after_the_challenge_window_anyone_settles(world: World) -> None:
    order = world.revealed()
    world.ledger.advance(LATE_S)
    world.client(signer=world.ledger.account()).settle(order)
    assert world.client().order(order).reason is Reason.UNCHALLENGED
