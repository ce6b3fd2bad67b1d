"""How long results are kept to be sold again: a pure decision. No clock, no chain, no disk; everything is an argument."""

from dataclasses import dataclass

from marketplace.certificate.agreement import made_for
from marketplace.protocol.account import Account, OfferView, OrderView
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import FINAL, Reason
from node.vault.access import DAY_S, day_of
from node.work import Done, Wait

KEEP_S = 30 * DAY_S
"""How long after its order's end a result that no offer sells is kept, so that one can."""


@dataclass(frozen=True)
class Shelf:
    """Everything that the decision about one kept result depends on.

    `order`: the one that it was made for. `sales`: the offers that sell it again. `kept`: whether it is there.
    `deleted_at_s`: when it was deleted; None before. `anchored`: the days whose access log this provider has anchored.
    """

    order: OrderView
    sales: tuple[OfferView, ...]
    kept: bool
    deleted_at_s: int | None
    anchored: frozenset[int]


@dataclass(frozen=True)
class Delete:
    """Delete the kept result for good."""


@dataclass(frozen=True)
class Anchor:
    """Anchor the access log of the day on which stock was deleted, so that its end is on the ledger."""

    day: int


Care = Delete | Anchor | Wait | Done


def next_care(shelf: Shelf, *, now_s: int) -> Care:
    """What to do about the result on `shelf` at ledger time `now_s`."""
    if shelf.kept:
        return Wait("for the end of what sells it") if is_needed(shelf, now_s) else Delete()
    if shelf.deleted_at_s is None or not shelf.sales:
        return Done()
    day = day_of(shelf.deleted_at_s)
    if day in shelf.anchored:
        return Done()
    return Anchor(day) if day_of(now_s) > day else Wait("for the end of the day")


def is_needed(shelf: Shelf, now_s: int) -> bool:
    """Whether the result may still be sold, or be put on sale.

    What was put on sale is kept to the end of the last offer that sells it, and of that offer's open orders; what was
    delivered and was not put on sale, `KEEP_S` from the end of its order. What is proven wrong is not kept.
    """
    order = shelf.order
    if order.state not in FINAL:
        return True
    if order.delivery is None or order.reason is Reason.WRONG_BYTE:
        return False
    if shelf.sales:
        return any(_sells(view, now_s) for view in shelf.sales)
    return now_s <= order.life[-1].position.at_s + KEEP_S


def sales_of(account: Account, made: OrderId) -> tuple[OfferView, ...]:
    """The offers that sell the result of the order `made` again."""
    stock = ((view, account.orders[view.origin]) for view in account.offers.values() if view.origin is not None)
    return tuple(view for view, origin in stock if made_for(account, origin).id == made)


def _sells(view: OfferView, now_s: int) -> bool:
    return view.open > 0 or (not view.retired and now_s <= view.offer.head.valid_until_s)
