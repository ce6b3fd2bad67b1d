"""Compares an account folded from events with what the contract says about every single thing in it."""

from marketplace.ledger.ledger import DatasetStanding, Ledger, OfferStanding
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import NOTHING
from marketplace.protocol.order import Standing
from marketplace.protocol.states import FINAL, OrderState


def assert_agrees(ledger: Ledger, account: Account) -> None:
    """Fails where fold and contract differ, or where the contract holds other tokens than it owes."""
    for dataset, data in account.datasets.items():
        expected = DatasetStanding(data.provider, data.total_micro, data.used_micro, len(data.versions))
        assert ledger.dataset(dataset) == expected
    tokens = set()
    for offer, view in account.offers.items():
        assert ledger.offer(offer) == OfferStanding(True, view.retired, view.open, view.accrued_units)
        withdrawn = tuple(ledger.withdrawn_units(offer, index) for index in range(len(view.offer.members)))
        assert withdrawn == view.withdrawn_units
        tokens.add(view.offer.head.token)
    for order, order_view in account.orders.items():
        assert ledger.order(order) == standing_of(account, order_view)
    for (token, who), credit in account.credits.items():
        assert ledger.credit_units(token, who) == credit
    for token in tokens:
        held = account.held_units(token) + account.unpaid_units(token) + account.credit_units(token)
        assert ledger.balance_units(token, ledger.domain.contract) == held
        assert account.paid_in_units.get(token, 0) - account.paid_out_units.get(token, 0) == held


def standing_of(account: Account, view: OrderView) -> Standing:
    """What the contract should keep of an order."""
    members = account.offers[view.order.offer].offer.members
    revealed = view.at(OrderState.REVEALED)
    return Standing(
        state=view.state,
        reason=view.reason,
        deadline_s=0 if view.state in FINAL else view.deadline_s,
        revealed_at_s=revealed.position.at_s if revealed else 0,
        released=sum(1 << index for index, member in enumerate(members) if member.dataset in view.released),
        delivery=view.delivery_hash or NOTHING,  # type: ignore[arg-type]
    )
