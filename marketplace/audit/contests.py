"""Check of contests: who could be called, and that each ruling is what its order's end follows."""

from collections.abc import Iterator

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, short
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account
from marketplace.protocol.check import Check
from marketplace.protocol.identity import NOBODY
from marketplace.protocol.states import OrderState, Reason


class Rulings:
    """Check 20. The end of a ruled order is the event after its ruling, in the same transaction.

    What rulings move is in checks 1, 3 and 7.
    """

    def __init__(self) -> None:
        self._pending: ev.OrderRuled | None = None
        self._contests = 0
        self._rulings = 0

    def take(self, event: ev.Event, before: Account) -> Iterator[str]:
        match event:
            case ev.OrderSettled(reason=Reason.RULED) | ev.OrderRefunded(reason=Reason.RULED):
                yield from self._end(event)
                return
        yield from self._left_over()
        match event:
            case ev.OrderPlaced(_, order_id, order):
                arbiter = before.offers[order.offer].offer.head.arbiter
                if arbiter == order.buyer:
                    yield f"the arbiter of order {short(order_id)} is its buyer"
            case ev.OrderContested(_, order_id):
                self._contests += 1
                if before.offer_of(before.orders[order_id]).head.arbiter == NOBODY:
                    yield f"order {short(order_id)} was contested without an arbiter"
            case ev.OrderRuled(_, order_id):
                self._rulings += 1
                self._pending = event
                if before.orders[order_id].state is not OrderState.CONTESTED:
                    yield f"order {short(order_id)} was ruled and not contested"

    def _end(self, event: ev.OrderSettled | ev.OrderRefunded) -> Iterator[str]:
        ruling, self._pending = self._pending, None
        if ruling is None or ruling.id != event.id or ruling.position.transaction != event.position.transaction:
            yield f"order {short(event.id)} ended by a ruling that was not made then"
        elif (ruling.price_bps == 0) != isinstance(event, ev.OrderRefunded):
            yield f"order {short(event.id)} was ruled {ruling.price_bps:,} basis points and ended otherwise"

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        return finding(
            20,
            "Only an arbiter that the offer names and that is not the buyer was called, each order was ruled at most once, "
            "and refunded exactly where the providers got nothing.",
            (*offenders, *self._left_over()),
            f"{counted(self._contests, 'contest')}, {counted(self._rulings, 'ruling')}",
        )

    def _left_over(self) -> Iterator[str]:
        """A ruling that ended nothing."""
        if self._pending is not None:
            yield f"order {short(self._pending.id)} was ruled and did not end"
        self._pending = None
