"""Permits: granted, extended, revoked; asked for when an order is placed, accepted and revealed."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from marketplace.protocol.states import OrderState, Reason
from scripts.benchmarks.life import Life
from scripts.benchmarks.market import DAY_S, HOUR_S, NOBODY, PURPOSE, Terms

from .conftest import Stage

DOCUMENT = b"\6" * 32
TEN_YEARS_S = 3_650 * DAY_S
UNKNOWN = b"\7" * 32


def asking(stage: Stage, **changes: Any) -> Terms:
    """An offer that asks for the authority's permit."""
    return stage.offer(stage.market.permitted(**changes))


def extend(stage: Stage, permit: bytes, to_s: int, sender: str = "") -> Any:
    return stage.market.permits.send(sender or stage.market.authority, "extend", permit, to_s, DOCUMENT)


def standing(stage: Stage, permit: bytes) -> Any:
    return stage.market.permits.ask("getPermit", permit)


@pytest.fixture(autouse=True)
def _errors(stage: Stage) -> None:
    """Permits' own refusals are told by their own names."""
    stage.market.permits.contract.errors.update(stage.rules.contract.errors)


# ------------------------------------------------------------------------------------------- granting, extending, revoking


def test_a_granted_permit_is_told_in_full_and_named_by_all_of_it(stage: Stage) -> None:
    now_s, subjects = stage.market.evm.now_s, [b"\1" * 32, b"\2" * 32]
    parts = (stage.buyer, 9, now_s - 5, now_s + 5, DOCUMENT)
    outcome = stage.market.permits.send(stage.market.authority, "grant", *parts, subjects)
    (event,) = outcome.events
    names = ("holder", "purpose", "from", "to", "document")
    expected = {"permit": outcome.value, "authority": stage.market.authority, "subjects": tuple(subjects)}
    assert event.values == {**expected, **dict(zip(names, parts, strict=True))}
    types = ["uint256", "address", "address", "address", "uint8", "uint40", "uint40", "bytes32", "bytes32[]"]
    here = (stage.market.evm.chain_id, stage.market.permits.address, stage.market.authority)
    assert outcome.value == keccak(encode(types, (*here, *parts, subjects)))
    held = (stage.market.authority, stage.buyer, 9, False, now_s - 5, now_s + 5, 0)
    assert standing(stage, outcome.value) == held
    assert all(stage.market.permits.ask("isFor", outcome.value, subject) for subject in subjects)
    assert not stage.market.permits.ask("isFor", outcome.value, UNKNOWN)


def test_a_permit_is_granted_once(stage: Stage) -> None:
    permit = stage.market.grant(UNKNOWN)
    with stage.refused("PermitExists", permit):
        stage.market.grant(UNKNOWN)
    stage.market.revoke(permit)
    with stage.refused("PermitExists", permit):
        stage.market.grant(UNKNOWN)
    assert stage.market.grant(UNKNOWN, sender=stage.stranger) != permit


@pytest.mark.parametrize("length_s", [-1, 0, TEN_YEARS_S + 1])
def test_a_term_ends_after_its_beginning_by_at_most_ten_years(stage: Stage, length_s: int) -> None:
    now_s = stage.market.evm.now_s
    with stage.refused("PermitTermOutOfRange", now_s, now_s + length_s, TEN_YEARS_S):
        stage.market.grant(UNKNOWN, to=now_s + length_s)
    assert stage.market.grant(UNKNOWN, to=now_s + 1)
    assert stage.market.grant(UNKNOWN, to=now_s + TEN_YEARS_S)


@pytest.mark.parametrize("count", [0, 65])
def test_a_permit_is_for_one_to_sixty_four_things(stage: Stage, count: int) -> None:
    with stage.refused("SubjectsOutOfRange", count, 1, 64):
        stage.market.grant(*[bytes([number]) * 32 for number in range(count)])
    assert stage.market.grant(*[bytes([number]) * 32 for number in range(64)])


