"""Orders by one signature through the client: every way to pay, on every adapter, and what a token says of itself."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from marketplace.errors import Corrupt, Refused
from marketplace.ledger.ids import Domain
from marketplace.ledger.refusals import error_name
from marketplace.ledger.signatures import sign_approval, sign_authorization, sign_order
from marketplace.ledger.tokens import approval_nonce, token_domain
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Means, Order, Payment
from marketplace.protocol.states import OrderState
from tests.ledger.world import HOUR_S, PRICE_UNITS, World

Pay = Callable[[World, Order], Payment]


def by_approval(world: World, _: Order) -> Payment:
    token = token_domain(world.ledger.chain, world.token)
    nonce = approval_nonce(world.ledger.chain, world.token, world.buyer.address)
    assert token is not None
    assert nonce is not None
    until_s = world.ledger.now_s() + HOUR_S
    return sign_approval(world.buyer, token, world.ledger.domain.contract, PRICE_UNITS, nonce, until_s)


def by_authorization(world: World, order: Order) -> Payment:
    token, until_s = token_domain(world.ledger.chain, world.token), world.ledger.now_s() + HOUR_S
    assert token is not None
    contract = world.ledger.domain.contract
    return sign_authorization(world.buyer, token, contract, PRICE_UNITS, world.id(order), until_s)


def approved(world: World, _: Order) -> Payment:
    world.ledger.approve(world.buyer, world.token, PRICE_UNITS)
    return Payment(Means.APPROVAL)


WAYS = pytest.mark.parametrize("pay", [approved, by_approval, by_authorization], ids=["approval", "2612", "3009"])


@pytest.fixture
def offer(world: World) -> Offer:
    """A pool's offer, when the buyer has approved nothing."""
    world.ledger.approve(world.buyer, world.token, 0)
    return world.publish(world.head(), world.pool(2))


@WAYS
def test_a_stranger_places_the_buyers_order_and_the_buyer_pays(world: World, offer: Offer, pay: Pay) -> None:
    ledger, buyer = world.ledger, world.buyer.address
    gas, balance = ledger.gas_balance_wei(buyer), ledger.balance_units(world.token, buyer)
    order = world.order(offer)
    payment = pay(world, order)
    spent = gas - ledger.gas_balance_wei(buyer)
    signature = sign_order(world.buyer, ledger.domain, order)
    order_id, receipt = ledger.place_for(world.stranger, offer, order, signature, payment)
    assert (order_id, receipt.function) == (world.id(order), "placeFor")
    assert ledger.order(order_id).state is OrderState.PLACED
    assert ledger.balance_units(world.token, buyer) == balance - PRICE_UNITS
    assert ledger.allowance_units(world.token, buyer) == 0
    if pay is not approved:
        assert spent == gas - ledger.gas_balance_wei(buyer) == 0
    with pytest.raises(Refused) as caught:
        ledger.place_for(world.stranger, offer, order, signature, payment)
    assert error_name(caught.value) == "OrderExists"


@WAYS
def test_an_order_that_was_changed_is_not_the_buyers(world: World, offer: Offer, pay: Pay) -> None:
    order = world.order(offer)
    signature, payment = sign_order(world.buyer, world.ledger.domain, order), pay(world, order)
    with pytest.raises(Corrupt, match="expected a signature of"):
        changed = replace(order, specification=world.fresh())
        world.ledger.place_for(world.stranger, offer, changed, signature, payment)


def test_an_approval_that_was_front_run_still_pays(world: World, offer: Offer) -> None:
    order = world.order(offer)
    payment = by_approval(world, order)
    first = world.order(offer)
    parts = (world.stranger, offer)
    world.ledger.place_for(*parts, first, sign_order(world.buyer, world.ledger.domain, first), payment)
    with pytest.raises(Refused, match=r"expected an approval of .* got EUR 0\.00"):
        world.ledger.place_for(*parts, order, sign_order(world.buyer, world.ledger.domain, order), payment)
    world.ledger.approve(world.buyer, world.token, PRICE_UNITS)
    world.ledger.place_for(*parts, order, sign_order(world.buyer, world.ledger.domain, order), payment)


def test_an_authorization_of_another_order_is_corrupt(world: World, offer: Offer) -> None:
    order, other = world.order(offer), world.order(offer)
    signature = sign_order(world.buyer, world.ledger.domain, order)
    with pytest.raises(Corrupt, match="expected an authorization signed by its payer"):
        world.ledger.place_for(world.stranger, offer, order, signature, by_authorization(world, other))


def test_the_test_euro_says_its_own_domain_and_numbers_its_approvals(world: World, offer: Offer) -> None:
    chain, domain = world.ledger.chain, world.ledger.domain
    assert token_domain(chain, world.token) == Domain(domain.chain_id, world.token, "Test Euro", "1")
    before = approval_nonce(chain, world.token, world.buyer.address)
    order = world.order(offer)
    signature = sign_order(world.buyer, domain, order)
    world.ledger.place_for(world.stranger, offer, order, signature, by_approval(world, order))
    assert approval_nonce(chain, world.token, world.buyer.address) == (before or 0) + 1


def test_what_is_no_token_says_nothing(world: World) -> None:
    for place in (world.stranger.address, world.ledger.places.providers, world.ledger.domain.contract):
        assert token_domain(world.ledger.chain, place) in (None, world.ledger.domain)
        assert approval_nonce(world.ledger.chain, place, world.buyer.address) is None
