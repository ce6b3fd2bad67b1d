"""Orders come into the world: place."""

from typing import Any

import pytest

from marketplace.protocol.states import OrderState, Reason
from scripts.benchmarks.life import live
from scripts.benchmarks.market import DAY_S, EURO

from .conftest import Stage


def test_placing_takes_the_price_the_bond_and_the_rho(stage: Stage) -> None:
    before = stage.market.euro.ask("balanceOf", stage.buyer)
    life = stage.order()
    outcome = life.place()
    deadline_s = stage.market.evm.now_s + DAY_S
    assert outcome.value == life.id
    assert life.standing == (OrderState.PLACED, Reason.NONE, deadline_s, 0, 0, 0, 0, bytes(32))
    assert stage.market.euro.ask("balanceOf", stage.buyer) == before - stage.price
    assert stage.credits() == (9 * stage.bond, 0)
    assert stage.used == 100
    assert stage.standing == (True, False, 1, 0)
    (event,) = outcome.events
    assert event.name == "OrderPlaced"
    assert event.values == {
        "order": life.id,
        "offer": stage.terms.offer,
        "buyer": stage.buyer,
        "specification": life.order.specification,
        "versions": 1,
        "permit": bytes(32),
        "placeBy": life.order.placeBy,
    }


def test_an_order_is_placed_once(stage: Stage) -> None:
    life = stage.placed()
    with stage.refused("OrderExists", life.id):
        life.place()


@pytest.mark.parametrize("ended", ["settled", "refunded"])
def test_an_order_that_has_ended_is_not_placed_again(stage: Stage, ended: str) -> None:
    if ended == "settled":
        life = stage.settled()
    else:
        life = stage.placed()
        life.decline()
    with stage.refused("OrderExists", life.id):
        life.place()


@pytest.mark.parametrize("field", ["specification", "placeBy"])
def test_orders_that_differ_are_different_orders(stage: Stage, field: str) -> None:
    first = stage.placed()
    other = first.order._replace(**{field: b"\5" * 32 if field == "specification" else first.order.placeBy + 1})
    second = live(stage.market, stage.terms)
    second.order = other
    second.__post_init__()
    second.place()
    assert first.id != second.id
    assert stage.used == 200


def test_only_the_buyer_places_its_order(stage: Stage) -> None:
    with stage.refused("NotTheBuyer", stage.buyer, stage.stranger):
        stage.order().place(stage.stranger)


def test_an_order_names_the_offer_that_it_is_placed_with(stage: Stage) -> None:
    life = stage.order(offer=b"\7" * 32)
    with stage.refused("WrongOffer", b"\7" * 32, stage.terms.offer):
        life.place()


def test_an_offer_that_was_not_published_takes_no_order(stage: Stage) -> None:
    unknown = stage.market.terms(stage.market.head(maxOpen=5), stage.terms.members)
    with stage.refused("UnknownOffer", unknown.offer):
        live(stage.market, unknown).place()


@pytest.mark.parametrize("changes", [{"cost": 1}, {"bond": 0}, {"computeFeeBps": 0}, {"terms": b"\1" * 32}])
def test_no_term_of_an_offer_can_be_changed_by_who_orders(stage: Stage, changes: dict[str, Any]) -> None:
    changed = stage.market.terms(stage.head._replace(**changes), stage.terms.members)
    with stage.refused("UnknownOffer", changed.offer):
        live(stage.market, changed).place()


def test_no_member_of_an_offer_can_be_changed_by_who_orders(stage: Stage) -> None:
    changed = stage.market.terms(stage.head, [stage.market.member(stage.dataset, rhoMicro=1)])
    with stage.refused("UnknownOffer", changed.offer):
        live(stage.market, changed).place()


def test_an_order_can_be_placed_until_the_offers_last_second(stage: Stage) -> None:
    end_s = stage.head.validUntil
    stage.market.evm.travel(end_s - 1)
    stage.order(1).place()
    stage.market.evm.travel(end_s)
    stage.order(2).place()
    stage.market.evm.travel(end_s + 1)
    with stage.refused("OfferExpired", stage.terms.offer, end_s):
        stage.order(3).place()


