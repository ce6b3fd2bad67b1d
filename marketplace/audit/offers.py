"""Checks of offers: that the contract would have taken each, and that stock is what it says."""

from collections.abc import Iterator

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, short
from marketplace.protocol import events as ev
from marketplace.protocol import limits
from marketplace.protocol.account import Account
from marketplace.protocol.check import Check
from marketplace.protocol.identity import NOTHING, OfferId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import Reason
from marketplace.protocol.views import OrderView


class Limits:
    """Check 18."""

    def take(self, event: ev.Event, before: Account) -> Iterator[str]:
        if isinstance(event, ev.OfferPublished):
            yield from (f"offer {short(event.offer.id)}: {fault}" for fault in _faults(event, before))

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        return finding(
            18,
            "Every offer has members, shares, roles, amounts and windows as the contract allows, on datasets that its "
            "members hold.",
            offenders,
            counted(len(evidence.account.offers), "offer"),
        )


def _faults(event: ev.OfferPublished, before: Account) -> Iterator[str]:
    if event.offer.id in before.offers:
        yield "it was published twice"
    for member in event.offer.members:
        dataset = before.datasets.get(member.dataset)
        if dataset is None or dataset.provider != member.provider:
            yield f"dataset {short(member.dataset)} is not its member's"
    yield from limits.faults(event.offer, event.position.at_s)


class Stock:
    """Check 19. An offer of stock is told of its origin in the event after it, in the same transaction."""

    def __init__(self) -> None:
        self._untold: Offer | None = None
        self._offers = 0

    def take(self, event: ev.Event, before: Account) -> Iterator[str]:
        told = isinstance(event, ev.StockOffered) and self._untold is not None and event.offer == self._untold.id
        if not told:
            yield from self._left_over()
        match event:
            case ev.OfferPublished(_, offer) if offer.head.stock != NOTHING:
                self._untold = offer
            case ev.StockOffered(position, offer_id, origin):
                self._offers += 1
                if not told or position.transaction != before.offers[offer_id].position.transaction:
                    yield f"offer {short(offer_id)} was made one of stock after it was published"
                yield from _origin_faults(before, offer_id, before.orders[origin])
                self._untold = None
            case ev.OrderDelivered(_, order, _, delivery):
                head = before.offer_of(before.orders[order]).head
                if head.stock not in (NOTHING, delivery.plain_root):
                    yield f"order {short(order)} was delivered another result than its offer's stock"

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        return finding(
            19,
            "Every offer of stock sells a delivery of the same datasets and promise without a proven wrong byte, and only "
            "that result was delivered for it.",
            (*offenders, *self._left_over()),
            f"{counted(self._offers, 'offer')} of stock",
        )

    def _left_over(self) -> Iterator[str]:
        """An offer of stock that named no origin."""
        if self._untold is not None:
            yield f"offer {short(self._untold.id)} sells stock of no order"
        self._untold = None


def _origin_faults(before: Account, offer_id: OfferId, origin: OrderView) -> Iterator[str]:
    offer, name = before.offers[offer_id].offer, f"the stock of offer {short(offer_id)}"
    if origin.delivery is None:
        yield f"{name} is of an order without a delivery"
        return
    if origin.reason is Reason.WRONG_BYTE:
        yield f"{name} is of an order with a proven wrong byte"
    if origin.delivery.plain_root != offer.head.stock:
        yield f"{name} is another result than its origin's"
    if _promise(before.offer_of(origin)) != _promise(offer):
        yield f"{name} is of other datasets or another promise"


def _promise(offer: Offer) -> tuple[object, ...]:
    head = offer.head
    return head.kind, head.guarantee, head.unit, head.delta_atto, tuple(member.dataset for member in offer.members)
