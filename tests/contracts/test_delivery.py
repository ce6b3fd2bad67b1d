"""From Placed to Accepted, and the ways out: decline, deliver, accept, acceptFor, reject, refund."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.protocol.states import DeclineReason, OrderState, Reason
from scripts.benchmarks.evm import Reverted
from scripts.benchmarks.life import Life, delivery, live
from scripts.benchmarks.market import DAY_S, HOUR_S

from .conftest import Stage

OTHER = b"\7" * 32


def test_a_declined_order_gives_everything_back_but_the_rho(stage: Stage) -> None:
    life = stage.placed()
    declined, refunded = life.decline(why=DeclineReason.CAPACITY).events
    assert (declined.name, declined.values) == ("OrderDeclined", {"order": life.id, "why": DeclineReason.CAPACITY})
    assert (refunded.name, refunded.values) == ("OrderRefunded", {"order": life.id, "reason": Reason.DECLINED})
    assert life.standing == (OrderState.REFUNDED, Reason.DECLINED, 0, 0, 0, 0, 0, bytes(32))
    assert stage.credits() == (10 * stage.bond, stage.price)
    assert stage.standing == (True, False, 0, 0)
    assert stage.used == 100


def test_only_the_lead_declines(stage: Stage) -> None:
    life = stage.placed()
    with stage.refused("NotTheLead", stage.provider, stage.buyer):
        life.decline(stage.buyer)


def test_a_delivery_is_told_in_full_and_named_by_its_hash(stage: Stage) -> None:
    life = stage.placed()
    stage.travel(5)
    deadline_s = stage.market.evm.now_s + 2 * DAY_S
    (event,) = life.deliver().events
    assert event.name == "OrderDelivered"
    assert event.values == {
        "order": life.id,
        "delivery": life.digest,
        "details": life.made,
    }
    assert life.standing == (OrderState.DELIVERED, Reason.NONE, deadline_s, 0, 0, 0, 0, life.digest)
    assert stage.credits() == (9 * stage.bond, 0)


def test_only_the_lead_delivers(stage: Stage) -> None:
    life = stage.placed()
    with stage.refused("NotTheLead", stage.provider, stage.buyer):
        life.deliver(stage.buyer)


def test_a_delivery_has_chunks(stage: Stage) -> None:
    life = stage.placed()
    life.made = delivery(count=0)
    with stage.refused("OutOfRange", "count", 0, 1, 2**32 - 1):
        life.deliver()


@pytest.mark.parametrize("codec", [0, 0x54, 0x56, 0x71, 0xFF])
def test_an_object_is_raw_or_dag_pb(stage: Stage, codec: int) -> None:
    life = stage.placed()
    life.made = delivery(objectCodec=codec)
    with stage.refused("OutOfRange", "objectCodec", codec, 0x70, 0x70):
        life.deliver()


@pytest.mark.parametrize("codec", [0x55, 0x70])
def test_both_codecs_are_taken(stage: Stage, codec: int) -> None:
    life = stage.order()
    life.made = delivery(objectCodec=codec)
    life.__post_init__()
    life.place()
    life.deliver()
    assert life.standing.delivery == life.digest


def test_an_accepted_delivery_waits_for_its_key(stage: Stage) -> None:
    life = stage.delivered()
    deadline_s = stage.market.evm.now_s + 6 * HOUR_S
    (event,) = life.accept().events
    assert event.name == "OrderAccepted"
    assert event.values == {"order": life.id}
    assert life.standing == (OrderState.ACCEPTED, Reason.NONE, deadline_s, 0, 0, 0, 0, life.digest)


def test_only_the_buyer_accepts_or_rejects(stage: Stage) -> None:
    life = stage.delivered()
    for step in (life.accept, life.reject):
        with stage.refused("NotTheBuyer", stage.buyer, stage.provider):
            step(stage.provider)


def test_accepting_and_rejecting_name_the_delivery(stage: Stage) -> None:
    life = stage.delivered()
    for step in (life.accept, life.reject):
        with stage.refused("WrongDelivery", life.id, life.digest, OTHER):
            step(digest=OTHER)


def test_a_rejected_delivery_costs_the_compute_fee(stage: Stage) -> None:
    life = stage.delivered()
    (event,) = life.reject().events
    assert (event.name, event.values) == ("OrderRefunded", {"order": life.id, "reason": Reason.REJECTED})
    assert life.standing == (OrderState.REFUNDED, Reason.REJECTED, 0, 0, 0, 0, 0, life.digest)
    assert stage.credits() == (10 * stage.bond, stage.price - stage.fee)
    assert stage.standing == (True, False, 0, stage.fee)


def test_a_compute_fee_is_rounded_down(stage: Stage) -> None:
    terms = stage.publish(cost=19, margin=0, computeFeeBps=1_000)
    life = live(stage.market, terms)
    life.place()
    life.deliver()
    life.reject()
    assert stage.rules.ask("getOffer", terms.offer).accrued == 1
    assert stage.market.credit(stage.buyer) == 18
    life.withdraw_payout()


def test_an_order_that_nobody_delivers_is_refunded_whole(stage: Stage) -> None:
    life = stage.placed()
    stage.travel(DAY_S + 1)
    (event,) = life.refund().events
    assert (event.name, event.values) == ("OrderRefunded", {"order": life.id, "reason": Reason.NOT_DELIVERED})
    assert life.standing[:3] == (OrderState.REFUNDED, Reason.NOT_DELIVERED, 0)
    assert stage.credits() == (10 * stage.bond, stage.price)
    assert stage.standing == (True, False, 0, 0)


def test_a_delivery_that_nobody_accepts_costs_the_compute_fee(stage: Stage) -> None:
    life = stage.delivered()
    stage.travel(2 * DAY_S + 1)
    (event,) = life.refund().events
    assert (event.name, event.values) == ("OrderRefunded", {"order": life.id, "reason": Reason.NOT_ACCEPTED})
    assert life.standing[:3] == (OrderState.REFUNDED, Reason.NOT_ACCEPTED, 0)
    assert stage.credits() == (10 * stage.bond, stage.price - stage.fee)
    assert stage.standing == (True, False, 0, stage.fee)


@pytest.mark.parametrize("step", [Life.decline, Life.deliver], ids=["decline", "deliver"])
@pytest.mark.parametrize("left_s", [1, 0])
def test_the_lead_may_act_until_its_last_second(stage: Stage, step: Callable[[Life], object], left_s: int) -> None:
    life = stage.placed()
    stage.market.evm.travel(life.standing.deadline - left_s)
    with stage.refused("TooEarly", life.id, life.standing.deadline):
        life.refund()
    assert step(life)


@pytest.mark.parametrize("step", [Life.decline, Life.deliver], ids=["decline", "deliver"])
def test_the_lead_is_late_a_second_later(stage: Stage, step: Callable[[Life], object]) -> None:
    life = stage.placed()
    deadline_s = life.standing.deadline
    stage.market.evm.travel(deadline_s + 1)
    with stage.refused("TooLate", life.id, deadline_s):
        step(life)
    assert life.refund().events


def accept_for(life: Life) -> object:
    return life.accept_for(life.sign_acceptance(life.market.buyer))


BUYERS_STEPS = pytest.mark.parametrize("step", [Life.accept, Life.reject, accept_for], ids=["accept", "reject", "for"])


@BUYERS_STEPS
@pytest.mark.parametrize("left_s", [1, 0])
def test_the_buyer_may_answer_until_its_last_second(stage: Stage, step: Callable[[Life], object], left_s: int) -> None:
    life = stage.delivered()
    stage.market.evm.travel(life.standing.deadline - left_s)
    with stage.refused("TooEarly", life.id, life.standing.deadline):
        life.refund()
    assert step(life)


@BUYERS_STEPS
def test_the_buyer_is_late_a_second_later(stage: Stage, step: Callable[[Life], object]) -> None:
    life = stage.delivered()
    deadline_s = life.standing.deadline
    stage.market.evm.travel(deadline_s + 1)
    with stage.refused("TooLate", life.id, deadline_s):
        step(life)
    assert life.refund().events


def test_anyone_hands_in_the_buyers_signature(stage: Stage) -> None:
    life = stage.delivered()
    (event,) = life.accept_for(life.sign_acceptance(stage.buyer)).events
    assert event.values == {"order": life.id}
    assert life.standing.state == OrderState.ACCEPTED


def test_a_signature_of_anyone_else_is_refused(stage: Stage) -> None:
    life = stage.delivered()
    with stage.refused("WrongSignature", stage.buyer):
        life.accept_for(life.sign_acceptance(stage.provider))


def test_a_signature_over_another_delivery_is_refused(stage: Stage) -> None:
    life = stage.delivered()
    with stage.refused("WrongSignature", stage.buyer):
        life.accept_for(life.sign_acceptance(stage.buyer, digest=OTHER))
    with stage.refused("WrongDelivery", life.id, life.digest, OTHER):
        life.accept_for(life.sign_acceptance(stage.buyer, digest=OTHER), digest=OTHER)


def test_a_signature_over_another_order_is_refused(stage: Stage) -> None:
    first, second = stage.delivered(1), stage.delivered(2)
    first.id = second.id
    with stage.refused("WrongSignature", stage.buyer):
        first.accept_for(first.sign_acceptance(stage.buyer))


@pytest.mark.parametrize("domain", [{"chainId": 1}, {"verifyingContract": "0x" + "11" * 20}, {"version": "2"}])
def test_a_signature_for_another_chain_or_contract_is_refused(stage: Stage, domain: dict[str, Any]) -> None:
    life = stage.delivered()
    with stage.refused("WrongSignature", stage.buyer):
        life.accept_for(life.sign_acceptance(stage.buyer, **domain))


@pytest.mark.parametrize("length", [0, 64, 66])
def test_a_malformed_signature_is_refused(stage: Stage, length: int) -> None:
    life = stage.delivered()
    signature = (life.sign_acceptance(stage.buyer) + b"\0")[:length]
    with stage.refused("WrongSignature", stage.buyer):
        life.accept_for(signature)


def test_the_other_spelling_of_a_signature_is_refused(stage: Stage) -> None:
    life = stage.delivered()
    signature = life.sign_acceptance(stage.buyer)
    order_of_curve = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    s = order_of_curve - int.from_bytes(signature[32:64])
    flipped = signature[:32] + s.to_bytes(32) + bytes([55 - signature[64]])
    with stage.refused("WrongSignature", stage.buyer):
        life.accept_for(flipped)


def test_a_signature_is_good_once(stage: Stage) -> None:
    life = stage.delivered()
    signature = life.sign_acceptance(stage.buyer)
    life.accept_for(signature)
    with stage.refused("WrongState", life.id, OrderState.ACCEPTED, OrderState.DELIVERED):
        life.accept_for(signature)


@pytest.mark.parametrize("why", DeclineReason)
def test_every_reason_to_decline_is_told(stage: Stage, why: DeclineReason) -> None:
    assert stage.placed().decline(why=why).events[0].values["why"] == why


def test_a_reason_to_decline_that_there_is_not_is_refused(stage: Stage) -> None:
    life = stage.placed()
    with pytest.raises(Reverted, match="Revert"):
        life.decline(why=len(DeclineReason))


def test_a_stranger_to_the_offer_cannot_move_an_order(stage: Stage) -> None:
    life = stage.placed()
    own = stage.market.head(lead=stage.stranger, maxOpen=5)
    life.terms = stage.market.terms(own, [stage.market.member(stage.dataset)])
    with stage.refused("WrongOffer", stage.terms.offer, life.terms.offer):
        life.decline(stage.stranger)
    with stage.refused("WrongOffer", stage.terms.offer, life.terms.offer):
        life.deliver(stage.stranger, [life.sign_delivery(stage.provider)])
