"""Checks of orders: each life a path in the table, in time, of what was on sale, with the promised key."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, short
from marketplace.protocol import events as ev
from marketplace.protocol.account import OrderView
from marketplace.protocol.check import Check
from marketplace.protocol.identity import DatasetId, OfferId
from marketplace.protocol.offer import Head
from marketplace.protocol.states import REASONS, OrderState, Reason
from marketplace.sealing.chunk import key_hash

IN_TIME = frozenset(
    {
        (OrderState.DELIVERED, Reason.NONE),
        (OrderState.REFUNDED, Reason.DECLINED),
        (OrderState.ACCEPTED, Reason.NONE),
        (OrderState.REFUNDED, Reason.REJECTED),
        (OrderState.REVEALED, Reason.NONE),
        (OrderState.FORFEITED, Reason.WRONG_BYTE),
    }
)
"""Steps of the one who must act: at the deadline's second or before."""

LAPSED = frozenset(
    {
        (OrderState.REFUNDED, Reason.NOT_DELIVERED),
        (OrderState.REFUNDED, Reason.NOT_ACCEPTED),
        (OrderState.FORFEITED, Reason.NOT_REVEALED),
        (OrderState.SETTLED, Reason.UNCHALLENGED),
    }
)
"""Steps that anyone may take: after the deadline's second."""


def window_s(head: Head, state: OrderState) -> int | None:
    """How long an order in `state` has until its deadline; None where nothing is due."""
    match state:
        case OrderState.PLACED:
            return head.deliver_window_s
        case OrderState.DELIVERED:
            return head.accept_window_s
        case OrderState.ACCEPTED:
            return head.reveal_window_s
        case OrderState.REVEALED:
            return head.challenge_window_s
    return None


def on_the_table(evidence: Evidence) -> Check:
    """Check 4."""
    placed = Counter(event.id for event in evidence.events if isinstance(event, ev.OrderPlaced))
    offenders = [f"order {short(order)} was placed {times} times" for order, times in placed.items() if times > 1]
    for order in evidence.account.orders.values():
        offenders += _steps_off_the_table(order)
    return finding(
        4,
        "Every order's life is a path in the table of states, for an allowed reason, and ends at most once.",
        offenders,
        counted(len(evidence.account.orders), "order"),
    )


def _steps_off_the_table(order: OrderView) -> Iterator[str]:
    state = OrderState.ABSENT
    for step in order.life:
        if step.reason not in REASONS.get((state, step.state), frozenset()):
            yield f"order {short(order.id)} went from {state.name} to {step.state.name} for {step.reason.name}"
        state = step.state


def in_time(evidence: Evidence) -> Check:
    """Check 5. Deadlines are recomputed from the windows in the offer."""
    offenders: list[str] = []
    for order in evidence.account.orders.values():
        offenders += _steps_out_of_time(order, evidence.account.offers[order.order.offer].offer.head)
    offenders += _other_deadlines(evidence)
    return finding(
        5,
        "Whoever had to act did so by the deadline, and whatever lapsed did so after it.",
        offenders,
        counted(sum(len(order.life) for order in evidence.account.orders.values()), "step"),
    )


def _steps_out_of_time(order: OrderView, head: Head) -> Iterator[str]:
    if order.placed_at_s > min(order.order.place_by_s, head.valid_until_s):
        yield f"order {short(order.id)} was placed after its last second"
    for before, step in pairwise(order.life):
        due_s = window_s(head, before.state)
        if due_s is None:
            continue
        left_s = before.position.at_s + due_s - step.position.at_s
        if left_s < 0 and (step.state, step.reason) in IN_TIME:
            yield f"order {short(order.id)} became {step.state.name} {-left_s:,} s after the deadline"
        if left_s >= 0 and (step.state, step.reason) in LAPSED:
            yield f"order {short(order.id)} became {step.state.name} with {left_s:,} s left"


def _other_deadlines(evidence: Evidence) -> Iterator[str]:
    account = evidence.account
    for event in evidence.events:
        match event:
            case ev.OrderPlaced(id=order):
                state = OrderState.PLACED
            case ev.OrderDelivered(id=order):
                state = OrderState.DELIVERED
            case ev.OrderAccepted(id=order):
                state = OrderState.ACCEPTED
            case ev.OrderRevealed(id=order):
                state = OrderState.REVEALED
            case _:
                continue
        due_s = window_s(account.offers[account.orders[order].order.offer].offer.head, state)
        if event.deadline_s != event.position.at_s + (due_s or 0):
            yield f"order {short(order)} was given another deadline than its offer says"


def on_sale(evidence: Evidence) -> Check:
    """Check 9: what was on sale when each order was placed."""
    versions: Counter[DatasetId] = Counter()
    retired: set[OfferId] = set()
    offenders, placed = [], 0
    for event in evidence.events:
        match event:
            case ev.DatasetRegistered(_, dataset) | ev.DatasetRevised(_, dataset):
                versions[dataset] += 1
                if isinstance(event, ev.DatasetRevised) and event.version != versions[dataset]:
                    offenders.append(f"dataset {short(dataset)} skipped a version")
            case ev.OfferRetired(_, offer):
                retired.add(offer)
            case ev.OrderPlaced(_, order_id, order):
                placed += 1
                if order.offer in retired:
                    offenders.append(f"order {short(order_id)} was placed on a retired offer")
                members = evidence.account.offers[order.offer].offer.members
                if any(order.version(index) != versions[member.dataset] for index, member in enumerate(members)):
                    offenders.append(f"order {short(order_id)} names a version that was not current")
    return finding(
        9,
        "Every order was placed on an offer that stood, for the versions that were current.",
        offenders,
        counted(placed, "order"),
    )


def keys_open(evidence: Evidence) -> Check:
    """Check 10."""
    revealed = [order for order in evidence.account.orders.values() if order.key is not None]
    offenders = [
        f"the key of order {short(order.id)} is not the promised one"
        for order in revealed
        if order.key is None or order.delivery is None or key_hash(order.key) != order.delivery.key_hash
    ]
    sentence = "Every revealed key is the one that its delivery promised."
    return finding(10, sentence, offenders, counted(len(revealed), "key"))
