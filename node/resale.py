"""Selling an earlier result again: what a provider asks for it, and the terms of the offer, from the account alone."""

from dataclasses import dataclass, replace

from marketplace.certificate.agreement import made_for
from marketplace.errors import Invalid, Refused
from marketplace.protocol.account import Account
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.offer import Head, Member
from marketplace.protocol.order import Origin
from marketplace.protocol.states import Reason


@dataclass(frozen=True)
class Resale:
    """A result to sell again: the order that it was made for, the two price lines in token units, the last second."""

    order: OrderId
    cost_units: int
    margin_units: int
    until_s: int


@dataclass(frozen=True)
class StockTerms:
    """What `publish_stock` is sent: the terms, the datasets at rho 0, the earlier order."""

    head: Head
    members: tuple[Member, ...]
    origin: Origin


def stock_terms(account: Account, provider: Address, resale: Resale, now_s: int) -> StockTerms:
    """The terms of an offer that sells an earlier result as it is: those that it was made under, but for price and end.

    Raises `Invalid` for an order that is not the provider's or an end that has passed, `Refused` where there is nothing that
    may be sold again: no delivery, a wrong byte proven of it, a sale of stock itself, or a result of several providers.
    """
    order = account.orders.get(resale.order)
    if order is None or account.offer_of(order).head.lead != provider:
        raise Invalid("expected an order of one of your own offers, the ledger has none of this id; copy it again")
    if resale.until_s <= now_s:
        raise Invalid("expected an end that lies ahead, got one that has passed; give a later --until")
    offer, made = account.offer_of(order), made_for(account, order)
    if made.id != order.id:
        raise Refused(f"expected the order that the result was made for, this one sold stock; name {made.id.hex()}")
    if order.delivery is None:
        raise Refused(f"expected an order that was delivered, it is {order.state.word}; wait for its delivery")
    if order.reason is Reason.WRONG_BYTE:
        raise Refused("expected a delivery without fault, a wrong byte of it was proven; it is never sold again")
    if any(member.provider != provider for member in offer.members):
        raise Refused("expected a result of your own datasets alone, others have a part in it; ask them first")
    head = replace(
        offer.head,
        cost_units=resale.cost_units,
        margin_units=resale.margin_units,
        stock=order.delivery.plain_root,
        valid_until_s=resale.until_s,
    )
    members = tuple(replace(member, rho_micro=0) for member in offer.members)
    return StockTerms(head, members, Origin(offer.head, offer.members, order.order, order.delivery))
