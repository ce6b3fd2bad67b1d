"""What to do about an order: a pure decision. No clock, no chain, no disk; everything is an argument."""

from dataclasses import dataclass
from enum import Enum, auto

from marketplace.protocol.identity import NOBODY, NOTHING, DatasetId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import FINAL, DeclineReason, OrderState, Reason
from marketplace.protocol.views import OrderView, PermitView
from node.objection import Objection

MEMBER_PATIENCE_S = 3_600
"""How long after a deadline a member ends an order that its offer's lead left lying."""


class Made(Enum):
    """How far the work on an order has come."""

    NOT_BEGUN = auto()
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Share:
    """One of this node's own datasets behind an order. `index`: its place among the offer's members.

    `accounted`: the vault keeps the dataset's account. `touched`: that account holds a debit for the order.
    """

    index: int
    dataset: DatasetId
    accounted: bool
    touched: bool


@dataclass(frozen=True)
class Desk:
    """Everything that the decision about one order depends on.

    `leads`: whether this node's provider leads the offer. `shares`: its own datasets in it; none for stock, which touches
    no records. `permit`: the one that the order names, if the ledger has it. `slot_s`: from the specification; None while
    that cannot be read. `objection`: why admission turned the order down; None if it let it in or has not been asked.
    `closed`: no work on it runs, nor ever begins again. `sealed_at_s`: when the sealed bytes were stored; None before.
    `joint`: whether the nodes of all members answer it together.
    """

    order: OrderView
    offer: Offer
    leads: bool
    shares: tuple[Share, ...]
    permit: PermitView | None
    slot_s: int | None
    objection: Objection | None
    made: Made
    closed: bool
    sealed_at_s: int | None
    joint: bool = False

    @property
    def touched(self) -> bool:
        """Whether records may have been opened for the order."""
        return any(share.touched for share in self.shares)

    @property
    def from_stock(self) -> bool:
        """Whether the order is for an earlier delivery, byte for byte."""
        return self.offer.head.stock != NOTHING


@dataclass(frozen=True)
class Wait:
    """Nothing to do now."""

    why: str


@dataclass(frozen=True)
class Close:
    """See to it that no work on the order runs, nor ever begins again: what is said about untouched records stays true."""


@dataclass(frozen=True)
class Decline:
    """Turn the order down, before any record was touched. The ledger is told the code alone."""

    objection: Objection

    @property
    def why(self) -> str:
        """The objection in words, for the provider."""
        return self.objection.words


@dataclass(frozen=True)
class Abstain:
    """Take no part in an order that another leads, before any record was touched. Nobody is told why."""

    objection: Objection

    @property
    def why(self) -> str:
        """The objection in words, for the provider."""
        return self.objection.words


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
    """Settle after the challenge window, or after the arbiter's window."""


@dataclass(frozen=True)
class Refund:
    """End an order that lapsed, or whose permit was revoked, so that the bond is free again."""


@dataclass(frozen=True)
class Release:
    """Give what an order that touched no record took back to the dataset of member `index`."""

    index: int


@dataclass(frozen=True)
class Done:
    """Nothing is left to do, ever."""


Step = Wait | Close | Decline | Abstain | Make | Seal | Deliver | Reveal | Settle | Refund | Release | Done


def next_step(desk: Desk, *, now_s: int) -> Step:
    """What to do about the order on `desk` at ledger time `now_s`."""
    if desk.order.state in FINAL:
        return _ended(desk)
    if not desk.leads:
        together = desk.joint and desk.order.state is OrderState.PLACED and now_s <= desk.order.deadline_s
        return _joined(desk, now_s) if together else _led_by_another(desk, now_s)
    match desk.order.state:
        case OrderState.PLACED:
            return _placed(desk, now_s)
        case OrderState.ACCEPTED:
            return _accepted(desk, now_s)
    return _lapsed(desk, now_s) or Wait(_WAITING[desk.order.state])


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


def is_permitted(desk: Desk, at_s: int) -> bool:
    """Whether the order on `desk` may be served at `at_s`: its offer asks for no permit, or the one that it names is of the
    offer's authority, for this buyer, purpose and offer, and live."""
    head, permit = desk.offer.head, desk.permit
    if head.authority == NOBODY:
        return True
    if permit is None or permit.id != desk.order.order.permit:
        return False
    return permit.serves(head, desk.order.order.buyer) and permit.covers(desk.offer) and permit.live(at_s)


_WAITING = {
    OrderState.ABSENT: "for the order to be placed",
    OrderState.DELIVERED: "for the buyer to accept",
    OrderState.REVEALED: "for the challenge window to close",
    OrderState.CONTESTED: "for the arbiter to rule",
}
_UNPERMITTED = Objection(DeclineReason.RULES, "the order's permit is not live, or is for something else")
_TOO_LATE = Objection(DeclineReason.CAPACITY, "no delivery slot is left before the deadline")
_NOT_DELIVERED = Objection(DeclineReason.UNSTATED, "not delivered")


