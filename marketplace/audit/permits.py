"""Checks of permits: how they were granted, and that orders which need one had one that fitted, at every step."""

from collections.abc import Iterator

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, short
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account
from marketplace.protocol.check import Check
from marketplace.protocol.identity import NOBODY, NOTHING, OrderId, PermitId
from marketplace.protocol.limits import LONGEST_PERMIT_S, MOST_SUBJECTS
from marketplace.protocol.states import Reason
from marketplace.protocol.views import PermitView


class Granted:
    """Check 15."""

    def take(self, event: ev.Event, before: Account) -> Iterator[str]:
        match event:
            case ev.PermitGranted(_, permit, _, grant):
                if permit in before.permits:
                    yield f"permit {short(permit)} was granted twice"
                if not 0 < grant.to_s - grant.from_s <= LONGEST_PERMIT_S:
                    yield f"permit {short(permit)} has a term of {grant.to_s - grant.from_s:,} s"
                if not 1 <= len(grant.subjects) <= MOST_SUBJECTS:
                    yield f"permit {short(permit)} has {len(grant.subjects)} subjects"
            case ev.PermitExtended(_, permit, to_s):
                view = before.permits[permit]
                if view.extended or view.revoked_at_s:
                    changed = "revoked" if view.revoked_at_s else "extended"
                    yield f"permit {short(permit)} was extended after it was {changed}"
                if not 0 < to_s - view.to_s <= LONGEST_PERMIT_S:
                    yield f"permit {short(permit)} was extended by {to_s - view.to_s:,} s"
            case ev.PermitRevoked(_, permit):
                if before.permits[permit].revoked_at_s:
                    yield f"permit {short(permit)} was revoked twice"

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        return finding(
            15,
            "Every permit was granted, extended and revoked at most once and within the limits, and nothing changed it "
            "after that.",
            offenders,
            counted(len(evidence.account.permits), "permit"),
        )


class Used:
    """Check 16: as permits stood at that moment."""

    def take(self, event: ev.Event, before: Account) -> Iterator[str]:
        match event:
            case ev.OrderPlaced():
                yield from _placing_faults(event, before)
            case ev.OrderAccepted(position, order):
                permit = _permit_of(order, before)
                if permit is None:
                    return
                if not permit.live(position.at_s):
                    yield f"order {short(order)} was accepted under a permit that was not live"
                elif position.at_s + before.offer_of(before.orders[order]).head.reveal_window_s > permit.to_s:
                    yield f"order {short(order)} was accepted under a permit that ends before the key is due"
            case ev.OrderRevealed(position, order):
                permit = _permit_of(order, before)
                if permit is not None and not permit.live(position.at_s):
                    yield f"the key of order {short(order)} was revealed under a permit that was not live"

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        under = sum(order.order.permit != NOTHING for order in evidence.account.orders.values())
        return finding(
            16,
            "Where an offer asks for a permit, every order was placed, accepted and revealed under one that fitted it and "
            "was live, and no other order names one.",
            offenders,
            f"{counted(under, 'order')} under a permit",
        )


def _placing_faults(event: ev.OrderPlaced, before: Account) -> Iterator[str]:
    offer, named = before.offers[event.order.offer].offer, PermitId(event.order.permit)
    if offer.head.authority == NOBODY:
        if named != NOTHING:
            yield f"order {short(event.id)} names a permit where its offer asks for none"
        return
    permit = before.permits.get(named)
    if permit is None:
        yield f"order {short(event.id)} names no permit that was granted"
        return
    if not permit.serves(offer.head, event.order.buyer):
        yield f"order {short(event.id)} names a permit of another authority or holder, or for another purpose"
    if not permit.covers(offer):
        yield f"order {short(event.id)} names a permit that is neither for its offer nor for all its datasets"
    if not permit.live(event.position.at_s):
        yield f"order {short(event.id)} was placed under a permit that was not live"


class Revoked:
    """Check 17."""

    def __init__(self) -> None:
        self._refunded = 0

    def take(self, event: ev.Event, before: Account) -> Iterator[str]:
        match event:
            case ev.OrderRefunded(_, order, Reason.PERMIT_REVOKED):
                self._refunded += 1
                if not _was_revoked(order, before):
                    yield f"order {short(order)} was refunded for a permit that was not revoked in time"
            case ev.OrderForfeited(_, order, Reason.NOT_REVEALED):
                if _was_revoked(order, before):
                    yield f"order {short(order)} was forfeited though its permit was revoked in time"

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        return finding(
            17,
            "An accepted order whose key did not come was refunded if its permit was revoked by the deadline, and "
            "forfeited if not.",
            offenders,
            f"{counted(self._refunded, 'order')} refunded for a revoked permit",
        )


def _was_revoked(order: OrderId, before: Account) -> bool:
    permit = _permit_of(order, before)
    return permit is not None and 0 < permit.revoked_at_s <= before.orders[order].deadline_s


def _permit_of(order: OrderId, before: Account) -> PermitView | None:
    return before.permits.get(PermitId(before.orders[order].order.permit))
