"""Compares an account folded from events with what the contracts say about every single thing in it."""

from marketplace.ledger.ledger import DatasetStanding, Ledger, OfferStanding
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import NOTHING
from marketplace.protocol.licence import is_licensed
from marketplace.protocol.order import Standing
from marketplace.protocol.permit import PermitStanding
from marketplace.protocol.states import FINAL, OrderState


def assert_agrees(ledger: Ledger, account: Account) -> None:
    """Fails where fold and contracts differ, or where the marketplace holds other tokens than it owes."""
    for dataset, data in account.datasets.items():
        budget = (data.total_micro, data.used_micro, data.exact_total, data.exact_used)
        expected = DatasetStanding(data.provider, *budget, len(data.versions), len(data.epochs))
        assert ledger.dataset(dataset) == expected
    for offer, view in account.offers.items():
        assert ledger.offer(offer) == OfferStanding(True, view.retired, view.open, view.accrued_units)
        withdrawn = tuple(ledger.withdrawn_units(offer, index) for index in range(len(view.offer.members)))
        assert withdrawn == view.withdrawn_units
    for order, order_view in account.orders.items():
        assert ledger.order(order) == standing_of(account, order_view)
        _assert_licences_agree(ledger, account, order_view)
    _assert_permits_agree(ledger, account)
    for (token, who), credit in account.credits.items():
        assert ledger.credit_units(token, who) == credit
    for token in {view.offer.head.token for view in account.offers.values()}:
        held = account.held_units(token) + account.unpaid_units(token) + account.credit_units(token)
        assert ledger.balance_units(token, ledger.domain.contract) == held
        assert account.paid_in_units.get(token, 0) - account.paid_out_units.get(token, 0) == held


def _assert_permits_agree(ledger: Ledger, account: Account) -> None:
    for permit, view in account.permits.items():
        grant = view.grant
        term = (view.extended, grant.from_s, view.to_s, view.revoked_at_s)
        assert ledger.permit(permit) == PermitStanding(view.authority, grant.holder, grant.purpose, *term)
        assert all(ledger.permit_covers(permit, subject) for subject in grant.subjects)


def _assert_licences_agree(ledger: Ledger, account: Account, view: OrderView) -> None:
    offer, now_s = account.offer_of(view), ledger.now_s()
    for who in (view.order.buyer, offer.head.lead, *(user.who for user in view.users)):
        for at_s in {view.revealed_at_s, now_s, view.revealed_at_s + offer.head.licence_s + 1}:
            expected = is_licensed(account, view.id, who, at_s)
            assert ledger.is_licensed(offer, view.order, who, at_s) == expected


def standing_of(account: Account, view: OrderView) -> Standing:
    """What the contract should keep of an order."""
    members = account.offer_of(view).members
    return Standing(
        state=view.state,
        reason=view.reason,
        deadline_s=0 if view.state in FINAL else view.deadline_s,
        revealed_at_s=view.revealed_at_s if view.at(OrderState.REVEALED) else 0,
        released=sum(1 << index for index, member in enumerate(members) if member.dataset in view.released),
        price_bps=view.ruling.price_bps if view.ruling else 0,
        bond_bps=view.ruling.bond_bps if view.ruling else 0,
        delivery=view.delivery_hash or NOTHING,  # type: ignore[arg-type]
    )
