"""Where price, bond and deposit go when an order ends: the money columns of the table of states."""

from dataclasses import dataclass

from marketplace.protocol.offer import Head
from marketplace.protocol.states import OrderState, Reason

WHOLE_BPS = 10_000


@dataclass(frozen=True)
class Ruling:
    """How an arbiter divided a contested order, in basis points.

    `price_bps`: the providers' share of the price. `bond_bps`: the lead's share of the bond. The rest is the buyer's.
    """

    price_bps: int
    bond_bps: int


@dataclass(frozen=True)
class Split:
    """Price, bond and deposit of one ended order in token units. The parts sum to price plus bond, plus the deposit where
    one was paid."""

    price_to_buyer_units: int
    price_to_members_units: int
    bond_to_lead_units: int
    bond_to_buyer_units: int
    deposit_to_buyer_units: int = 0
    deposit_to_arbiter_units: int = 0

    @property
    def to_buyer_units(self) -> int:
        """All that becomes the buyer's credit."""
        return self.price_to_buyer_units + self.bond_to_buyer_units + self.deposit_to_buyer_units


def split(
    head: Head, state: OrderState, reason: Reason, ruling: Ruling | None = None, *, contested: bool = False
) -> Split:
    """What an order under `head` that ended in `state` for `reason` gives to whom.

    `ruling`: where the reason is that it was ruled. `contested`: whether the order was contested when it ended for a wrong
    byte; for every other reason it goes without saying. Whether it is Settled or Refunded, a ruling divides alike.
    Raises `ValueError` if `state` is not final, no order can end in it for this reason, or there is no ruling of shares up
    to the whole where there must be one.
    """
    price, bond, deposit = head.price_units, head.bond_units, head.contest_deposit_units
    match state, reason:
        case OrderState.SETTLED, Reason.APPROVED | Reason.UNCHALLENGED:
            return Split(0, price, bond, 0)
        case OrderState.SETTLED, Reason.NOT_RULED:
            return Split(0, price, bond, 0, deposit_to_buyer_units=deposit)
        case OrderState.SETTLED | OrderState.REFUNDED, Reason.RULED:
            return _ruled(head, ruling)
        case OrderState.REFUNDED, Reason.DECLINED | Reason.NOT_DELIVERED:
            return Split(price, 0, bond, 0)
        case OrderState.REFUNDED, Reason.REJECTED | Reason.NOT_ACCEPTED | Reason.PERMIT_REVOKED:
            fee = head.compute_fee_units
            return Split(price - fee, fee, bond, 0)
        case OrderState.FORFEITED, Reason.NOT_REVEALED:
            return Split(price, 0, 0, bond)
        case OrderState.FORFEITED, Reason.WRONG_BYTE:
            return Split(price, 0, 0, bond, deposit_to_buyer_units=deposit if contested else 0)
    raise ValueError(f"no order ends as {state.name} for {reason.name}")


def _ruled(head: Head, ruling: Ruling | None) -> Split:
    if ruling is None or not (0 <= ruling.price_bps <= WHOLE_BPS and 0 <= ruling.bond_bps <= WHOLE_BPS):
        raise ValueError("no order is ruled without a ruling of shares between 0 and 10,000 basis points")
    earned = head.price_units * ruling.price_bps // WHOLE_BPS
    freed = head.bond_units * ruling.bond_bps // WHOLE_BPS
    return Split(
        price_to_buyer_units=head.price_units - earned,
        price_to_members_units=earned,
        bond_to_lead_units=freed,
        bond_to_buyer_units=head.bond_units - freed,
        deposit_to_arbiter_units=head.contest_deposit_units,
    )


def owed_units(accrued_units: int, share_bps: int, withdrawn_units: int) -> int:
    """What a member of an offer may withdraw: the floor of its share of all that accrued, less what it has withdrawn."""
    return accrued_units * share_bps // WHOLE_BPS - withdrawn_units
