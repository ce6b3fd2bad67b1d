"""Accepting looks into a few chunks first, over real TLS: what is right is accepted, and all else is rejected."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from marketplace.buying.acceptance import AGAIN_S, TRIES, NotAccepted
from marketplace.buying.client import Client
from marketplace.buying.spot_check import Finding
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState, Reason
from marketplace.protocol.threshold import Threshold
from tests.buying.answering import Opener, answering_for
from tests.buying.provider import PRICE_UNITS
from tests.buying.world import World

ROWS = 5_000
FEE_UNITS = PRICE_UNITS * 500 // 10_000


def received(world: World, rows: int = ROWS, *thresholds: Threshold) -> OrderId:
    """An order of so many rows whose delivery the buyer has. All its released scores are 0.2."""
    assert world.standing is not None
    client = world.client()
    order = client.place(client.draft(world.standing.id, rows=rows, slot_s=60, thresholds=thresholds)).order
    world.provider.deliver(order)
    client.receive(order)
    return order


def patient(world: World, pauses: list[float]) -> Client:
    """A buyer whose pauses are kept and take no time."""
    return replace(world.client(), pause=pauses.append)


def test_a_delivery_that_is_right_is_accepted_after_a_look_into_it(world: World, tmp_path: Path) -> None:
    order, opener, said = received(world), Opener(), list[str]()
    with answering_for(tmp_path / "node", world.provider, opener):
        assert world.client().accept(order, progress=said.append) is not None
        assert len(opener.indices) == 4
        assert world.client().accept(order) is None
        assert len(opener.indices) == 4
    assert world.client().order(order).state is OrderState.ACCEPTED
    assert said[-1].startswith("spot check: 4 of the ")


def test_rubbish_is_rejected_and_the_price_less_the_compute_fee_is_the_buyers(world: World, tmp_path: Path) -> None:
    world.provider.spoil = lambda plain: plain[:2_000] + Random(4).randbytes(len(plain) - 2_000)
    order, pauses = received(world), list[float]()
    with (
        answering_for(tmp_path / "node", world.provider, Opener()),
        pytest.raises(NotAccepted, match=r"outside the schema: chunk .* it is rejected") as caught,
    ):
        patient(world, pauses).accept(order)
    view = world.client().order(order)
    assert (caught.value.verdict and caught.value.verdict.finding, pauses) == (Finding.OUTSIDE_SCHEMA, [])
    assert (view.state, view.reason) == (OrderState.REFUNDED, Reason.REJECTED)
    credit = world.ledger.credit_units(world.ledger.token, world.buyer.address)
    assert credit == PRICE_UNITS - FEE_UNITS


def test_a_node_that_never_answers_has_its_delivery_rejected(world: World, tmp_path: Path) -> None:
    order, pauses, asked = received(world), list[float](), list[bytes]()

    def silent(body: bytes) -> bytes:
        asked.append(body)
        raise Unreachable("expected better times")

    with (
        answering_for(tmp_path / "node", world.provider, silent),
        pytest.raises(NotAccepted, match=r"got no answer: the node said: expected better times; it is rejected"),
    ):
        patient(world, pauses).accept(order)
    assert (len(asked), pauses) == (TRIES, [AGAIN_S] * (TRIES - 1))
    assert world.client().order(order).state is OrderState.REFUNDED


def test_a_node_that_answers_when_it_is_asked_again_is_as_good(world: World, tmp_path: Path) -> None:
    order, pauses, opener, failed = received(world), list[float](), Opener(), list[bytes]()

    def late(body: bytes) -> bytes:
        if not failed:
            failed.append(body)
            raise Unreachable("not yet")
        return opener(body)

    with answering_for(tmp_path / "node", world.provider, late):
        assert patient(world, pauses).accept(order) is not None
    assert pauses == [AGAIN_S]


def test_a_lead_that_describes_no_node_is_told_and_no_hindrance(world: World) -> None:
    order, said = received(world), list[str]()
    assert world.client().accept(order, progress=said.append) is not None
    assert said[-1].startswith("no spot check: expected a provider that describes its node on the ledger")


def test_a_result_that_is_too_small_is_told_and_accepted(world: World, tmp_path: Path) -> None:
    order, opener, said = received(world, 40), Opener(), list[str]()
    with answering_for(tmp_path / "node", world.provider, opener):
        assert world.client().accept(order, progress=said.append) is not None
    assert said[-1].startswith("no spot check: expected a result of which a few chunks")
    assert opener.asked == []


def test_who_wants_no_check_gets_none(world: World, tmp_path: Path) -> None:
    order, opener = received(world), Opener()
    with answering_for(tmp_path / "node", world.provider, opener):
        assert world.client().accept(order, check=False) is not None
    assert opener.asked == []


def test_a_descriptor_that_cannot_be_used_keeps_the_delivery_from_being_accepted_and_rejects_nothing(
    world: World,
) -> None:
    order, provider = received(world), world.provider
    for digest, error in ((b"x" * 32, Unreachable), (world.client().order(order).order.specification, Corrupt)):
        world.ledger.describe(provider.signer, digest, b"c" * 32)
        with pytest.raises(error):
            world.client().accept(order)
    world.ledger.describe(provider.signer, bytes(32), bytes(32))
    assert world.client().order(order).state is OrderState.DELIVERED


def test_what_was_rejected_once_is_not_accepted_later(world: World, tmp_path: Path) -> None:
    order, opener = received(world), Opener(key=b"x" * 32)
    with answering_for(tmp_path / "node", world.provider, opener), pytest.raises(NotAccepted, match="wrong key"):
        world.client().accept(order)
    with pytest.raises(Refused):
        world.client().accept(order)
    assert len(opener.asked) == 1


def test_a_delivery_that_meets_its_thresholds_is_accepted(world: World) -> None:
    order, said = received(world, 40, Threshold("l1_1way", "0.2"), Threshold("l1_2way", "1")), list[str]()
    assert world.client().accept(order, progress=said.append) is not None
    assert said[0] == "released scores: 2 of 2 thresholds are met"


@pytest.mark.parametrize("check", [True, False])
def test_a_delivery_that_misses_a_threshold_is_rejected_and_which_one_is_said(world: World, check: bool) -> None:
    order = received(world, 40, Threshold("l1_1way", "0.2"), Threshold("l1_2way", "0.199"), Threshold("l1_3way", "0"))
    with pytest.raises(
        NotAccepted, match=r"l1_2way of at most 0\.199, l1_3way of at most 0, .* it is rejected"
    ) as caught:
        world.client().accept(order, check=check)
    assert caught.value.verdict is None
    view = world.client().order(order)
    assert (view.state, view.reason) == (OrderState.REFUNDED, Reason.REJECTED)
    judged = {each.threshold.score: each.met for each in world.client().receive(order).manifest.certificate.thresholds}
    assert judged == {"l1_1way": True, "l1_2way": False, "l1_3way": False}


def test_a_threshold_on_no_score_is_invalid_before_any_money_moves(world: World) -> None:
    assert world.standing is not None
    before = world.purse_units()
    with pytest.raises(Invalid, match="expected a threshold on one of the scores l1_1way, "):
        world.client().draft(world.standing.id, rows=40, slot_s=60, thresholds=(Threshold("accuracy", "1"),))
    assert world.purse_units() == before
