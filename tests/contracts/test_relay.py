"""Orders that somebody else hands in: placeFor, with each way to pay."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.protocol.states import OrderState
from scripts.benchmarks.evm import Deployed, Reverted
from scripts.benchmarks.life import APPROVAL, Life, Payment
from scripts.benchmarks.market import DAY_S, EURO
from scripts.benchmarks.typed import sign

from .conftest import Stage
from .doubles import double

FOREIGN = [{"chainId": 1}, {"verifyingContract": "0x" + "11" * 20}, {"version": "2"}]
OTHER = b"\7" * 32


def by_approval(life: Life) -> Any:
    return life.approval()


def by_authorization(life: Life) -> Any:
    return life.authorization()


def approved(life: Life) -> Any:
    """The price is approved as usual."""
    life.market.act(life.order.buyer, life.market.euro, "approve", life.market.rules.address, life.terms.price)
    return APPROVAL


WAYS: dict[str, Callable[[Life], Any]] = {
    "approval": approved,
    "EIP-2612": by_approval,
    "EIP-3009": by_authorization,
}
EVERY_WAY = pytest.mark.parametrize("pay", WAYS.values(), ids=WAYS)
SIGNED_WAYS = pytest.mark.parametrize("pay", [by_approval, by_authorization], ids=["EIP-2612", "EIP-3009"])


@pytest.fixture(autouse=True)
def _nothing_approved(stage: Stage) -> None:
    """The buyer has approved nothing yet."""
    stage.market.euro.send(stage.buyer, "approve", stage.rules.address, 0)


@EVERY_WAY
def test_an_order_is_placed_for_its_buyer_as_if_by_it(stage: Stage, pay: Callable[[Life], Any]) -> None:
    before = stage.market.euro.ask("balanceOf", stage.buyer)
    life = stage.order()
    outcome = life.place_for(pay(life))
    assert outcome.value == life.id
    assert life.standing[:3] == (OrderState.PLACED, 0, stage.market.evm.now_s + DAY_S)
    (event,) = outcome.events
    assert (event.name, event.values["order"], event.values["buyer"]) == ("OrderPlaced", life.id, stage.buyer)
    assert stage.market.euro.ask("balanceOf", stage.buyer) == before - stage.price
    assert stage.market.euro.ask("allowance", stage.buyer, stage.rules.address) == 0
    for step in (life.deliver, life.accept, life.reveal, life.settle):
        step()
    assert stage.standing.accrued == stage.price


@EVERY_WAY
def test_a_pooled_order_under_a_permit_is_placed_too(stage: Stage, pay: Callable[[Life], Any]) -> None:
    members = stage.market.pool(stage.provider, *stage.market.others[:3])
    terms = stage.offer(stage.market.permitted(), *members)
    life = stage.order(1, terms, permit=stage.market.grant(terms.offer))
    assert life.place_for(pay(life)).value == life.id


@EVERY_WAY
def test_an_order_is_placed_once(stage: Stage, pay: Callable[[Life], Any]) -> None:
    life = stage.order()
    payment = pay(life)
    life.place_for(payment)
    with stage.refused("OrderExists", life.id):
        life.place_for(payment)
    with stage.refused("OrderExists", life.id):
        life.place()


@pytest.mark.parametrize("field", ["specification", "versions", "placeBy", "permit"])
def test_the_relayer_can_change_nothing(stage: Stage, field: str) -> None:
    life = stage.order()
    signature, payment = life.sign_order(), life.authorization()
    changed = {"specification": OTHER, "versions": 2, "placeBy": life.order.placeBy + 1, "permit": OTHER}
    life.order = life.order._replace(**{field: changed[field]})
    with stage.refused("WrongSignature", stage.buyer):
        life.place_for(payment, signature)


def test_the_relayer_cannot_turn_the_order_to_another_offer_or_buyer(stage: Stage) -> None:
    life, other = stage.order(), stage.publish(maxOpen=5)
    signature, payment = life.sign_order(), life.authorization()
    theirs = stage.order(terms=other)
    with stage.refused("WrongSignature", stage.buyer):
        theirs.place_for(payment, signature)
    mine = stage.order(buyer=stage.stranger)
    with stage.refused("WrongSignature", stage.stranger):
        mine.place_for(payment, signature)


def test_only_the_buyers_signature_counts(stage: Stage) -> None:
    life = stage.order()
    with stage.refused("WrongSignature", stage.buyer):
        life.place_for(life.authorization(), life.sign_order(stage.stranger))


@pytest.mark.parametrize("domain", FOREIGN, ids=str)
def test_a_signature_for_another_chain_or_contract_is_refused(stage: Stage, domain: dict[str, Any]) -> None:
    life = stage.order()
    with stage.refused("WrongSignature", stage.buyer):
        life.place_for(life.authorization(), life.sign_order(**domain))


def test_an_order_that_was_signed_is_placed_until_its_own_last_second(stage: Stage) -> None:
    life = stage.order()
    until_s = life.order.placeBy
    stage.market.evm.travel(until_s + 1)
    with stage.refused("PlacedTooLate", life.id, until_s):
        life.place_for(life.authorization())
    stage.market.evm.travel(until_s)
    life.place_for(life.authorization())


def test_what_place_asks_is_asked_of_the_relayed_order_too(stage: Stage) -> None:
    stage.rules.send(stage.provider, "retire", stage.head, stage.terms.members, 0)
    life = stage.order()
    with stage.refused("OfferIsRetired", stage.terms.offer):
        life.place_for(life.authorization())


# ---------------------------------------------------------------------------------------------------------------- paying


@SIGNED_WAYS
def test_a_signature_that_pays_is_good_until_its_deadline(stage: Stage, pay: Callable[[Life], Any]) -> None:
    life = stage.order()
    payment = pay(life)
    stage.market.evm.travel(payment.deadline + 1)
    with pytest.raises(Reverted, match=r"ERC20InsufficientAllowance|ERC3009InvalidAuthorizationTime"):
        life.place_for(payment)


@SIGNED_WAYS
@pytest.mark.parametrize("changes", [{"value": 1}, {"value": 600 * EURO}], ids=["less", "more"])
def test_the_amount_signed_is_the_price(stage: Stage, pay: Callable[[Life], Any], changes: dict[str, int]) -> None:
    life = stage.order()
    payment = life.approval(**changes) if pay is by_approval else life.authorization(**changes)
    with pytest.raises(Reverted, match=r"ERC20InsufficientAllowance|ERC3009InvalidSignature"):
        life.place_for(payment)


def test_an_authorization_pays_for_its_own_order_alone(stage: Stage) -> None:
    first, second = stage.order(1), stage.order(2)
    with pytest.raises(Reverted, match="ERC3009InvalidSignature"):
        second.place_for(first.authorization())
    first.place_for(first.authorization())
    second.place_for(second.authorization())


def test_an_authorization_cannot_be_used_without_the_order(stage: Stage) -> None:
    """Only the payee may use it, and the marketplace does so for nothing but the order."""
    life = stage.order()
    payment = life.authorization()
    parts = (stage.buyer, stage.rules.address, stage.price, 0, payment.deadline, life.id)
    with pytest.raises(Reverted, match="ERC20InvalidReceiver"):
        stage.market.euro.send(stage.stranger, "receiveWithAuthorization", *parts, payment.v, payment.r, payment.s)
    with pytest.raises(Reverted, match="ERC3009InvalidSignature"):
        stage.market.euro.send(stage.stranger, "transferWithAuthorization", *parts, payment.v, payment.r, payment.s)
    life.place_for(payment)


def test_a_cancelled_authorization_pays_nothing(stage: Stage) -> None:
    life = stage.order()
    payment = life.authorization()
    cancelling = {"authorizer": stage.buyer, "nonce": life.id}
    signature = sign(stage.market.evm.keys[stage.buyer], stage.market.euro_domain, "CancelAuthorization", cancelling)
    parts = (signature[64], signature[:32], signature[32:64])
    stage.market.euro.send(stage.buyer, "cancelAuthorization", stage.buyer, life.id, *parts)
    with stage.refused("ERC3009UsedAuthorization", stage.buyer, life.id):
        life.place_for(payment)


def test_an_approval_that_somebody_used_before_still_pays(stage: Stage) -> None:
    life = stage.order()
    payment = life.approval()
    parts = (stage.buyer, stage.rules.address, stage.price, payment.deadline, payment.v, payment.r, payment.s)
    stage.market.euro.send(stage.stranger, "permit", *parts)
    life.place_for(payment)
    assert life.standing.state == OrderState.PLACED


def test_a_signature_that_does_not_approve_is_no_matter_where_the_approval_stands(stage: Stage) -> None:
    stage.market.euro.send(stage.buyer, "approve", stage.rules.address, stage.price)
    life = stage.order()
    life.place_for(Payment(1, 0, 0, bytes(32), bytes(32)))
    assert life.standing.state == OrderState.PLACED


def test_a_signature_that_does_not_approve_pays_nothing_by_itself(stage: Stage) -> None:
    life = stage.order()
    for payment in (life.approval(nonce=7), life.approval(spender=stage.stranger), life.approval(owner=stage.stranger)):
        with stage.refused("ERC20InsufficientAllowance", stage.rules.address, 0, stage.price):
            life.place_for(payment)


@EVERY_WAY
def test_who_cannot_pay_orders_nothing(stage: Stage, pay: Callable[[Life], Any]) -> None:
    balance = stage.market.euro.ask("balanceOf", stage.buyer)
    stage.market.euro.send(stage.buyer, "transfer", stage.stranger, balance - stage.price + 1)
    life = stage.order()
    payment = pay(life)
    with stage.refused("ERC20InsufficientBalance", stage.buyer, stage.price - 1, stage.price):
        life.place_for(payment)


def test_a_way_to_pay_that_there_is_not_is_refused(stage: Stage) -> None:
    with pytest.raises(Reverted, match="Revert"):
        stage.order().place_for(APPROVAL._replace(means=3))


@pytest.mark.parametrize("means", [0, 1, 2])
def test_a_free_order_is_relayed_without_any_payment(stage: Stage, means: int) -> None:
    terms = stage.offer(stage.market.permitted(cost=0, margin=0))
    life = stage.order(1, terms, permit=stage.market.grant(terms.offer))
    life.place_for(APPROVAL._replace(means=means))
    assert life.standing.state == OrderState.PLACED


# ---------------------------------------------------------------------------------------------------------------- tokens


def order_in(stage: Stage, name: str) -> tuple[Life, Deployed]:
    """An order of an offer in one of the tokens, which the buyer has."""
    coin = stage.market.evm.deploy(double(name))
    coin.send(stage.stranger, "mint", stage.buyer, 2 * stage.price)
    return stage.order(1, stage.publish(token=coin.address, bond=0)), coin


def test_a_token_without_signed_approvals_is_paid_by_a_plain_one(stage: Stage) -> None:
    life, coin = order_in(stage, "PlainToken")
    with stage.refused("ERC20InsufficientAllowance", stage.rules.address, 0, stage.price):
        life.place_for(life.approval())
    coin.send(stage.buyer, "approve", stage.rules.address, stage.price)
    life.place_for(life.approval())
    assert coin.ask("balanceOf", stage.rules.address) == stage.price


def test_a_token_without_authorizations_takes_none(stage: Stage) -> None:
    life, coin = order_in(stage, "PlainToken")
    coin.send(stage.buyer, "approve", stage.rules.address, stage.price)
    with pytest.raises(Reverted, match="Revert"):
        life.place_for(life.authorization())


def test_an_authorized_price_that_does_not_arrive_exactly_is_refused(stage: Stage) -> None:
    life, coin = order_in(stage, "SkimmingToken")
    with stage.refused("InexactTransfer", coin.address, stage.price, stage.price - 1):
        life.place_for(life.authorization())


def test_a_token_that_comes_back_from_its_approval_changes_nothing(stage: Stage) -> None:
    life, coin = order_in(stage, "ReenteringToken")
    again = stage.order(2, life.terms)
    calls = (
        ("withdrawCredit", (stage.market.euro.address, 1)),
        ("placeFor", (life.terms.head, life.terms.members, again.order, again.sign_order(), APPROVAL)),
    )
    before = stage.market.evm.snapshot()
    for function, arguments in calls:
        coin.send(stage.stranger, "arm", stage.rules.address, stage.rules.contract.call(function, arguments))
        with stage.refused("ERC20InsufficientAllowance", stage.rules.address, 0, stage.price):
            life.place_for(life.approval())
        stage.market.evm.restore(before)
    life.place_for(life.approval())
    assert again.standing.state == OrderState.ABSENT
