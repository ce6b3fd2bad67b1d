"""What an authority decides: a public document first, then the ledger; and what it cannot do."""

from dataclasses import replace

import pytest

from marketplace.buying.authority import Reasons, decision_faults, expected_decisions
from marketplace.content.cid import Cid
from marketplace.content.store import read_bytes
from marketplace.errors import Invalid, MarketplaceError, Refused, Unreachable
from marketplace.protocol.decision import Act, Decision
from marketplace.protocol.identity import PermitId
from tests.buying.permitted import REASONS, RESEARCH, Office, found
from tests.buying.provider import HOUR_S
from tests.buying.world import World

YEAR_S = 365 * 24 * HOUR_S


@pytest.fixture
def office(world: World) -> Office:
    return found(world)


def decisions(office: Office, permit: PermitId) -> list[Decision]:
    """What was decided about a permit, read from the store."""
    view = office.view(permit)
    return [Decision.decode(read_bytes(office.world.store, Cid.raw(digest), 10_000)) for digest in view.documents]


def test_a_permit_is_granted_with_its_decision_in_the_store(office: Office) -> None:
    request = office.request()
    permit = office.grant()
    view = office.view(permit)
    assert (view.authority, view.grant.holder, view.grant.purpose) == (
        office.signer.address,
        office.world.buyer.address,
        RESEARCH,
    )
    (decision,) = decisions(office, permit)
    assert (decision.act, decision.reference, decision.words) == (Act.GRANT, REASONS.reference, REASONS.words)
    assert decision.subjects == request.subjects
    assert view.live(office.world.ledger.now_s())


def test_every_decision_says_what_the_ledger_says(office: Office) -> None:
    permit = office.grant()
    office.authority.extend(office.view(permit), office.view(permit).to_s + YEAR_S, Reasons("2", "Longer."))
    office.authority.revoke(office.view(permit), Reasons("3", "No longer."))
    view = office.view(permit)
    assert [decision.act for decision in decisions(office, permit)] == [Act.GRANT, Act.EXTEND, Act.REVOKE]
    for decision, (_, act, to_s) in zip(decisions(office, permit), expected_decisions(view), strict=True):
        assert decision_faults(decision, view, act, to_s) == ()
        other = replace(decision, holder=office.signer.address, to_s=to_s + 1)
        assert decision_faults(other, view, act, to_s) == ("holder", "end")


def refused(
    office: Office, permit: PermitId, kind: type[MarketplaceError], words: str, to_s: int | None = None
) -> None:
    """Extends a permit, or revokes it where no end is given, and sees that nothing changed."""
    before = office.view(permit)
    with pytest.raises(kind, match=words):
        if to_s is None:
            office.authority.revoke(before, REASONS)
        else:
            office.authority.extend(before, to_s, REASONS)
    assert office.view(permit) == before


def test_a_permit_is_extended_once_and_only_onwards_by_at_most_ten_years(office: Office) -> None:
    permit = office.grant()
    end_s = office.view(permit).to_s
    term = "a permit's term to end after"
    refused(office, permit, Invalid, term, to_s=end_s)
    refused(office, permit, Invalid, term, to_s=end_s - 5)
    refused(office, permit, Invalid, term, to_s=end_s + 3_650 * 24 * HOUR_S + 1)
    office.authority.extend(office.view(permit), end_s + YEAR_S, REASONS)
    assert office.view(permit).to_s == end_s + YEAR_S
    refused(office, permit, Refused, "whose end was never moved", to_s=end_s + 2 * YEAR_S)


def test_a_permit_is_revoked_once_for_ever(office: Office) -> None:
    permit = office.grant()
    office.authority.revoke(office.view(permit), REASONS)
    refused(office, permit, Refused, "a permit that stands")
    refused(office, permit, Refused, "a permit that stands", to_s=office.view(permit).to_s + YEAR_S)


def test_nobody_changes_another_authoritys_permit(office: Office) -> None:
    permit = office.grant()
    other = Office(office.world, office.world.ledger.account())
    refused(other, permit, Refused, f"it is of {office.signer.address}")
    refused(other, permit, Refused, f"it is of {office.signer.address}", to_s=office.view(permit).to_s + YEAR_S)


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": 256},
        {"purpose": -1},
        {"subjects": ()},
        {"subjects": (b"short",)},
        {"holder": "me"},
        {"from_s": 2_000_000_000, "to_s": 2_000_000_000},
        {"from_s": 2_000_000_000, "to_s": 2_000_000_000 + 3_650 * 24 * HOUR_S + 1},
        {"to_s": 2**40},
    ],
    ids=repr,
)
def test_a_permit_that_cannot_be_is_invalid_and_granted_by_nobody(office: Office, changes: dict[str, object]) -> None:
    blocks = office.world.ledger.head_block()
    with pytest.raises(Invalid, match="expected"):
        office.grant(**changes)
    assert office.world.ledger.head_block() == blocks


@pytest.mark.parametrize(
    "reasons", [Reasons("", "x"), Reasons("a\nb", "x"), Reasons("1", " "), Reasons("1", "\x1b[1m")]
)
def test_reasons_that_are_no_text_are_invalid(office: Office, reasons: Reasons) -> None:
    account = office.world.client().account()
    with pytest.raises(Invalid, match="expected"):
        office.authority.grant(account, office.request(), reasons)


def test_a_subject_that_nobody_has_is_invalid(office: Office) -> None:
    with pytest.raises(Invalid, match="the ledger has none of abab"):
        office.grant(subjects=(b"\xab" * 32,))


def test_an_offer_that_asks_for_anothers_permits_or_none_is_no_subject(office: Office) -> None:
    other = found(office.world).offer
    free = office.world.provider.offer(staked_units=0)
    for offer in (other, free):
        with pytest.raises(Invalid, match="asks for another's or for none"):
            office.grant(subjects=(offer.id,))
    assert office.grant(subjects=(office.offer.id,))


def test_the_same_permit_is_not_granted_twice(office: Office) -> None:
    request, account = office.request(), office.world.client().account()
    office.authority.grant(account, request, REASONS)
    with pytest.raises(Refused, match="which is granted already"):
        office.authority.grant(account, request, REASONS)


def test_a_store_that_takes_nothing_stops_it_before_anything_is_sent(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise Unreachable("expected room on the disk, got none; free some and try again")

    permit = office.grant()
    view, blocks = office.view(permit), office.world.ledger.head_block()
    monkeypatch.setattr(office.world.store, "put_block", fails)
    for decide in (
        lambda: office.grant(purpose=2),
        lambda: office.authority.extend(view, view.to_s + 1, REASONS),
        lambda: office.authority.revoke(view, REASONS),
    ):
        with pytest.raises(Unreachable):
            decide()
    assert office.world.ledger.head_block() == blocks
