from dataclasses import replace
from typing import Any

import pytest

from marketplace.audit.evidence import Evidence
from marketplace.audit.standing import named_right
from marketplace.protocol import events as ev
from marketplace.protocol.identity import DatasetId, DeliveryHash, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import OrderState, Reason

from ..protocol.examples import address
from ..protocol.history import History, market
from .examples import check, failing, truthful


def lived() -> History:
    """A settled, a revealed, a released and an open order, a retired offer and a payout."""
    history, offer = market()
    history.settled(offer)
    history.withdraw_payout(offer.id)
    order = history.place(offer)
    history.decline(order)
    history.release(order)
    order = history.place(offer)
    history.deliver(order)
    history.accept(order)
    history.reveal(order)
    history.place(offer)
    history.retire(offer)
    history.grant(offer.id)
    return history


def answering(evidence: Evidence, kind: str, parts: dict[str, Any] | None) -> Evidence:
    """The same where the contract answers otherwise about the last thing of this kind."""
    answers = dict(getattr(evidence.answers, kind))
    last = list(answers)[-1]
    if parts is None:
        answers[last] = not answers[last]
    else:
        answers[last] = replace(answers[last], **parts) if parts else answers[last] + 1
    return replace(evidence, answers=replace(evidence.answers, **{kind: answers}))


def test_a_contract_that_answers_by_its_events_passes_and_the_count_is_said() -> None:
    evidence = truthful(lived())
    assert failing(evidence) == set()
    assert check(3, evidence).evidence == "4 orders, 2 credits, 1 offer, 1 dataset, 1 permit, 4 licences"


@pytest.mark.parametrize(
    ("kind", "parts", "words"),
    [
        ("datasets", {"provider": address(5)}, "dataset 0x"),
        ("datasets", {"total_micro": 1}, "dataset 0x"),
        ("datasets", {"used_micro": 1}, "dataset 0x"),
        ("datasets", {"version": 2}, "dataset 0x"),
        ("offers", {"published": False}, "offer 0x"),
        ("offers", {"retired": False}, "offer 0x"),
        ("offers", {"open": 9}, "offer 0x"),
        ("orders", {"state": OrderState.SETTLED}, "order 0x"),
        ("orders", {"reason": Reason.APPROVED}, "order 0x"),
        ("orders", {"deadline_s": 1}, "order 0x"),
        ("orders", {"revealed_at_s": 1}, "order 0x"),
        ("orders", {"released": 1}, "order 0x"),
        ("orders", {"delivery": DeliveryHash(b"x" * 32)}, "order 0x"),
        ("orders", {"price_bps": 1}, "order 0x"),
        ("orders", {"bond_bps": 1}, "order 0x"),
        ("datasets", {"exact_total": 1}, "dataset 0x"),
        ("datasets", {"exact_used": 1}, "dataset 0x"),
        ("datasets", {"epoch": 2}, "dataset 0x"),
        ("permits", {"authority": address(5)}, "permit 0x"),
        ("permits", {"holder": address(5)}, "permit 0x"),
        ("permits", {"purpose": 200}, "permit 0x"),
        ("permits", {"extended": True}, "permit 0x"),
        ("permits", {"from_s": 1}, "permit 0x"),
        ("permits", {"to_s": 1}, "permit 0x"),
        ("permits", {"revoked_at_s": 1}, "permit 0x"),
        ("covers", None, "whether permit 0x"),
        ("licensed", None, "the licence of 0x"),
        ("credits", {}, "the credit of 0x"),
        ("withdrawn", {}, "what member 0 of offer 0x"),
    ],
)
def test_any_other_answer_fails(kind: str, parts: dict[str, Any] | None, words: str) -> None:
    evidence = answering(truthful(lived()), kind, parts)
    assert failing(evidence) == {3}
    assert check(3, evidence).evidence.startswith(words)


@pytest.mark.parametrize("kind", ["datasets", "offers", "credits", "withdrawn", "permits"])
def test_no_answer_is_another_answer(kind: str) -> None:
    evidence = truthful(lived())
    assert failing(replace(evidence, answers=replace(evidence.answers, **{kind: {}}))) == {3}


def test_a_part_of_the_orders_is_said_to_be_one() -> None:
    evidence = truthful(lived())
    some = dict(list(evidence.answers.orders.items())[:2])
    found = check(3, replace(evidence, answers=replace(evidence.answers, orders=some)))
    assert found.passed
    assert found.evidence.startswith("2 of 4 orders, evenly spread")


def renamed(event: ev.Event) -> ev.Event:
    """The event with its thing under another name."""
    match event:
        case ev.DatasetRegistered():
            return replace(event, dataset=DatasetId(b"d" * 32))
        case ev.OfferPublished(_, offer):
            return replace(event, offer=Offer(OfferId(b"o" * 32), offer.head, offer.members))
        case ev.OrderPlaced():
            return replace(event, id=OrderId(b"o" * 32))
        case ev.PermitGranted():
            return replace(event, permit=PermitId(b"p" * 32))
        case ev.OrderDelivered():
            return replace(event, hash=DeliveryHash(b"h" * 32))
    return event


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ev.DatasetRegistered, "dataset 0x64646464"),
        (ev.OfferPublished, "offer 0x6f6f6f6f"),
        (ev.OrderPlaced, "order 0x6f6f6f6f"),
        (ev.OrderDelivered, "the delivery of order 0x"),
        (ev.PermitGranted, "permit 0x70707070"),
    ],
)
def test_a_name_that_is_not_the_hash_of_its_parts_fails(kind: type[ev.Event], words: str) -> None:
    evidence = truthful(lived())
    events = tuple(renamed(event) if isinstance(event, kind) else event for event in evidence.events)
    found = named_right(replace(evidence, events=events))
    assert found.passed is False
    assert words in found.evidence


def test_the_same_events_of_another_contract_or_chain_fail() -> None:
    evidence = truthful(lived())
    for other in (replace(evidence.domain, chain_id=1), replace(evidence.domain, contract=address(71))):
        assert check(8, replace(evidence, domain=other)).passed is False
