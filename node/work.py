"""What to do about an order: a pure decision. No clock, no chain, no disk; everything is an argument."""

from dataclasses import dataclass
from enum import Enum, auto

from marketplace.protocol.account import OrderView
from marketplace.protocol.identity import DatasetId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import FINAL, OrderState, Reason


class Made(Enum):
    """How far the work on an order has come."""

    NOT_BEGUN = auto()
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Desk:
    """Everything that the decision about one order depends on.

    `slot_s`: from the specification; None while that cannot be read. `objection`: why admission turned the order down;
    None if it let it in or has not been asked. `accounted`: the vault keeps the dataset's account. `touched`: that account
    holds a debit for the order. `closed`: no work on it runs, nor ever begins again. `sealed_at_s`: when the sealed bytes
    were stored; None before.
    """

    order: OrderView
    offer: Offer
    dataset: DatasetId
    slot_s: int | None
    objection: str | None
    accounted: bool
    touched: bool
    made: Made
    closed: bool
    sealed_at_s: int | None


@dataclass(frozen=True)
class Wait:
    """Nothing to do now."""

    why: str


@dataclass(frozen=True)
class Close:
    """See to it that no work on the order runs, nor ever begins again: what is said about untouched records stays true."""


@dataclass(frozen=True)
class Decline:
    """Turn the order down, before any record was touched."""

    why: str


@dataclass(frozen=True)
class Make:
    """Start, or start again, the work in a process of its own."""


@dataclass(frozen=True)
class Seal:
    """Write manifest and certificate, seal the result, store the bytes."""


@dataclass(frozen=True)
class Deliver:
    """Record the delivery on the ledger."""


@dataclass(frozen=True)
class Reveal:
    """Publish the key."""


@dataclass(frozen=True)
class Settle:
    """Settle after the challenge window."""


@dataclass(frozen=True)
class Refund:
    """End an order that lapsed, so that the bond is free again."""


@dataclass(frozen=True)
class Release:
    """Give the rho of an order that touched no record back to its dataset."""


@dataclass(frozen=True)
class Done:
    """Nothing is left to do, ever."""


Step = Wait | Close | Decline | Make | Seal | Deliver | Reveal | Settle | Refund | Release | Done


def next_step(desk: Desk, *, now_s: int) -> Step:
    """What to do about the order on `desk` at ledger time `now_s`."""
    match desk.order.state:
        case OrderState.PLACED:
            return _placed(desk, now_s)
        case OrderState.DELIVERED:
            return Refund() if now_s > desk.order.deadline_s else Wait("for the buyer to accept")
        case OrderState.ACCEPTED:
            return _accepted(desk, now_s)
        case OrderState.REVEALED:
            return Settle() if now_s > desk.order.deadline_s else Wait("for the challenge window to close")
        case state if state in FINAL:
            return _ended(desk)
    return Wait("for the arbiter")


def delivery_slot_s(placed_at_s: int, slot_s: int, sealed_at_s: int) -> int:
    """When a result sealed at `sealed_at_s` is delivered: the next whole number of slots, at least one, after placing.

    So the time of a delivery tells which slot the work ended in and no more.
    """
    slots = max(1, -(-(sealed_at_s - placed_at_s) // slot_s))
    return placed_at_s + slots * slot_s


def last_reveal_s(deadline_s: int, window_s: int) -> int:
    """The last second at which a node sends a key: never in the last quarter of the reveal window.

    A key that is broadcast late may be read by the buyer and yet miss the block that counts.
    """
    return deadline_s - -(-window_s // 4)


def _placed(desk: Desk, now_s: int) -> Step:
    if now_s > desk.order.deadline_s:
        return Refund()
    if desk.touched or desk.made is Made.DONE or desk.sealed_at_s is not None:
        return _begun(desk, now_s)
    if desk.made is Made.RUNNING:
        return Wait("for the work to end")
    refusal = _refusal(desk, now_s)
    if refusal is not None:
        return Decline(refusal) if desk.closed else Close()
    return Wait("for the specification") if desk.slot_s is None else Make()


def _refusal(desk: Desk, now_s: int) -> str | None:
    """Why an order that touched no record is turned down; None if it is not."""
    if desk.objection is not None:
        return desk.objection
    if desk.slot_s and delivery_slot_s(desk.order.placed_at_s, desk.slot_s, now_s) > desk.order.deadline_s:
        return "no delivery slot is left before the deadline"
    return "not delivered" if desk.made is Made.FAILED or desk.closed else None


def _begun(desk: Desk, now_s: int) -> Step:
    """An order whose records were opened: it is delivered, or runs out of time. It is never declined."""
    if desk.slot_s is None:
        return Wait("for the specification")
    if desk.sealed_at_s is not None:
        due_s = delivery_slot_s(desk.order.placed_at_s, desk.slot_s, desk.sealed_at_s)
        return Deliver() if now_s >= due_s else Wait("for the delivery slot")
    match desk.made:
        case Made.DONE:
            return Seal()
        case Made.RUNNING:
            return Wait("for the work to end")
        case Made.NOT_BEGUN if not desk.closed:
            return Make()
    return Wait("for the deadline: not delivered")


def _accepted(desk: Desk, now_s: int) -> Step:
    if now_s <= last_reveal_s(desk.order.deadline_s, desk.offer.head.reveal_window_s):
        return Reveal()
    return Wait("for the end: too late to publish the key safely")


def _ended(desk: Desk) -> Step:
    refunded_from_placed = desk.order.reason in (Reason.DECLINED, Reason.NOT_DELIVERED)
    untouched = desk.accounted and not desk.touched
    if not refunded_from_placed or not untouched or desk.dataset in desk.order.released:
        return Done()
    return Release() if desk.closed else Close()
