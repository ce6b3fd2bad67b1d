"""What a node does about an order, for every order that there can be."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.states import FINAL, REASONS, DeclineReason, OrderState, Reason
from node.objection import Objection
from node.work import (
    MEMBER_PATIENCE_S,
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
    Share,
    Step,
    Wait,
    delivery_slot_s,
    is_permitted,
    last_reveal_s,
    next_step,
)
from tests.node.examples import (
    DATASET,
    DEADLINE_S,
    PERMIT,
    PERMITTED,
    PLACED_AT_S,
    desk,
    offer,
    order,
    permit,
    permitted_desk,
    view,
)
from tests.protocol.examples import address

WAYS_IN = [(to, reason) for (_, to), reasons in REASONS.items() for reason in reasons]
MOMENTS = st.integers(PLACED_AT_S, DEADLINE_S + 10_000)
BECAUSE = Objection(DeclineReason.RULES, "because")
PERMITS = st.none() | st.builds(
    permit,
    authority=st.sampled_from([address(7), address(8)]),
    revoked_at_s=st.just(0) | MOMENTS,
    holder=st.sampled_from([address(2), address(3)]),
    purpose=st.sampled_from([4, 5]),
    from_s=st.just(0) | MOMENTS,
    to_s=MOMENTS,
    subjects=st.sampled_from([(b"f" * 32,), (DATASET,), (b"x" * 32,)]),
)


@st.composite
def desks(draw: st.DrawFn) -> Desk:
    """Any desk at all, also such as no node should ever see."""
    state, reason = draw(st.sampled_from(WAYS_IN))
    terms: dict[str, object] = dict(draw(st.sampled_from([{}, PERMITTED])))
    if draw(st.booleans()):
        terms["stock"] = b"r" * 32
    share = Share(0, DATASET, draw(st.booleans()), draw(st.booleans()))
    held = PERMIT if draw(st.booleans()) else bytes(32)
    return Desk(
        order=view(state, reason, draw(st.booleans()), order(permit=held)),
        offer=offer(reveal_window_s=draw(st.integers(3_600, 31_536_000)), **terms),
        leads=draw(st.booleans()),
        shares=() if "stock" in terms else (share,),
        permit=draw(PERMITS),
        slot_s=draw(st.none() | st.integers(1, 86_400)),
        objection=draw(st.none() | st.just(BECAUSE)),
        made=Made.NOT_BEGUN if "stock" in terms else draw(st.sampled_from(Made)),
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
    step = next_step(found, now_s=now_s)
    if isinstance(step, Release) or (isinstance(step, Decline) and not found.from_stock):
        assert found.closed


@given(desks(), MOMENTS)
def test_only_an_untouched_order_refunded_from_placed_is_released_and_only_once(found: Desk, now_s: int) -> None:
    if isinstance(next_step(found, now_s=now_s), Release):
        assert found.order.reason in (Reason.DECLINED, Reason.NOT_DELIVERED)
        (share,) = found.shares
        assert share.accounted
        assert not share.touched
        assert share.dataset not in found.order.released


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
    if isinstance(step, Refund) and found.order.state is OrderState.ACCEPTED:
        assert found.permit is not None
        assert 0 < found.permit.revoked_at_s <= found.order.deadline_s
    elif isinstance(step, Refund):
        assert found.order.state in (OrderState.PLACED, OrderState.DELIVERED)
        assert now_s > found.order.deadline_s
    if isinstance(step, Settle):
        assert found.order.state in (OrderState.REVEALED, OrderState.CONTESTED)
        assert now_s > found.order.deadline_s


@given(desks(), MOMENTS)
def test_nothing_is_made_or_handed_over_without_a_live_permit_where_one_is_asked_for(found: Desk, now_s: int) -> None:
    if isinstance(next_step(found, now_s=now_s), Make | Seal | Deliver | Reveal) and found.offer.head.purposes:
        held = found.permit
        assert held is not None
        assert held.id == found.order.order.permit
        assert (held.authority, held.grant.holder, held.grant.purpose) == (address(7), address(2), 4)
        assert held.grant.subjects != (b"x" * 32,)
        assert held.grant.from_s <= now_s <= held.to_s
        assert held.revoked_at_s == 0 or now_s < held.revoked_at_s


@given(desks(), MOMENTS)
def test_only_the_lead_serves_and_only_its_late_orders_are_ended_by_another(found: Desk, now_s: int) -> None:
    step = next_step(found, now_s=now_s)
    if not found.leads:
        assert isinstance(step, Wait | Close | Release | Refund | Settle | Done)
    if not found.leads and isinstance(step, Refund | Settle):
        assert now_s > found.order.deadline_s + MEMBER_PATIENCE_S


@given(desks(), MOMENTS)
def test_stock_is_never_made_anew_and_never_released(found: Desk, now_s: int) -> None:
    if found.from_stock:
        assert not isinstance(next_step(found, now_s=now_s), Make | Close | Release)


@given(desks(), MOMENTS)
def test_work_begins_only_on_a_placed_order_that_is_let_in_and_not_closed(found: Desk, now_s: int) -> None:
    if isinstance(next_step(found, now_s=now_s), Make):
        assert found.order.state is OrderState.PLACED
        assert found.made is Made.NOT_BEGUN
        assert not found.closed
        assert found.touched or found.objection is None
        assert not found.from_stock


@given(desks(), MOMENTS)
def test_bytes_come_before_the_ledger(found: Desk, now_s: int) -> None:
    match next_step(found, now_s=now_s):
        case Deliver():
            assert found.sealed_at_s is not None
        case Seal():
            assert found.made is Made.DONE or found.from_stock
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
    turned_down = desk(objection=BECAUSE)
    assert next_step(turned_down, now_s=PLACED_AT_S) == Close()
    assert next_step(replace(turned_down, closed=True), now_s=PLACED_AT_S) == Decline(BECAUSE)


def test_an_objection_comes_too_late_once_records_were_opened() -> None:
    late = desk(objection=BECAUSE, touched=True, made=Made.RUNNING)
    assert next_step(late, now_s=PLACED_AT_S) == Wait("for the work to end")


def test_a_failure_before_the_records_were_opened_declines_and_after_that_it_is_not_delivered() -> None:
    failed = desk(made=Made.FAILED)
    assert next_step(failed, now_s=PLACED_AT_S) == Close()
    unstated = Decline(Objection(DeclineReason.UNSTATED, "not delivered"))
    assert next_step(replace(failed, closed=True), now_s=PLACED_AT_S) == unstated
    touched = desk(made=Made.FAILED, touched=True)
    assert next_step(touched, now_s=PLACED_AT_S) == Wait("for the deadline: not delivered")


def test_an_order_that_no_slot_is_left_for_is_declined_untouched() -> None:
    late_s = DEADLINE_S - 100
    assert next_step(desk(slot_s=1_000), now_s=late_s) == Close()
    assert next_step(desk(slot_s=1_000, closed=True), now_s=late_s) == Decline(
        Objection(DeclineReason.CAPACITY, "no delivery slot is left before the deadline")
    )
    assert next_step(desk(slot_s=100), now_s=late_s) == Make()


def test_an_order_that_lapsed_while_the_node_was_off_is_refunded_and_released_if_untouched() -> None:
    assert next_step(desk(), now_s=DEADLINE_S) != Refund()
    assert next_step(desk(), now_s=DEADLINE_S + 1) == Refund()
    lapsed = desk(OrderState.REFUNDED, Reason.NOT_DELIVERED)
    assert next_step(lapsed, now_s=DEADLINE_S + 2) == Close()
    assert next_step(replace(lapsed, closed=True), now_s=DEADLINE_S + 2) == Release(0)
    touched = desk(OrderState.REFUNDED, Reason.NOT_DELIVERED, touched=True)
    assert next_step(touched, now_s=DEADLINE_S + 2) == Done()
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


# -------------------------------------------------------------------------------------------------------------- permits

NOW_S = PLACED_AT_S + 10
REFUSED = Decline(Objection(DeclineReason.RULES, "the order's permit is not live, or is for something else"))
OTHERS = [
    None,
    permit(authority=address(8)),
    permit(holder=address(3)),
    permit(purpose=5),
    permit(subjects=(b"x" * 32,)),
    permit(subjects=(b"x" * 32, b"y" * 32)),
    permit(from_s=NOW_S + 1),
    permit(to_s=NOW_S - 1),
    permit(revoked_at_s=NOW_S),
    replace(permit(), id=b"q" * 32),
]


def test_an_order_with_a_live_permit_for_offer_or_dataset_is_served() -> None:
    for held in (permit(), permit(subjects=(DATASET,)), permit(from_s=NOW_S), permit(to_s=NOW_S)):
        assert is_permitted(permitted_desk(given=held), NOW_S)
        assert next_step(permitted_desk(given=held), now_s=NOW_S) == Make()
    assert next_step(permitted_desk(OrderState.ACCEPTED, permit()), now_s=NOW_S) == Reveal()


@pytest.mark.parametrize("held", OTHERS)
def test_an_order_without_a_live_permit_of_its_own_is_declined_untouched(held: object) -> None:
    found = permitted_desk(given=held)  # type: ignore[arg-type]
    assert next_step(found, now_s=NOW_S) == Close()
    assert next_step(replace(found, closed=True), now_s=NOW_S) == REFUSED


@pytest.mark.parametrize("held", OTHERS)
def test_nothing_more_is_made_or_delivered_once_the_permit_is_not_live(held: object) -> None:
    for done in ({}, {"made": Made.DONE}, {"made": Made.DONE, "sealed_at_s": NOW_S}):
        begun = permitted_desk(given=held, touched=True, slot_s=1, **done)  # type: ignore[arg-type]
        assert next_step(begun, now_s=NOW_S) == Wait("for the deadline: the permit is not live")


@pytest.mark.parametrize("held", OTHERS)
def test_no_key_is_revealed_without_a_live_permit(held: object) -> None:
    step = next_step(permitted_desk(OrderState.ACCEPTED, held), now_s=NOW_S)  # type: ignore[arg-type]
    assert isinstance(step, Wait | Refund)


def test_an_accepted_order_is_refunded_as_soon_as_its_permit_is_revoked_by_the_deadline() -> None:
    for revoked_at_s in (PLACED_AT_S, DEADLINE_S):
        accepted = permitted_desk(OrderState.ACCEPTED, permit(revoked_at_s=revoked_at_s))
        for now_s in (revoked_at_s, DEADLINE_S, DEADLINE_S + 100_000):
            assert next_step(accepted, now_s=now_s) == Refund()


def test_a_permit_that_was_revoked_after_the_deadline_excuses_nobody() -> None:
    accepted = permitted_desk(OrderState.ACCEPTED, permit(revoked_at_s=DEADLINE_S + 1))
    assert isinstance(next_step(accepted, now_s=DEADLINE_S + 2), Wait)


def test_another_orders_revoked_permit_refunds_nothing() -> None:
    other = replace(permit(revoked_at_s=PLACED_AT_S), id=b"q" * 32)
    assert isinstance(next_step(permitted_desk(OrderState.ACCEPTED, other), now_s=NOW_S), Wait)


# --------------------------------------------------------------------------------------------- contests, pools, stock


def test_a_contested_order_waits_for_the_ruling_and_is_settled_after_a_silent_arbiter() -> None:
    contested = desk(OrderState.CONTESTED)
    assert next_step(contested, now_s=DEADLINE_S) == Wait("for the arbiter to rule")
    assert next_step(contested, now_s=DEADLINE_S + 1) == Settle()
    for state, reason in ((OrderState.SETTLED, Reason.RULED), (OrderState.REFUNDED, Reason.RULED)):
        assert next_step(desk(state, reason), now_s=DEADLINE_S + 1) == Done()


def test_a_member_waits_for_the_lead_and_ends_what_it_left_lying() -> None:
    ending = {
        OrderState.PLACED: Refund(),
        OrderState.DELIVERED: Refund(),
        OrderState.REVEALED: Settle(),
        OrderState.CONTESTED: Settle(),
    }
    for state, step in ending.items():
        member = desk(state, leads=False)
        assert next_step(member, now_s=DEADLINE_S + MEMBER_PATIENCE_S) == Wait("for the offer's lead")
        assert next_step(member, now_s=DEADLINE_S + MEMBER_PATIENCE_S + 1) == step
    accepted = permitted_desk(OrderState.ACCEPTED, permit(revoked_at_s=PLACED_AT_S), leads=False)
    assert next_step(accepted, now_s=DEADLINE_S) == Wait("for the offer's lead")
    assert next_step(accepted, now_s=DEADLINE_S + MEMBER_PATIENCE_S + 1) == Refund()
    silent = desk(OrderState.ACCEPTED, leads=False)
    assert next_step(silent, now_s=DEADLINE_S + MEMBER_PATIENCE_S + 1) == Wait("for the offer's lead")


def test_a_member_releases_each_of_its_untouched_datasets() -> None:
    shares = (Share(1, DATASET, True, False), Share(3, b"e" * 32, True, False), Share(4, b"g" * 32, True, True))  # type: ignore[arg-type]
    ended = desk(OrderState.REFUNDED, Reason.DECLINED, leads=False, shares=shares, closed=True)
    assert next_step(ended, now_s=PLACED_AT_S) == Release(1)
    once = replace(ended, order=view(OrderState.REFUNDED, Reason.DECLINED, released=True))
    assert next_step(once, now_s=PLACED_AT_S) == Release(3)


def test_stock_is_sealed_without_work_and_declined_without_closing_any() -> None:
    stock = desk(offer=offer(stock=b"r" * 32), shares=())
    assert next_step(stock, now_s=NOW_S) == Seal()
    assert next_step(replace(stock, slot_s=None), now_s=NOW_S) == Wait("for the specification")
    assert next_step(replace(stock, objection=BECAUSE), now_s=NOW_S) == Decline(BECAUSE)
    sealed = replace(stock, sealed_at_s=NOW_S)
    assert next_step(sealed, now_s=PLACED_AT_S + 600) == Deliver()
    declined = replace(stock, order=view(OrderState.REFUNDED, Reason.DECLINED))
    assert next_step(declined, now_s=NOW_S) == Done()
