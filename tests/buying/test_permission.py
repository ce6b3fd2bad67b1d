"""Buying with a permit: which one fits, and what happens when it ends."""

import pytest

from marketplace.buying.purchase import Purchase
from marketplace.errors import Invalid, MarketplaceError, Refused
from marketplace.protocol.identity import NOTHING, OrderId, PermitId
from marketplace.protocol.order import Means
from marketplace.protocol.states import OrderState, Reason
from tests.buying.permitted import EDUCATION, REASONS, STATISTICS, Office, found
from tests.buying.provider import HOUR_S, PRICE_UNITS
from tests.buying.world import PURSE_UNITS, World

FEE_UNITS = PRICE_UNITS * 500 // 10_000


@pytest.fixture
def office(world: World) -> Office:
    return found(world)


def drafted(office: Office, permit: PermitId | None = None) -> Purchase:
    return office.world.client().draft(office.offer.id, rows=5, permit=permit)


def refused_draft(office: Office, kind: type[MarketplaceError], words: str, permit: PermitId | None = None) -> None:
    """Asks for a draft that is refused, and sees that nothing moved."""
    before = (office.world.ledger.head_block(), office.world.purse_units())
    with pytest.raises(kind, match=words):
        drafted(office, permit)
    assert (office.world.ledger.head_block(), office.world.purse_units()) == before


def test_the_only_permit_that_fits_is_found_by_itself(office: Office) -> None:
    unfit = [
        office.grant(purpose=EDUCATION),
        office.grant(holder=office.signer.address),
        office.grant(subjects=(found(office.world).offer.members[0].dataset,)),
    ]
    permit = office.grant()
    purchase = drafted(office)
    assert purchase.permit
    assert purchase.permit.id == purchase.order.permit == permit
    assert permit not in unfit
    order = office.world.client().place(purchase).order
    assert office.world.client().order(order).order.permit == permit


def test_a_permit_for_the_offer_itself_fits(office: Office) -> None:
    permit = office.grant(subjects=(office.offer.id,))
    assert drafted(office).order.permit == permit


def test_without_a_permit_nothing_is_bought(office: Office) -> None:
    refused_draft(office, Refused, rf"a live permit of {office.signer.address} .* for statistics \(2\), research \(4\)")


def test_of_two_that_fit_one_is_named(office: Office) -> None:
    first, second = office.grant(), office.grant(purpose=STATISTICS)
    refused_draft(office, Invalid, f"you hold 2 permits that fit: {first.hex()}, {second.hex()}; name one")
    assert drafted(office, second).order.permit == second


def unfit(office: Office, why: str) -> PermitId:
    now_s = office.world.ledger.now_s()
    match why:
        case "revoked":
            permit = office.grant()
            office.authority.revoke(office.view(permit), REASONS)
            return permit
        case "holder":
            return office.grant(holder=office.signer.address)
        case "purpose":
            return office.grant(purpose=EDUCATION)
        case "subject":
            return office.grant(subjects=(found(office.world).offer.members[0].dataset,))
        case "begun":
            return office.grant(from_s=now_s + 1_000)
        case "ended":
            return office.grant(from_s=now_s - 1_000, to_s=now_s - 500)
        case "short":
            return office.grant(to_s=now_s + HOUR_S - 60)
    return Office(office.world, office.world.ledger.account()).grant()


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("revoked", "it was revoked"),
        ("holder", "its holder is"),
        ("purpose", r"it is for education \(3\), which the offer does not allow"),
        ("subject", "neither for this offer nor for all of its datasets"),
        ("begun", "its term has ended or not begun"),
        ("ended", "its term has ended or not begun"),
        ("short", "its term ends before a key could be published"),
        ("authority", "the offer asks for one of"),
    ],
)
def test_a_permit_that_does_not_fit_is_refused_and_found_by_nobody(office: Office, why: str, words: str) -> None:
    permit = unfit(office, why)
    refused_draft(office, Refused, words, permit)
    refused_draft(office, Refused, "you hold none that fits")


def test_a_permit_that_nobody_granted_is_invalid(office: Office) -> None:
    refused_draft(office, Invalid, "`agora permit list` shows them", PermitId(b"\xab" * 32))


def test_an_offer_without_an_authority_takes_no_permit(office: Office) -> None:
    free = office.world.provider.offer(staked_units=0)
    with pytest.raises(Invalid, match="expected no permit for an offer without an authority"):
        office.world.client().draft(free.id, permit=office.grant())
    assert office.world.client().draft(free.id).order.permit == NOTHING


def test_what_the_ledger_refuses_is_refused_when_the_permit_ends_before_the_order_is_placed(office: Office) -> None:
    permit = office.grant()
    purchase = drafted(office)
    office.authority.revoke(office.view(permit), REASONS)
    with pytest.raises(Refused, match="a permit that is live now"):
        office.world.client().place(purchase)
    assert office.world.purse_units() == PURSE_UNITS


def test_an_offer_for_nothing_is_bought_with_a_permit_and_signed_without_a_payment(world: World) -> None:
    office = found(world, cost_units=0, margin_units=0)
    office.grant()
    purchase = office.world.client().sign(drafted(office))
    assert purchase.payment.means is Means.APPROVAL
    placed = office.world.client().place(drafted(office))
    assert [receipt.function for receipt in placed.receipts] == ["place"]
    assert office.world.purse_units() == PURSE_UNITS


# ------------------------------------------------------------------------------------------- when the permit is revoked


def accepted(office: Office) -> tuple[OrderId, PermitId]:
    """An accepted order and its permit."""
    permit = office.grant()
    return office.world.accepted(), permit


def test_an_accepted_order_whose_permit_is_revoked_is_refunded_at_once_less_the_compute_fee(office: Office) -> None:
    (order, permit), client = accepted(office), office.world.client()
    with pytest.raises(Refused, match="wait until then"):
        client.refund(order)
    assert not client.was_revoked(client.order(order))
    office.authority.revoke(office.view(permit), REASONS)
    assert client.was_revoked(client.order(order))
    assert client.refund(order).function == "refund"
    view = client.order(order)
    assert (view.state, view.reason) == (OrderState.REFUNDED, Reason.PERMIT_REVOKED)
    client.withdraw(order)
    assert office.world.purse_units() == PURSE_UNITS - FEE_UNITS


def test_anybody_refunds_it(office: Office) -> None:
    order, permit = accepted(office)
    office.authority.revoke(office.view(permit), REASONS)
    assert office.world.client(signer=office.world.ledger.account()).refund(order).function == "refund"


def test_revoked_after_the_deadline_the_bond_is_the_buyers(office: Office) -> None:
    (order, permit), client = accepted(office), office.world.client()
    office.world.ledger.advance(HOUR_S + 60)
    office.authority.revoke(office.view(permit), REASONS)
    assert not client.was_revoked(client.order(order))
    assert client.refund(order).function == "forfeit"


def test_a_permit_that_would_end_before_the_key_is_not_accepted_with(office: Office) -> None:
    office.grant(to_s=office.world.ledger.now_s() + HOUR_S + 120)
    order, client = office.world.delivered(), office.world.client()
    office.world.ledger.advance(200)
    client.receive(order)
    with pytest.raises(Refused, match="ask its authority to extend it"):
        client.accept(order)


def test_the_licence_ends_with_the_permit(office: Office) -> None:
    permit = office.grant()
    order = office.world.revealed()
    assert office.world.client().is_licensed(order)
    office.authority.revoke(office.view(permit), REASONS)
    assert not office.world.client().is_licensed(order)