def _lapsed(desk: Desk, now_s: int) -> Refund | Settle | None:
    """How anyone may end the order at `now_s`; None while nobody may, and for a key that did not come, which only the
    buyer gains from."""
    overdue = now_s > desk.order.deadline_s
    match desk.order.state:
        case OrderState.PLACED | OrderState.DELIVERED:
            return Refund() if overdue else None
        case OrderState.ACCEPTED:
            return Refund() if _was_revoked(desk) else None
        case OrderState.REVEALED | OrderState.CONTESTED:
            return Settle() if overdue else None
    return None


def _was_revoked(desk: Desk) -> bool:
    """Whether an accepted order's permit was revoked by its deadline: then its end is a refund, whoever is late."""
    named = desk.permit is not None and desk.permit.id == desk.order.order.permit
    revoked_at_s = desk.permit.revoked_at_s if named and desk.permit else 0
    return 0 < revoked_at_s <= desk.order.deadline_s


def _led_by_another(desk: Desk, now_s: int) -> Step:
    """A member ends what the lead left lying, so that its budget and its payout are not held for ever."""
    left_lying = now_s > desk.order.deadline_s + MEMBER_PATIENCE_S
    return (_lapsed(desk, now_s) if left_lying else None) or Wait("for the offer's lead")


def _joined(desk: Desk, now_s: int) -> Step:
    """A member's part in an order that is answered together. What a lead would decline, it takes no part in."""
    step = _placed(desk, now_s)
    match step:
        case Close() | Decline():
            refusal = _refusal(desk, now_s)
            assert refusal is not None
            return Wait("for the end: this node takes no part") if desk.closed else Abstain(refusal)
        case Seal() | Deliver():
            return Wait("for the offer's lead")
    return step


def _placed(desk: Desk, now_s: int) -> Step:
    if now_s > desk.order.deadline_s:
        return Refund()
    if desk.touched or desk.made is Made.DONE or desk.sealed_at_s is not None:
        return _begun(desk, now_s)
    if desk.made is Made.RUNNING:
        return Wait("for the work to end")
    refusal = _refusal(desk, now_s)
    if refusal is not None:
        return Decline(refusal) if desk.closed or desk.from_stock else Close()
    if desk.slot_s is None:
        return Wait("for the specification")
    return Seal() if desk.from_stock else Make()


def _refusal(desk: Desk, now_s: int) -> Objection | None:
    """Why an order that touched no record is turned down; None if it is not."""
    if not is_permitted(desk, now_s):
        return _UNPERMITTED
    if desk.objection is not None:
        return desk.objection
    if desk.slot_s and delivery_slot_s(desk.order.placed_at_s, desk.slot_s, now_s) > desk.order.deadline_s:
        return _TOO_LATE
    return _NOT_DELIVERED if desk.made is Made.FAILED or desk.closed else None


def _begun(desk: Desk, now_s: int) -> Step:
    """An order whose records were opened: it is delivered, or runs out of time. It is never declined.

    Nothing more is made for a buyer without a live permit, who could not accept it.
    """
    if desk.slot_s is None:
        return Wait("for the specification")
    if not is_permitted(desk, now_s):
        return Wait("for the deadline: the permit is not live")
    if desk.sealed_at_s is not None:
        due_s = delivery_slot_s(desk.order.placed_at_s, desk.slot_s, desk.sealed_at_s)
        return Deliver() if now_s >= due_s else Wait("for the delivery slot")
    match desk.made:
        case Made.DONE:
            return Seal()
        case Made.RUNNING:
            return Wait("for the work to end")
        case Made.NOT_BEGUN if not desk.closed and not desk.joint:
            return Make()
    return Wait("for the deadline: not delivered")


def _accepted(desk: Desk, now_s: int) -> Step:
    if _was_revoked(desk):
        return Refund()
    if now_s > last_reveal_s(desk.order.deadline_s, desk.offer.head.reveal_window_s):
        return Wait("for the end: too late to publish the key safely")
    return Reveal() if is_permitted(desk, now_s) else Wait("for the end: the permit is not live")


def _ended(desk: Desk) -> Step:
    refunded_from_placed = desk.order.reason in (Reason.DECLINED, Reason.NOT_DELIVERED)
    for share in desk.shares if refunded_from_placed and not desk.from_stock else ():
        if share.accounted and not share.touched and share.dataset not in desk.order.released:
            return Release(share.index) if desk.closed else Close()
    return Done()
