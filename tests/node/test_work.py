"""What a node does about an order, for every order that there can be."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.states import FINAL, REASONS, OrderState, Reason
from node.work import (
    Close,
    Decline,
    Deliver,
    Desk,
    Done,
    Made,
    Make,
    Refund,
    Release,
    Reveal,
    Seal,
    Settle,
    Step,
    Wait,
    delivery_slot_s,
    last_reveal_s,
    next_step,
)
from tests.node.examples import DEADLINE_S, PLACED_AT_S, desk, offer, view

WAYS_IN = [(to, reason) for (_, to), reasons in REASONS.items() for reason in reasons]
MOMENTS = st.integers(PLACED_AT_S, DEADLINE_S + 10_000)


@st.composite
def desks(draw: st.DrawFn) -> Desk:
    """Any desk at all, also such as no node should ever see."""
    state, reason = draw(st.sampled_from(WAYS_IN))
    return Desk(
        order=view(state, reason, draw(st.booleans())),
        offer=offer(reveal_window_s=draw(st.integers(3_600, 31_536_000))),
        dataset=desk().dataset,
        slot_s=draw(st.none() | st.integers(1, 86_400)),
        objection=draw(st.none() | st.just("because")),
        accounted=draw(st.booleans()),
        touched=draw(st.booleans()),
        made=draw(st.sampled_from(Made)),
        closed=draw(st.booleans()),
        sealed_at_s=draw(st.none() | MOMENTS),
    )


@given(desks(), MOMENTS)
def test_there_is_an_answer_for_every_order_and_every_moment(found: Desk, now_s: int) -> None:
    assert isinstance(next_step(found, now_s=now_s), Step)


@pytest.mark.parametrize("state", OrderState)
def test_there_is_an_answer_for_every_state(state: OrderState) -> None:
    assert isinstance(next_step(desk(state), now_s=PLACED_AT_S), Step)


@given(desks(), MOMENTS)
def test_a_touched_order_is_never_declined_and_its_rho_never_released(found: Desk, now_s: int) -> None:
    step = next_step(found, now_s=now_s)
    assert not (found.touched and isinstance(step, Decline | Release | Close))


@given(desks(), MOMENTS)
def test_nothing_is_said_about_untouched_records_before_the_work_is_closed(found: Desk, now_s: int) -> None:
    if isinstance(next_step(found, now_s=now_s), Decline | Release):
        assert found.closed


@given(desks(), MOMENTS)
def test_only_an_untouched_order_refunded_from_placed_is_released_and_only_once(found: Desk, now_s: int) -> None:
    if isinstance(next_step(found, now_s=now_s), Release):
        assert found.order.reason in (Reason.DECLINED, Reason.NOT_DELIVERED)
        assert found.accounted
        assert not found.touched
        assert found.dataset not in found.order.released


@given(desks(), MOMENTS)
def test_no_key_is_revealed_in_the_last_quarter_of_the_window(found: Desk, now_s: int) -> None:
    if isinstance(next_step(found, now_s=now_s), Reveal):
        assert found.order.state is OrderState.ACCEPTED
        assert 4 * (found.order.deadline_s - now_s) >= found.offer.head.reveal_window_s


@given(st.integers(3_600, 31_536_000))
def test_the_last_second_to_reveal_is_the_end_of_the_third_quarter(window_s: int) -> None:
    left_s = DEADLINE_S - last_reveal_s(DEADLINE_S, window_s)
    assert 4 * (left_s - 1) < window_s <= 4 * left_s


@given(desks(), MOMENTS)
def test_nothing_is_delivered_before_its_slot_or_after_the_deadline(found: Desk, now_s: int) -> None:
    if isinstance(next_step(found, now_s=now_s), Deliver):
        assert found.sealed_at_s is not None
        assert found.slot_s is not None
        assert now_s >= delivery_slot_s(PLACED_AT_S, found.slot_s, found.sealed_at_s)
        assert now_s <= found.order.deadline_s


@given(desks(), MOMENTS)
def test_an_order_is_ended_only_after_its_deadline(found: Desk, now_s: int) -> None:
    step = next_step(found, now_s=now_s)
    if isinstance(step, Refund):
        assert found.order.state in (OrderState.PLACED, OrderState.DELIVERED)
    if isinstance(step, Refund | Settle):
        assert now_s > found.order.deadline_s


@given(desks(), MOMENTS)
def test_work_begins_only_on_a_placed_order_that_is_let_in_and_not_closed(found: Desk, now_s: int) -> None:
    if isinstance(next_step(found, now_s=now_s), Make):
        assert found.order.state is OrderState.PLACED
        assert found.made is Made.NOT_BEGUN
        assert not found.closed
        assert found.touched or found.objection is None


@given(desks(), MOMENTS)
def test_bytes_come_before_the_ledger(found: Desk, now_s: int) -> None:
    match next_step(found, now_s=now_s):
        case Deliver():
            assert found.sealed_at_s is not None
        case Seal():
            assert found.made is Made.DONE
            assert found.sealed_at_s is None


@given(desks(), MOMENTS)
def test_what_needs_the_specification_waits_for_it(found: Desk, now_s: int) -> None:
    if found.slot_s is None:
        assert not isinstance(next_step(found, now_s=now_s), Make | Seal | Deliver)


@given(desks(), MOMENTS)
def test_nothing_but_an_ended_order_is_done(found: Desk, now_s: int) -> None:
    if isinstance(next_step(found, now_s=now_s), Done):
        assert found.order.state in FINAL


@given(st.integers(1, 86_400), st.integers(0, 10**6))
def test_a_delivery_slot_is_the_first_whole_slot_that_is_not_before_the_sealing(slot_s: int, after_s: int) -> None:
    due_s = delivery_slot_s(PLACED_AT_S, slot_s, PLACED_AT_S + after_s)
    slots, rest = divmod(due_s - PLACED_AT_S, slot_s)
    assert rest == 0
    assert slots >= 1
    assert due_s >= PLACED_AT_S + after_s
    assert slots == 1 or due_s - slot_s < PLACED_AT_S + after_s


def test_the_way_of_an_order_on_which_everything_goes_well() -> None:
    now_s = PLACED_AT_S + 10
    assert next_step(desk(), now_s=now_s) == Make()
    working = desk(touched=True, made=Made.RUNNING)
    assert next_step(working, now_s=now_s) == Wait("for the work to end")
    made = replace(working, made=Made.DONE)
    assert next_step(made, now_s=now_s) == Seal()
    sealed = replace(made, sealed_at_s=now_s)
    assert next_step(sealed, now_s=PLACED_AT_S + 599) == Wait("for the delivery slot")
    assert next_step(sealed, now_s=PLACED_AT_S + 600) == Deliver()
    after = {"touched": True, "made": Made.DONE, "sealed_at_s": now_s, "slot_s": None}
    assert next_step(desk(OrderState.DELIVERED, **after), now_s=now_s) == Wait("for the buyer to accept")
    assert next_step(desk(OrderState.ACCEPTED, **after), now_s=now_s) == Reveal()
    revealed = desk(OrderState.REVEALED, **after)
    assert next_step(revealed, now_s=DEADLINE_S) == Wait("for the challenge window to close")
    assert next_step(revealed, now_s=DEADLINE_S + 1) == Settle()
    assert next_step(desk(OrderState.SETTLED, Reason.APPROVED, **after), now_s=now_s) == Done()


def test_an_interrupted_order_whose_records_were_opened_is_worked_on_again() -> None:
    assert next_step(desk(touched=True), now_s=PLACED_AT_S + 10) == Make()


def test_an_objection_closes_the_work_and_then_declines() -> None:
    turned_down = desk(objection="because")
    assert next_step(turned_down, now_s=PLACED_AT_S) == Close()
    assert next_step(replace(turned_down, closed=True), now_s=PLACED_AT_S) == Decline("because")


def test_an_objection_comes_too_late_once_records_were_opened() -> None:
    late = desk(objection="because", touched=True, made=Made.RUNNING)
    assert next_step(late, now_s=PLACED_AT_S) == Wait("for the work to end")


def test_a_failure_before_the_records_were_opened_declines_and_after_that_it_is_not_delivered() -> None:
    failed = desk(made=Made.FAILED)
    assert next_step(failed, now_s=PLACED_AT_S) == Close()
    assert next_step(replace(failed, closed=True), now_s=PLACED_AT_S) == Decline("not delivered")
    assert next_step(replace(failed, touched=True), now_s=PLACED_AT_S) == Wait("for the deadline: not delivered")


def test_an_order_that_no_slot_is_left_for_is_declined_untouched() -> None:
    late_s = DEADLINE_S - 100
    assert next_step(desk(slot_s=1_000), now_s=late_s) == Close()
    assert next_step(desk(slot_s=1_000, closed=True), now_s=late_s) == Decline(
        "no delivery slot is left before the deadline"
    )
    assert next_step(desk(slot_s=100), now_s=late_s) == Make()


def test_an_order_that_lapsed_while_the_node_was_off_is_refunded_and_released_if_untouched() -> None:
    assert next_step(desk(), now_s=DEADLINE_S) != Refund()
    assert next_step(desk(), now_s=DEADLINE_S + 1) == Refund()
    lapsed = desk(OrderState.REFUNDED, Reason.NOT_DELIVERED)
    assert next_step(lapsed, now_s=DEADLINE_S + 2) == Close()
    assert next_step(replace(lapsed, closed=True), now_s=DEADLINE_S + 2) == Release()
    assert next_step(replace(lapsed, touched=True), now_s=DEADLINE_S + 2) == Done()
    released = replace(lapsed, closed=True, order=view(OrderState.REFUNDED, Reason.NOT_DELIVERED, released=True))
    assert next_step(released, now_s=DEADLINE_S + 2) == Done()


def test_a_delivery_that_nobody_accepts_is_refunded() -> None:
    waiting = desk(OrderState.DELIVERED, touched=True, made=Made.DONE)
    assert next_step(waiting, now_s=DEADLINE_S + 1) == Refund()


def test_it_is_too_late_to_reveal_after_the_third_quarter() -> None:
    accepted = desk(OrderState.ACCEPTED, offer=offer(reveal_window_s=4_000))
    assert next_step(accepted, now_s=DEADLINE_S - 1_000) == Reveal()
    assert isinstance(next_step(accepted, now_s=DEADLINE_S - 999), Wait)
    assert isinstance(next_step(accepted, now_s=DEADLINE_S + 999), Wait)