def test_a_permit_is_extended_once_by_at_most_ten_years(stage: Stage) -> None:
    permit = stage.market.grant(UNKNOWN)
    end_s = standing(stage, permit).to
    for to_s in (end_s - 1, end_s, end_s + TEN_YEARS_S + 1):
        with stage.refused("PermitTermOutOfRange", end_s, to_s, TEN_YEARS_S):
            extend(stage, permit, to_s)
    (event,) = extend(stage, permit, end_s + TEN_YEARS_S).events
    assert event.values == {"permit": permit, "to": end_s + TEN_YEARS_S, "document": DOCUMENT}
    held = standing(stage, permit)
    assert (held.extended, held.to) == (True, end_s + TEN_YEARS_S)
    with stage.refused("PermitAlreadyExtended", permit):
        extend(stage, permit, end_s + TEN_YEARS_S + 1)


def test_a_permit_that_has_ended_can_be_extended(stage: Stage) -> None:
    permit = stage.market.grant(UNKNOWN)
    end_s = standing(stage, permit).to
    stage.market.evm.travel(end_s + 1)
    extend(stage, permit, end_s + DAY_S)
    assert stage.market.permits.ask("isLive", permit, end_s + 1)


def test_a_revoked_permit_ends_now_and_for_ever(stage: Stage) -> None:
    permit = stage.market.grant(UNKNOWN)
    stage.travel(9)
    now_s = stage.market.evm.now_s
    (event,) = stage.market.revoke(permit).events
    assert (event.name, event.values["permit"]) == ("PermitRevoked", permit)
    assert stage.market.permits.ask("revokedAt", permit) == standing(stage, permit).revokedAt == now_s
    assert [stage.market.permits.ask("isLive", permit, now_s + late_s) for late_s in (-1, 0, 1)] == [True, False, False]
    for step in (lambda: stage.market.revoke(permit), lambda: extend(stage, permit, now_s + 2 * 365 * DAY_S)):
        with stage.refused("PermitAlreadyRevoked", permit, now_s):
            step()


def test_only_its_authority_extends_or_revokes(stage: Stage) -> None:
    permit = stage.market.grant(UNKNOWN)
    with stage.refused("NotTheAuthority", permit, stage.market.authority, stage.buyer):
        extend(stage, permit, 2**39, stage.buyer)
    with stage.refused("NotTheAuthority", permit, stage.market.authority, stage.buyer):
        stage.market.permits.send(stage.buyer, "revoke", permit, DOCUMENT)


def test_a_permit_that_was_never_granted_is_unknown(stage: Stage) -> None:
    with stage.refused("UnknownPermit", UNKNOWN):
        stage.market.revoke(UNKNOWN)
    assert standing(stage, UNKNOWN) == (NOBODY, NOBODY, 0, False, 0, 0, 0)
    assert not stage.market.permits.ask("isLive", UNKNOWN, 0)


def test_a_permit_is_live_from_its_first_to_its_last_second(stage: Stage) -> None:
    now_s = stage.market.evm.now_s
    permit = stage.market.grant(UNKNOWN, start=now_s + 10, to=now_s + 20)
    times = (9, 10, 20, 21)
    assert [stage.market.permits.ask("isLive", permit, now_s + time_s) for time_s in times] == [
        False,
        True,
        True,
        False,
    ]


# ---------------------------------------------------------------------------------------------------------------- placing


def test_a_permit_for_the_offer_or_for_all_its_datasets_will_do(stage: Stage) -> None:
    members = stage.market.pool(stage.provider, stage.market.others[0])
    terms = stage.offer(stage.market.permitted(), *members)
    datasets = [member.dataset for member in members]
    for number, subjects in enumerate(([terms.offer], datasets, [UNKNOWN, *datasets])):
        stage.placed(number, terms, permit=stage.market.grant(*subjects))
    part = stage.market.grant(datasets[0], UNKNOWN)
    with stage.refused("NotPermitted", part, datasets[1]):
        stage.order(9, terms, permit=part).place()


def test_an_order_under_an_authority_names_a_permit(stage: Stage) -> None:
    terms = asking(stage)
    for permit in (bytes(32), UNKNOWN):
        with stage.refused("UnknownPermit", permit):
            stage.order(1, terms, permit=permit).place()


