"""The kept results of one node, tended: what nothing sells any more is deleted, and the end of stock anchored."""

from marketplace.ledger.ledger import Receipt
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.identity import Address, OrderId
from node.effects import Effects
from node.journal import Mark
from node.stock import Anchor, Care, Delete, Shelf, next_care, sales_of
from node.work import Done, Wait


class Shelves:
    """What `provider`'s node keeps, and what it deleted and has not anchored yet."""

    def __init__(self, provider: Address, effects: Effects) -> None:
        self._provider = provider
        self._effects = effects
        self._deleted = set(effects.journal.orders(Mark.DELETED))

    def orders(self, account: Account) -> tuple[OrderId, ...]:
        """The orders whose results there may be something to do about."""
        return tuple(sorted(self._deleted.union(self._effects.stock.orders()) & account.orders.keys()))

    def tend(self, account: Account, order: OrderView, now_s: int) -> tuple[Care, Receipt | None]:
        """Does the next thing about the result of `order`: what it was, and the receipt where a transaction was sent."""
        shelf = self._shelf(account, order)
        care = next_care(shelf, now_s=now_s)
        match care:
            case Delete() if self._is_open_now(shelf):
                return Wait("for confirmations"), None
            case Delete():
                self._effects.delete(order.id, now_s)
                self._deleted.add(order.id)
            case Anchor(day):
                receipt = self._effects.anchor(order.id, day, now_s)
                return (care, receipt) if receipt else (Wait("for confirmations"), None)
            case Done():
                self._deleted.discard(order.id)
        return care, None

    def _shelf(self, account: Account, order: OrderView) -> Shelf:
        deleted, said = self._effects.journal.last(order.id, Mark.DELETED), account.providers.get(self._provider)
        return Shelf(
            order=order,
            sales=sales_of(account, order.id),
            kept=self._effects.stock.has(order.id),
            deleted_at_s=deleted.at_s if deleted else None,
            anchored=frozenset(anchor.day for anchor in said.anchors) if said else frozenset(),
        )

    def _is_open_now(self, shelf: Shelf) -> bool:
        """Whether the ledger's newest block has an order for the stock, which may not be confirmed yet."""
        return any(self._effects.ledger.offer(view.offer.id).open > 0 for view in shelf.sales)
