from collections.abc import Callable
from dataclasses import replace

import pytest

from marketplace.audit.evidence import Evidence
from marketplace.protocol import events as ev
from marketplace.protocol.account import Step
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import pack_versions
from marketplace.protocol.states import FINAL, NEXT, REASONS, DeclineReason, OrderState, Reason

from ..protocol.examples import address
from ..protocol.history import History, arbitrated, delivery, market
from .examples import check, failing, truthful

Way = Callable[[History, OrderId], None]


def placed(history: History, order: OrderId) -> None:
    """Nothing more."""


def delivered(history: History, order: OrderId) -> None:
    history.deliver(order)


def accepted(history: History, order: OrderId) -> None:
    history.deliver(order)
    history.accept(order)


def revealed(history: History, order: OrderId) -> None:
    accepted(history, order)
    history.reveal(order)


def contested(history: History, order: OrderId) -> None:
    revealed(history, order)
    history.contest(order)


ACTS: list[tuple[str, Way, Way, str]] = [
    ("deliver", placed, History.deliver, "deliver_window_s"),
    ("decline", placed, lambda history, order: history.decline(order), "deliver_window_s"),
    ("accept", delivered, History.accept, "accept_window_s"),
    ("reject", delivered, lambda history, order: history.refund(order, Reason.REJECTED), "accept_window_s"),
    ("reveal", accepted, History.reveal, "reveal_window_s"),
    ("contest", revealed, History.contest, "challenge_window_s"),
    ("rule", contested, lambda history, order: history.rule(order, 1, 1), "rule_window_s"),
    ("rule for the buyer", contested, lambda history, order: history.rule(order, 0, 0), "rule_window_s"),
    (
        "complain of a contested order",
        contested,
        lambda history, order: history.forfeit(order, Reason.WRONG_BYTE),
        "rule_window_s",
    ),
    ("complain", revealed, lambda history, order: history.forfeit(order, Reason.WRONG_BYTE), "challenge_window_s"),
]
LAPSES: list[tuple[str, Way, Way, str]] = [
    ("deliver", placed, lambda history, order: history.refund(order, Reason.NOT_DELIVERED), "deliver_window_s"),
    ("accept", delivered, lambda history, order: history.refund(order, Reason.NOT_ACCEPTED), "accept_window_s"),
    ("reveal", accepted, History.forfeit, "reveal_window_s"),
    (
        "settle without a ruling",
        contested,
        lambda history, order: history.settle(order, Reason.NOT_RULED),
        "rule_window_s",
    ),
    ("settle", revealed, lambda history, order: history.settle(order, Reason.UNCHALLENGED), "challenge_window_s"),
]


def after(way: Way, step: Way, window: str, late_s: int) -> tuple[Evidence, OrderId]:
    """A history in which `step` comes `late_s` seconds after the deadline."""
    history, offer = arbitrated()
    order = history.place(offer)
    way(history, order)
    history.wait(getattr(offer.head, window) + late_s - 1)
    step(history, order)
    return truthful(history), order


@pytest.mark.parametrize(("way", "step", "window"), [act[1:] for act in ACTS], ids=[act[0] for act in ACTS])
def test_whoever_must_act_has_the_deadlines_second_and_no_more(way: Way, step: Way, window: str) -> None:
    assert failing(after(way, step, window, 0)[0]) == set()
    evidence, order = after(way, step, window, 1)
    assert failing(evidence) == {5}
    assert f"order 0x{order.hex()[:8]} became" in check(5, evidence).evidence
    assert "1 s after the deadline" in check(5, evidence).evidence


@pytest.mark.parametrize(("way", "step", "window"), [lapse[1:] for lapse in LAPSES], ids=[lapse[0] for lapse in LAPSES])
def test_what_lapses_does_so_only_after_the_deadlines_second(way: Way, step: Way, window: str) -> None:
    assert failing(after(way, step, window, 1)[0]) == set()
    evidence, _ = after(way, step, window, 0)
    assert failing(evidence) == {5}
    assert "with 0 s left" in check(5, evidence).evidence


def test_a_buyer_may_approve_after_the_window_too() -> None:
    assert failing(after(revealed, History.settle, "challenge_window_s", 50)[0]) == set()


@pytest.mark.parametrize("last", ["order", "offer"])
def test_an_order_may_be_placed_in_its_last_second(last: str) -> None:
    history, offer = market()
    if last == "offer":
        offer = history.publish(offer.members[0].dataset, valid_until_s=history.now_s + 2)
        history.place(offer)
    else:
        history.place(offer, place_by_s=history.now_s + 1)
    assert failing(truthful(history)) == set()


