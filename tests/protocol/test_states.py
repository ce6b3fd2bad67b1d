from itertools import product

from marketplace.protocol.states import FINAL, NEXT, REASONS, OrderState, Reason


def test_every_state_says_what_may_follow() -> None:
    assert set(NEXT) == set(OrderState)


def test_every_move_has_reasons_and_every_reason_a_move() -> None:
    assert set(REASONS) == {(state, following) for state in NEXT for following in NEXT[state]}
    assert all(REASONS.values())
    assert set().union(*REASONS.values()) == set(Reason)


def test_a_reason_tells_apart_the_ways_to_one_end() -> None:
    for (start, end), (other, same) in product(REASONS, REASONS):
        if start != other and end == same and end in FINAL:
            shared = REASONS[start, end] & REASONS[other, same]
            assert shared <= {Reason.WRONG_BYTE}


def test_settled_refunded_and_forfeited_are_final() -> None:
    assert {OrderState.SETTLED, OrderState.REFUNDED, OrderState.FORFEITED} == FINAL


def test_every_state_can_be_reached_and_can_end() -> None:
    reached = {OrderState.ABSENT}
    while more := {following for state in reached for following in NEXT[state]} - reached:
        reached |= more
    assert reached == set(OrderState)
    ending = set(FINAL)
    while more := {state for state in OrderState if NEXT[state] & ending} - ending:
        ending |= more
    assert ending == set(OrderState)


def test_only_ends_and_nothing_else_carry_a_reason() -> None:
    for (_, end), reasons in REASONS.items():
        assert (end in FINAL) == (Reason.NONE not in reasons)