def test_an_order_without_an_authority_names_none(stage: Stage) -> None:
    permit = stage.market.grant(stage.terms.offer)
    with stage.refused("OutOfRange", "permit", int.from_bytes(permit), 0, 0):
        stage.order(permit=permit).place()


def test_a_permit_of_another_authority_is_refused(stage: Stage) -> None:
    terms = asking(stage)
    permit = stage.market.grant(terms.offer, sender=stage.stranger)
    with stage.refused("NotTheAuthority", permit, stage.stranger, stage.market.authority):
        stage.order(1, terms, permit=permit).place()


def test_a_permit_of_another_holder_is_refused(stage: Stage) -> None:
    terms = asking(stage)
    permit = stage.market.grant(terms.offer, holder=stage.stranger)
    with stage.refused("NotTheHolder", permit, stage.stranger, stage.buyer):
        stage.order(1, terms, permit=permit).place()


@pytest.mark.parametrize("purpose", [0, PURPOSE - 1, PURPOSE + 1, 255])
def test_a_permit_for_another_purpose_is_refused(stage: Stage, purpose: int) -> None:
    terms = asking(stage)
    permit = stage.market.grant(terms.offer, purpose=purpose)
    with stage.refused("WrongPurpose", permit, purpose, 1 << PURPOSE):
        stage.order(1, terms, permit=permit).place()


@pytest.mark.parametrize("purpose", [0, 1, 255])
def test_any_purpose_of_the_offers_set_will_do(stage: Stage, purpose: int) -> None:
    terms = asking(stage, purposes=1 | 2 | 1 << 255)
    life = stage.placed(1, terms, permit=stage.market.grant(terms.offer, purpose=purpose))
    assert life.standing.state == OrderState.PLACED


def test_a_permit_is_live_when_an_order_is_placed(stage: Stage) -> None:
    terms, now_s = asking(stage), stage.market.evm.now_s
    permit = stage.market.grant(terms.offer, start=now_s + 10, to=now_s + 20)
    early, first, last, late = (stage.order(number, terms, permit=permit) for number in range(4))
    with stage.refused("PermitNotLive", permit, now_s + 10, now_s + 20, 0):
        early.place()
    stage.market.evm.travel(now_s + 10)
    first.place()
    stage.market.evm.travel(now_s + 20)
    last.place()
    stage.market.evm.travel(now_s + 21)
    with stage.refused("PermitNotLive", permit, now_s + 10, now_s + 20, 0):
        late.place()


def test_a_revoked_permit_places_nothing(stage: Stage) -> None:
    terms = asking(stage)
    permit = stage.market.grant(terms.offer)
    stage.market.revoke(permit)
    held = standing(stage, permit)
    with stage.refused("PermitNotLive", permit, held.from_, held.to, held.revokedAt):
        stage.order(1, terms, permit=permit).place()


def test_a_free_offer_sells_to_who_has_a_permit(stage: Stage) -> None:
    terms = asking(stage, cost=0, margin=0)
    before = stage.market.euro.ask("balanceOf", stage.buyer)
    stage.market.euro.send(stage.buyer, "approve", stage.rules.address, 0)
    life = stage.settled(1, terms, permit=stage.market.grant(terms.offer))
    assert stage.market.euro.ask("balanceOf", stage.buyer) == before
    assert stage.rules.ask("getOffer", terms.offer).accrued == 0
    with stage.refused("NothingToWithdraw"):
        life.withdraw_payout()


# --------------------------------------------------------------------------------------------------- accepting, revealing


def delivered(stage: Stage, **term: int) -> tuple[Life, bytes]:
    """A delivered order with its permit."""
    terms = asking(stage)
    permit = stage.market.grant(terms.offer, **term)
    return stage.delivered(1, terms, permit=permit), permit