@pytest.mark.parametrize("late", ["order", "offer"])
def test_an_order_placed_after_its_last_second_fails(late: str) -> None:
    history, offer = market()
    if late == "offer":
        offer = history.publish(offer.members[0].dataset, valid_until_s=history.now_s + 1)
        history.place(offer)
    else:
        history.place(offer, place_by_s=history.now_s)
    assert failing(truthful(history)) == {5}
    assert "was placed after its last second" in check(5, truthful(history)).evidence


def with_life(evidence: Evidence, order: OrderId, *steps: tuple[OrderState, Reason]) -> Evidence:
    """The same evidence, in which the order took these steps."""
    view = evidence.account.orders[order]
    life = tuple(Step(state, reason, view.life[0].position) for state, reason in steps)
    account = replace(evidence.account, orders={order: replace(view, life=life)})
    return replace(evidence, account=account)


def test_every_step_of_the_table_passes_and_every_other_fails() -> None:
    history, offer = market()
    order = history.place(offer)
    evidence = truthful(history)
    ways = {OrderState.ABSENT: ()}
    while len(ways) < len(OrderState):
        for (start, end), reasons in REASONS.items():
            if start in ways and end not in ways:
                ways[end] = (*ways[start], (end, min(reasons)))
    for start, way in ways.items():
        for end in OrderState:
            for reason in Reason:
                found = check(4, with_life(evidence, order, *way, (end, reason)))
                allowed = end in NEXT[start] and reason in REASONS[start, end]
                assert found.passed is allowed, (start, end, reason)
                if not allowed:
                    words = f"order 0x{order.hex()[:8]} went from {start.name} to {end.name} for {reason.name}"
                    assert words in found.evidence


@pytest.mark.parametrize("end", [Reason.DECLINED, Reason.NOT_DELIVERED])
def test_an_order_that_ends_twice_fails(end: Reason) -> None:
    history, offer = market()
    order = history.settled(offer)
    assert history.view(order).state in FINAL
    history.refund(order, end)
    assert 4 in failing(truthful(history))


def test_a_decline_without_a_word_fails() -> None:
    history, offer = market()
    order = history.place(offer)
    history.refund(order, Reason.DECLINED)
    assert failing(truthful(history)) == {4}
    assert check(4, truthful(history)).evidence == f"order 0x{order.hex()[:8]} was declined without a word"


@pytest.mark.parametrize("end", [None, Reason.NOT_DELIVERED])
def test_a_decline_that_ends_nothing_fails(end: Reason | None) -> None:
    history, offer = market()
    order = history.place(offer)
    history.record(ev.OrderDeclined, order, DeclineReason.RULES)
    if end:
        history.wait(offer.head.deliver_window_s)
        history.refund(order, end)
    assert failing(truthful(history)) == {4}
    assert check(4, truthful(history)).evidence == f"order 0x{order.hex()[:8]} was declined and not refunded"


@pytest.mark.parametrize("fault", ["another order", "another transaction"])
def test_a_decline_that_does_not_belong_to_the_refund_after_it_fails(fault: str) -> None:
    history, offer = market()
    order, other = history.place(offer), history.place(offer)
    history.record(ev.OrderDeclined, order, DeclineReason.RULES)
    history.record(
        ev.OrderRefunded,
        other if fault == "another order" else order,
        Reason.DECLINED,
        together=fault == "another order",
    )
    assert failing(truthful(history)) == {4}


def test_an_order_that_skips_its_delivery_fails() -> None:
    history, offer = market()
    history.settle(history.place(offer))
    assert "went from PLACED to SETTLED for APPROVED" in check(4, truthful(history)).evidence


def test_an_order_that_is_placed_twice_fails() -> None:
    history, offer = market()
    order = history.place(offer)
    history.events.append(history.events[-1])
    found = check(4, truthful(history))
    assert found.passed is False
    assert found.evidence == f"order 0x{order.hex()[:8]} was placed 2 times"


def test_an_order_for_a_version_that_was_not_current_fails() -> None:
    history, offer = market()
    dataset = offer.members[0].dataset
    history.place(offer)
    history.revise(dataset)
    history.place(offer)
    assert failing(truthful(history)) == set()
    old = history.place(offer, versions=pack_versions([1]))
    history.place(offer, versions=pack_versions([3]))
    found = check(9, truthful(history))
    assert failing(truthful(history)) >= {9}
    assert f"order 0x{old.hex()[:8]} names a version that was not current" in found.evidence
    assert found.evidence.count("not current") == 2


