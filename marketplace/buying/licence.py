"""Where a licence stands: who may use an order's result now, how long, and why not."""

from dataclasses import dataclass

from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import Address, PermitId
from marketplace.protocol.licence import is_live
from marketplace.protocol.states import OrderState
from marketplace.protocol.views import LicenceUser


@dataclass(frozen=True)
class LicenceView:
    """The licence of an order at one moment, from the account.

    `word`: live, suspended or void. `until_s`: the last second of its term, or of its permit where that ends before; 0 where
    no key was published. `users`: those whom the buyer named beside itself.
    """

    buyer: Address
    word: str
    until_s: int
    users: tuple[LicenceUser, ...]


def licence_of(account: Account, order: OrderView, at_s: int) -> LicenceView:
    """The licence of `order` at `at_s`, as far as is known now."""
    word = "suspended" if order.state is OrderState.CONTESTED else "live" if is_live(account, order, at_s) else "void"
    return LicenceView(order.order.buyer, word, _until_s(account, order), order.users)


def why_unlicensed(account: Account, order: OrderView, who: Address, at_s: int) -> str:
    """Why `who` does not hold the licence of `order` at `at_s`, in words."""
    licence = licence_of(account, order, at_s)
    if licence.word == "suspended":
        return "it is suspended while the order is Contested"
    if not licence.until_s:
        return f"the order is {order.state.word}, its key was never published"
    if licence.word == "void" and order.state in (OrderState.REVEALED, OrderState.SETTLED):
        return "its term or its permit has ended or not begun then"
    if licence.word == "void":
        return f"it is void, the order is {order.state.word}"
    named = next((user.named_at_s for user in licence.users if user.who == who), None)
    return "the buyer named this account later" if named else f"it is the licence of {licence.buyer}"


def _until_s(account: Account, order: OrderView) -> int:
    if not order.revealed_at_s:
        return 0
    ends = [order.revealed_at_s + account.offer_of(order).head.licence_s]
    permit = account.permits.get(PermitId(order.order.permit))
    if permit is not None:
        ends.append(permit.revoked_at_s - 1 if permit.revoked_at_s else permit.to_s)
    return min(ends)
