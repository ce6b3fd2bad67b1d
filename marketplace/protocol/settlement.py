"""Where price and bond go when an order ends: the money columns of the table of states."""

from dataclasses import dataclass

from marketplace.protocol.offer import Head
from marketplace.protocol.states import OrderState, Reason


@dataclass(frozen=True)
class Split:
    """Price and bond of one ended order in token units. The four parts sum to price plus bond."""

    price_to_buyer_units: int
    price_to_members_units: int
    bond_to_lead_units: int
    bond_to_buyer_units: int


def split(head: Head, state: OrderState, reason: Reason) -> Split:
    """What an order under `head` that ended in `state` for `reason` gives to whom.

    Raises `ValueError` if `state` is not final or no order can end in it for this reason.
    """
    price, bond = head.price_units, head.bond_units
    match state, reason:
        case OrderState.SETTLED, Reason.APPROVED | Reason.UNCHALLENGED:
            return Split(0, price, bond, 0)
        case OrderState.REFUNDED, Reason.DECLINED | Reason.NOT_DELIVERED:
            return Split(price, 0, bond, 0)
        case OrderState.REFUNDED, Reason.REJECTED | Reason.NOT_ACCEPTED:
            fee = head.compute_fee_units
            return Split(price - fee, fee, bond, 0)
        case OrderState.FORFEITED, Reason.NOT_REVEALED | Reason.WRONG_BYTE:
            return Split(price, 0, 0, bond)
    raise ValueError(f"no order ends as {state.name} for {reason.name}")


def owed_units(accrued_units: int, share_bps: int, withdrawn_units: int) -> int:
    """What a member of an offer may withdraw: the floor of its share of all that accrued, less what it has withdrawn."""
    return accrued_units * share_bps // 10_000 - withdrawn_units
