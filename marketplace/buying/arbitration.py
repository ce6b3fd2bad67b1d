"""How an arbiter divides price and bond of a contested order."""

from marketplace.ledger.ledger import Ledger, Receipt
from marketplace.ledger.signer import Signer
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.offer import Head
from marketplace.protocol.settlement import Ruling, Split, split
from marketplace.protocol.states import OrderState, Reason


def divided(head: Head, ruling: Ruling) -> Split:
    """Who gets what by a ruling. Raises `ValueError` for shares outside the whole."""
    state = OrderState.SETTLED if ruling.price_bps else OrderState.REFUNDED
    return split(head, state, Reason.RULED, ruling)


def rule(ledger: Ledger, account: Account, by: Signer, order: OrderView, ruling: Ruling) -> tuple[Receipt, ...]:
    """Rules a contested order and withdraws the deposit, which the arbiter has earned. Raises as the ledger does."""
    offer = account.offer_of(order)
    ruled = ledger.rule(by, offer, order.order, ruling.price_bps, ruling.bond_bps)
    deposit_units = offer.head.contest_deposit_units
    if deposit_units == 0:
        return (ruled,)
    return (ruled, ledger.withdraw_credit(by, offer.head.token, deposit_units))
