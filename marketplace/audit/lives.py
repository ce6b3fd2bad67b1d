"""Checks of orders: each life a path in the table, in time, of what was on sale, with the promised key."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, short
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.check import Check
from marketplace.protocol.identity import NOTHING
from marketplace.protocol.offer import Head
from marketplace.protocol.order import CODEC_DAG_PB, CODEC_RAW
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
        (OrderState.CONTESTED, Reason.NONE),
        (OrderState.SETTLED, Reason.RULED),
        (OrderState.REFUNDED, Reason.RULED),
    }
)
"""Steps of the one who must act: at the deadline's second or before."""

LAPSED = frozenset(
    {
        (OrderState.REFUNDED, Reason.NOT_DELIVERED),
        (OrderState.REFUNDED, Reason.NOT_ACCEPTED),
        (OrderState.FORFEITED, Reason.NOT_REVEALED),
        (OrderState.SETTLED, Reason.UNCHALLENGED),
        (OrderState.SETTLED, Reason.NOT_RULED),
    }
)
"""Steps that anyone may take: after the deadline's second."""


def on_the_table(evidence: Evidence) -> Check:
    """Check 4."""
    placed = Counter(event.id for event in evidence.events if isinstance(event, ev.OrderPlaced))
    offenders = [f"order {short(order)} was placed {times} times" for order, times in placed.items() if times > 1]
    for order in evidence.account.orders.values():
        offenders += _steps_off_the_table(order)
    offenders += _declines_without_end(evidence.events)
    return finding(
        4,
        "Every order's life is a path in the table of states, for an allowed reason, and ends at most once; whoever "
        "declines says why.",
        offenders,
        counted(len(evidence.account.orders), "order"),
    )


def _steps_off_the_table(order: OrderView) -> Iterator[str]:
    state = OrderState.ABSENT
    for step in order.life:
        if step.reason not in REASONS.get((state, step.state), frozenset()):
            yield f"order {short(order.id)} went from {state.name} to {step.state.name} for {step.reason.name}"
        state = step.state


def _declines_without_end(events: Sequence[ev.Event]) -> Iterator[str]:
    """A decline and the refund after it stand in one transaction, and neither stands alone."""
    for before, event in pairwise([None, *events, None]):
        match before, event:
            case ev.OrderDeclined() as declined, ev.OrderRefunded(position, order, Reason.DECLINED) if (
                declined.id == order and declined.position.transaction == position.transaction
            ):
                continue
            case ev.OrderDeclined(id=order), _:
                yield f"order {short(order)} was declined and not refunded"
        match event:
            case ev.OrderRefunded(_, order, Reason.DECLINED):
                yield f"order {short(order)} was declined without a word"


def in_time(evidence: Evidence) -> Check:
    """Check 5. Deadlines are recomputed from the windows in the offer; check 3 compares them with the contract's."""
    offenders: list[str] = []
    for order in evidence.account.orders.values():
        offenders += _steps_out_of_time(order, evidence.account.offers[order.order.offer].offer.head)
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
        due_s = head.window_s(before.state)
        if due_s is None:
            continue
        left_s = before.position.at_s + due_s - step.position.at_s
        if left_s < 0 and (step.state, step.reason) in IN_TIME:
            yield f"order {short(order.id)} became {step.state.name} {-left_s:,} s after the deadline"
        if left_s >= 0 and (step.state, step.reason) in LAPSED:
            yield f"order {short(order.id)} became {step.state.name} with {left_s:,} s left"


class OnSale:
    """Check 9: what was on sale when each order was placed."""

    def __init__(self) -> None:
        self._placed = 0

    def take(self, event: ev.Event, before: Account) -> Iterator[str]:
        match event:
            case ev.DatasetRevised(_, dataset, version) if version != len(before.datasets[dataset].versions) + 1:
                yield f"dataset {short(dataset)} skipped a version"
            case ev.OfferRetired():
                yield from _retiring_faults(event, before)
            case ev.OrderPlaced():
                self._placed += 1
                yield from _placing_faults(event, before)

    def check(self, evidence: Evidence, offenders: list[str]) -> Check:
        return finding(
            9,
            "Every order was placed on an offer that stood and had room, for the versions that were current; only its "
            "members retired an offer, once.",
            offenders,
            counted(self._placed, "order"),
        )


def _retiring_faults(event: ev.OfferRetired, before: Account) -> Iterator[str]:
    view = before.offers[event.offer]
    if view.retired:
        yield f"offer {short(event.offer)} was retired twice"
    if event.by not in {member.provider for member in view.offer.members}:
        yield f"offer {short(event.offer)} was retired by somebody else than its members"


def _placing_faults(event: ev.OrderPlaced, before: Account) -> Iterator[str]:
    view = before.offers[event.order.offer]
    members = view.offer.members if view.offer.head.stock == NOTHING else ()
    current = sum(len(before.datasets[member.dataset].versions) << 16 * at for at, member in enumerate(members))
    if view.retired:
        yield f"order {short(event.id)} was placed on a retired offer"
    if view.open >= view.offer.head.max_open:
        yield f"order {short(event.id)} was placed on an offer with {view.open:,} open orders"
    if event.order.versions != current:
        yield f"order {short(event.id)} names a version that was not current"


def keys_open(evidence: Evidence) -> Check:
    """Check 10."""
    revealed = [order for order in evidence.account.orders.values() if order.key is not None]
    offenders = [
        f"the key of order {short(order.id)} is not the promised one"
        for order in revealed
        if order.key is None or order.delivery is None or key_hash(order.key) != order.delivery.key_hash
    ]
    offenders += [
        f"the delivery of order {short(order.id)} has no chunks or an unknown codec"
        for order in evidence.account.orders.values()
        if order.delivery is not None
        and (order.delivery.count < 1 or order.delivery.object_codec not in (CODEC_RAW, CODEC_DAG_PB))
    ]
    sentence = (
        "Every delivery has chunks under a codec that is known, and every revealed key is the one that it promised."
    )
    return finding(10, sentence, offenders, counted(len(revealed), "key"))