def test_an_order_on_a_retired_offer_fails() -> None:
    history, offer = market()
    history.place(offer)
    history.retire(offer)
    assert failing(truthful(history)) == set()
    history.place(offer)
    assert failing(truthful(history)) == {9}


def test_a_version_beyond_the_members_or_for_stock_fails() -> None:
    history, offer = market(bond_units=0)
    history.place(offer, versions=pack_versions([1, 1]))
    assert failing(truthful(history)) == {9}
    history, offer = market(bond_units=0)
    stock = history.publish_stock(history.settled(offer), bond_units=0)
    history.place(stock)
    assert failing(truthful(history)) == set()
    history.place(stock, versions=pack_versions([1]))
    assert failing(truthful(history)) == {9}


def test_a_pools_order_names_the_current_version_of_every_member() -> None:
    history = History()
    datasets = sorted([history.register(), history.register(), history.register()])
    offer = history.publish(*datasets, bond_units=0)
    history.revise(datasets[1])
    history.place(offer, versions=pack_versions([1, 2, 1]))
    assert failing(truthful(history)) == set()
    for versions in ([1, 1, 1], [2, 1, 1], [1, 2, 2], [1, 2]):
        history.place(offer, versions=pack_versions(versions))
    assert failing(truthful(history)) == {9}
    assert check(9, truthful(history)).evidence.endswith("; and 1 more")


def test_an_order_on_an_offer_without_room_fails_and_room_comes_back() -> None:
    history, offer = market(max_open=1, bond_units=0)
    history.decline(history.place(offer))
    history.place(offer)
    assert failing(truthful(history)) == set()
    order = history.place(offer)
    assert failing(truthful(history)) == {9}
    assert (
        f"order 0x{order.hex()[:8]} was placed on an offer with 1 open orders" in check(9, truthful(history)).evidence
    )


def test_an_offer_that_is_retired_twice_or_by_a_stranger_fails() -> None:
    history, offer = market()
    history.retire(offer)
    history.retire(offer)
    assert "was retired twice" in check(9, truthful(history)).evidence
    history, offer = market()
    history.record(ev.OfferRetired, offer.id, address(6))
    assert failing(truthful(history)) == {9}
    assert "by somebody else than its members" in check(9, truthful(history)).evidence


def test_any_member_of_a_pool_may_retire_it() -> None:
    history = History()
    offer = history.publish(history.register(), history.register(provider=address(5)))
    history.record(ev.OfferRetired, offer.id, address(5))
    assert failing(truthful(history)) == set()


def test_a_version_out_of_order_fails() -> None:
    history, offer = market()
    history.record(ev.DatasetRevised, offer.members[0].dataset, 3, bytes(32), bytes(32))
    assert "skipped a version" in check(9, truthful(history)).evidence


def test_a_key_that_is_not_the_promised_one_fails() -> None:
    history, offer = market()
    order = history.place(offer)
    accepted(history, order)
    history.reveal(order, key=b"x" * 32)
    assert failing(truthful(history)) == {10}
    assert check(10, truthful(history)).evidence == f"the key of order 0x{order.hex()[:8]} is not the promised one"


@pytest.mark.parametrize("changes", [{"count": 0}, {"object_codec": 0x51}])
def test_a_delivery_without_chunks_or_under_an_unknown_codec_fails(changes: dict[str, int]) -> None:
    history, offer = market()
    order = history.place(offer)
    history.deliver(order, delivery(**changes))
    assert failing(truthful(history)) == {10}
    assert f"the delivery of order 0x{order.hex()[:8]} has no chunks" in check(10, truthful(history)).evidence


def test_a_delivery_of_one_chunk_passes() -> None:
    history, offer = market()
    history.deliver(history.place(offer), delivery(count=1))
    assert failing(truthful(history)) == set()


def test_a_key_without_a_delivery_fails() -> None:
    history, offer = market()
    history.reveal(history.place(offer))
    assert 10 in failing(truthful(history))


def test_the_figures_are_in_the_evidence(settled: tuple[History, Offer]) -> None:
    evidence = truthful(settled[0])
    assert [check(number, evidence).evidence for number in (4, 5, 9, 10)] == ["1 order", "5 steps", "1 order", "1 key"]


@pytest.fixture
def settled() -> tuple[History, Offer]:
    """A market with one settled order."""
    history, offer = market()
    history.settled(offer)
    return history, offer
