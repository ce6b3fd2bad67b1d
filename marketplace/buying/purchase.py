"""A purchase before it is made: the specification, the order, and what it will cost."""

import os
from dataclasses import dataclass
from hashlib import sha256

from marketplace.buying.listing import Entry
from marketplace.errors import Invalid, Refused
from marketplace.keys.sealing import order_key
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.identity import Address
from marketplace.protocol.order import Order, pack_versions
from marketplace.protocol.specification import Specification, Workload

DEFAULT_SLOT_S = 60
PLACE_WITHIN_S = 3_600


@dataclass(frozen=True)
class Purchase:
    """What a buyer is about to sign. The price lines are the offer's `cost` and `margin`."""

    entry: Entry
    specification: Specification
    order: Order

    @property
    def terms_hash(self) -> bytes:
        """The hash of the licence terms that placing accepts."""
        return self.entry.view.offer.head.terms


def draft(
    entry: Entry,
    buyer: Address,
    seed: bytes,
    *,
    now_s: int,
    rows: int | None = None,
    workload: Workload | None = None,
    slot_s: int = DEFAULT_SLOT_S,
) -> Purchase:
    """A purchase of `entry` with a sealing key of its own, derived from `seed` and a fresh nonce.

    `rows`: how many synthetic rows; as many as the description declares by default. Raises `Invalid` for wishes that
    cannot be met, `Refused` where the offer is closed or budget or bond are too small, before any money moves.
    """
    _check_open(entry, now_s)
    offer = entry.view.offer
    wished = workload or Workload()
    wished.check(entry.description.schema)
    half_s = offer.head.deliver_window_s // 2
    if slot_s > half_s:
        raise Invalid(f"expected a slot of at most {half_s} s, half of the delivery window, got {slot_s} s")
    nonce = os.urandom(32)
    specification = Specification(
        offer=offer.id,
        rows=entry.description.rows_declared if rows is None else rows,
        workload=wished,
        slot_s=slot_s,
        sealing_key=order_key(seed, nonce).public_key.raw,
        nonce=nonce,
    )
    order = Order(
        offer=offer.id,
        buyer=buyer,
        specification=sha256(specification.encode()).digest(),
        versions=pack_versions([len(entry.dataset.versions)]),
        place_by_s=now_s + PLACE_WITHIN_S,
    )
    return Purchase(entry, specification, order)


def _check_open(entry: Entry, now_s: int) -> None:
    offer = entry.view.offer
    rho_micro, bond_units = offer.members[0].rho_micro, offer.head.bond_units
    if not entry.is_open(now_s):
        raise Refused("expected an open offer; this one is retired, has expired or has no place left; choose another")
    if rho_micro > entry.left_micro:
        raise Refused(
            f"expected a budget of {rho_micro} micro-rho, the dataset has {entry.left_micro} left; "
            "choose a cheaper offer or another dataset"
        )
    if bond_units > entry.credit_units:
        raise Refused(
            f"expected a provider that can post its bond of {euro_text(bond_units)}, it has "
            f"{euro_text(entry.credit_units)} staked and free; choose another offer, or ask the provider to stake"
        )