def test_a_permit_must_outlive_the_reveal_window(stage: Stage) -> None:
    needed_s = stage.market.evm.now_s + 6 * HOUR_S
    short, permit = delivered(stage, to=needed_s - 1)
    signed = short.sign_acceptance(stage.buyer)
    for step in (short.accept, lambda: short.accept_for(signed)):
        with stage.refused("PermitEndsTooEarly", permit, needed_s - 1, needed_s):
            step()
    extend(stage, permit, needed_s)
    short.accept()


def test_a_permit_that_just_outlives_the_reveal_window_will_do(stage: Stage) -> None:
    life, _ = delivered(stage, to=stage.market.evm.now_s + 6 * HOUR_S)
    life.accept()
    stage.market.evm.travel(life.standing.deadline)
    life.reveal()
    assert life.standing.state == OrderState.REVEALED


def test_a_revoked_permit_accepts_nothing_and_the_buyer_may_reject(stage: Stage) -> None:
    life, permit = delivered(stage)
    stage.market.revoke(permit)
    held = standing(stage, permit)
    with stage.refused("PermitNotLive", permit, held.from_, held.to, held.revokedAt):
        life.accept()
    life.reject()


def test_a_key_is_not_revealed_to_who_lost_its_permit(stage: Stage) -> None:
    life, permit = delivered(stage)
    life.accept()
    stage.market.revoke(permit)
    held = standing(stage, permit)
    with stage.refused("PermitNotLive", permit, held.from_, held.to, held.revokedAt):
        life.reveal()


def test_without_a_permit_an_accepted_order_is_not_refunded(stage: Stage) -> None:
    life = stage.accepted()
    with stage.refused("PermitNotRevoked", life.id, bytes(32)):
        life.refund()
    stage.market.evm.travel(life.standing.deadline + 1)
    with stage.refused("PermitNotRevoked", life.id, bytes(32)):
        life.refund()


def test_a_permit_that_stands_refunds_nothing(stage: Stage) -> None:
    life, permit = delivered(stage)
    life.accept()
    with stage.refused("PermitNotRevoked", life.id, permit):
        life.refund()
    stage.market.evm.travel(life.standing.deadline + 1)
    with stage.refused("PermitNotRevoked", life.id, permit):
        life.refund()
    life.forfeit()


@pytest.mark.parametrize("late_s", [-1, 0])
def test_a_permit_revoked_by_the_deadline_refunds_less_the_fee_at_any_time(stage: Stage, late_s: int) -> None:
    life, permit = delivered(stage)
    life.accept()
    deadline_s = life.standing.deadline
    stage.market.evm.travel(deadline_s + late_s)
    stage.market.revoke(permit)
    stage.market.evm.travel(deadline_s + 1)
    with stage.refused("PermitWasRevoked", life.id, permit):
        life.forfeit()
    stage.travel(DAY_S)
    (event,) = life.refund().events
    assert event.values == {"order": life.id, "reason": Reason.PERMIT_REVOKED}
    assert life.standing[:3] == (OrderState.REFUNDED, Reason.PERMIT_REVOKED, 0)
    assert stage.credits() == (10 * stage.bond, stage.price - stage.fee)


def test_a_permit_revoked_before_the_deadline_refunds_at_once(stage: Stage) -> None:
    life, permit = delivered(stage)
    life.accept()
    stage.market.revoke(permit)
    life.refund()
    assert life.standing.reason == Reason.PERMIT_REVOKED


def test_a_permit_revoked_after_the_deadline_saves_no_bond(stage: Stage) -> None:
    life, permit = delivered(stage)
    life.accept()
    deadline_s = life.standing.deadline
    stage.market.evm.travel(deadline_s + 1)
    stage.market.revoke(permit)
    with stage.refused("PermitNotRevoked", life.id, permit):
        life.refund()
    life.forfeit()
    assert stage.credits() == (9 * stage.bond, stage.price + stage.bond)


def test_an_order_whose_permit_was_revoked_releases_nothing(stage: Stage) -> None:
    life, permit = delivered(stage)
    life.accept()
    stage.market.revoke(permit)
    life.refund()
    with stage.refused("NotReleasable", life.id, OrderState.REFUNDED, Reason.PERMIT_REVOKED):
        life.release()
