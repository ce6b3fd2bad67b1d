"""The licence question: who may use an order's result, and when. The same answer as the contract's."""

from marketplace.protocol.account import Account
from marketplace.protocol.identity import NOTHING, Address, OrderId, PermitId
from marketplace.protocol.states import OrderState
from marketplace.protocol.views import OrderView

LIVE = frozenset({OrderState.REVEALED, OrderState.SETTLED})


def is_licensed(account: Account, order: OrderId, who: Address, at_s: int) -> bool:
    """Whether `who` holds the licence of `order` at `at_s`, as far as is known now.

    It does if it is the buyer or was named by then, and the licence is live. An order that nobody placed licenses nobody.
    """
    view = account.orders.get(order)
    if view is None or not _holds(view, who, at_s):
        return False
    return is_live(account, view, at_s)


def is_live(account: Account, order: OrderView, at_s: int) -> bool:
    """Whether the licence of `order` is live at `at_s`: its order as it stands now, its term, its permit."""
    if order.state not in LIVE:
        return False
    licence_s = account.offer_of(order).head.licence_s
    if not order.revealed_at_s <= at_s <= order.revealed_at_s + licence_s:
        return False
    if order.order.permit == NOTHING:
        return True
    permit = account.permits.get(PermitId(order.order.permit))
    return permit is not None and permit.live(at_s)


def _holds(order: OrderView, who: Address, at_s: int) -> bool:
    return who == order.order.buyer or any(user.who == who and user.named_at_s <= at_s for user in order.users)