def test_an_order_can_be_placed_until_its_own_last_second(stage: Stage) -> None:
    first, second, third = (stage.order(number) for number in range(3))
    end_s = third.order.placeBy
    stage.market.evm.travel(end_s - 1)
    first.place()
    stage.market.evm.travel(end_s)
    second.place()
    stage.market.evm.travel(end_s + 1)
    with stage.refused("PlacedTooLate", third.id, end_s):
        third.place()


def test_no_more_orders_are_open_than_the_offer_says(stage: Stage) -> None:
    terms = stage.publish(maxOpen=1)
    first, second = live(stage.market, terms, 1), live(stage.market, terms, 2)
    first.place()
    with stage.refused("TooManyOpen", terms.offer, 1):
        second.place()
    first.decline()
    second.place()
    second.decline()


def test_the_version_must_be_the_one_that_stands(stage: Stage) -> None:
    for named in (0, 2):
        with stage.refused("WrongVersion", stage.dataset, 1, named):
            stage.order(versions=named).place()
    stage.rules.send(stage.provider, "revise", stage.dataset, bytes(32), bytes(32))
    with stage.refused("WrongVersion", stage.dataset, 2, 1):
        stage.order(versions=1).place()
    stage.order(versions=2).place()


def test_versions_are_named_for_members_only(stage: Stage) -> None:
    versions = 1 + (1 << 16)
    with stage.refused("OutOfRange", "versions", versions, 0, 2**16 - 1):
        stage.order(versions=versions).place()


def test_the_budget_is_never_exceeded(stage: Stage) -> None:
    for number in range(10):
        stage.placed(number)
    stage.market.stake(stage.bond)
    assert stage.used == 1_000
    with stage.refused("BudgetExceeded", stage.dataset, 0, 100):
        stage.order(10).place()


def test_a_budget_that_covers_a_part_is_exceeded(stage: Stage) -> None:
    big = stage.market.publish(stage.market.head(), [stage.market.member(stage.dataset, rhoMicro=901)])
    stage.placed()
    with stage.refused("BudgetExceeded", stage.dataset, 900, 901):
        live(stage.market, big).place()


def test_offers_on_one_dataset_share_its_budget(stage: Stage) -> None:
    other = stage.publish(maxOpen=5)
    life = live(stage.market, other)
    life.place()
    stage.placed()
    assert stage.used == 200
    life.decline()


def test_a_bond_must_be_covered_by_credit(stage: Stage) -> None:
    stage.rules.send(stage.provider, "withdrawCredit", stage.market.euro.address, 9 * stage.bond + 1)
    with stage.refused("InsufficientCredit", stage.market.euro.address, stage.provider, stage.bond - 1, stage.bond):
        stage.order().place()
    stage.market.stake(1)
    stage.order().place()
    assert stage.credits() == (0, 0)


def test_an_offer_may_have_no_bond(stage: Stage) -> None:
    free = stage.publish(bond=0)
    life = live(stage.market, free)
    life.place()
    assert stage.credits() == (10 * stage.bond, 0)
    life.decline()
    assert stage.credits() == (10 * stage.bond, stage.price)


def test_a_price_that_was_not_approved_is_not_taken(stage: Stage) -> None:
    stage.market.euro.send(stage.buyer, "approve", stage.rules.address, stage.price - 1)
    with stage.refused("ERC20InsufficientAllowance", stage.rules.address, stage.price - 1, stage.price):
        stage.order().place()


def test_a_price_that_is_not_there_is_not_taken(stage: Stage) -> None:
    balance = stage.market.euro.ask("balanceOf", stage.buyer)
    stage.market.euro.send(stage.buyer, "transfer", stage.stranger, balance - EURO)
    with stage.refused("ERC20InsufficientBalance", stage.buyer, EURO, stage.price):
        stage.order().place()


def test_a_lead_may_buy_its_own_offer(stage: Stage) -> None:
    life = stage.order(buyer=stage.provider)
    life.place(stage.provider)
    life.decline()
    assert stage.market.credit(stage.provider) == 10 * stage.bond + stage.price
    assert stage.used == 100
