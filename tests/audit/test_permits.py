from collections.abc import Callable
from typing import Any

import pytest

from marketplace.protocol import events as ev
from marketplace.protocol.identity import NOTHING, OrderId, PermitId
from marketplace.protocol.limits import LONGEST_PERMIT_S
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import OrderState, Reason

from ..protocol.examples import address
from ..protocol.history import AUTHORITY, PURPOSE, History, market, permitted
from .examples import check, failing, truthful

Fault = Callable[[History, PermitId], Any]


def evidence_of(number: int, history: History) -> str:
    """What a check says that fails, and no other does."""
    assert failing(truthful(history)) == {number}
    return check(number, truthful(history)).evidence


# ------------------------------------------------------------------------------------------------- 15: how it is granted


def test_a_permit_of_the_longest_term_and_one_that_is_extended_once_pass() -> None:
    history = History()
    permit = history.grant(*[bytes([n]) * 32 for n in range(64)], from_s=0, to_s=LONGEST_PERMIT_S)
    history.extend(permit, 2 * LONGEST_PERMIT_S)
    history.revoke(permit)
    assert failing(truthful(history)) == set()
    assert check(15, truthful(history)).evidence == "1 permit"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"to_s": LONGEST_PERMIT_S + 1}, "has a term of 315,360,001 s"),
        ({"to_s": 0}, "has a term of 0 s"),
        ({"from_s": 9}, "has a term of -4 s"),
        ({"subjects": ()}, "has 0 subjects"),
        ({"subjects": tuple(bytes([n]) * 32 for n in range(65))}, "has 65 subjects"),
    ],
)
def test_a_permit_beyond_the_limits_fails(changes: dict[str, Any], words: str) -> None:
    history = History()
    history.grant(b"s" * 32, **({"from_s": 0, "to_s": 5} | changes))
    assert words in evidence_of(15, history)


def test_a_permit_that_is_granted_twice_fails() -> None:
    history = History()
    history.grant(b"s" * 32)
    history.events.append(history.events[-1])
    assert "was granted twice" in evidence_of(15, history)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            lambda history, permit: (history.extend(permit, 7), history.extend(permit, 8)),
            "extended after it was extended",
        ),
        (lambda history, permit: (history.revoke(permit), history.extend(permit, 7)), "extended after it was revoked"),
        (lambda history, permit: (history.revoke(permit), history.revoke(permit)), "was revoked twice"),
        (lambda history, permit: history.extend(permit, 5), "was extended by 0 s"),
        (lambda history, permit: history.extend(permit, 4), "was extended by -1 s"),
        (lambda history, permit: history.extend(permit, 6 + LONGEST_PERMIT_S), "was extended by 315,360,001 s"),
    ],
)
def test_a_permit_that_is_changed_otherwise_than_by_the_rules_fails(fault: Fault, words: str) -> None:
    history = History()
    fault(history, history.grant(b"s" * 32, from_s=0, to_s=5))
    assert words in evidence_of(15, history)


# --------------------------------------------------------------------------------------------------- 16: how it is used


def test_an_order_under_a_permit_for_its_dataset_passes_and_is_counted() -> None:
    history, offer, permit = permitted()
    history.settled(offer, permit=permit)
    assert failing(truthful(history)) == set()
    assert check(16, truthful(history)).evidence == "1 order under a permit"


def test_an_order_under_a_permit_for_its_offer_alone_passes() -> None:
    history, offer, _ = permitted()
    history.settled(offer, permit=history.grant(offer.id))
    assert failing(truthful(history)) == set()


def test_an_order_on_an_offer_for_permits_without_one_fails() -> None:
    history, offer, _ = permitted()
    history.place(offer)
    assert "names no permit that was granted" in evidence_of(16, history)


def test_an_order_with_a_permit_on_an_offer_that_asks_for_none_fails() -> None:
    history, offer = market()
    history.place(offer, permit=history.grant(offer.id))
    assert "names a permit where its offer asks for none" in evidence_of(16, history)


def test_a_permit_that_is_granted_after_the_order_fails() -> None:
    history, offer, permit = permitted()
    order = history.place(offer, permit=permit)
    moved = [event for event in history.events if isinstance(event, ev.PermitGranted)]
    history.events = [event for event in history.events if event not in moved] + moved
    assert f"order 0x{order.hex()[:8]} names no permit that was granted" in evidence_of(16, history)


@pytest.mark.parametrize(
    "changes",
    [{"authority": address(6)}, {"holder": address(6)}, {"purpose": PURPOSE + 1}, {"purpose": 255}],
    ids=["authority", "holder", "purpose", "last purpose"],
)
def test_a_permit_of_another_authority_or_holder_or_for_another_purpose_fails(changes: dict[str, Any]) -> None:
    history, offer, _ = permitted()
    history.place(offer, permit=history.grant(offer.id, **changes))
    assert "of another authority or holder, or for another purpose" in evidence_of(16, history)


def test_a_permit_for_some_of_a_pools_datasets_fails_and_for_all_of_them_passes() -> None:
    history = History()
    datasets = [history.register(), history.register(provider=address(5))]
    offer = history.publish(*datasets, bond_units=0, authority=AUTHORITY, purposes=1 << PURPOSE)
    history.place(offer, permit=history.grant(*datasets))
    assert failing(truthful(history)) == set()
    history.place(offer, permit=history.grant(datasets[0], b"s" * 32))
    assert "neither for its offer nor for all its datasets" in evidence_of(16, history)


@pytest.mark.parametrize(
    ("from_s", "to_s", "passes"), [(0, 0, True), (1, 9, False), (-9, -1, False), (-9, 0, True), (0, 9, True)]
)
def test_an_order_is_placed_from_the_first_to_the_last_second_of_its_permit(
    from_s: int, to_s: int, passes: bool
) -> None:
    history, offer, _ = permitted()
    placed_s = history.now_s + 2
    changes = {"from_s": placed_s + from_s - (from_s == to_s), "to_s": placed_s + to_s}
    history.place(offer, permit=history.grant(offer.id, **changes))
    assert history.now_s == placed_s
    assert failing(truthful(history)) == (set() if passes else {16})
    if not passes:
        assert "placed under a permit that was not live" in check(16, truthful(history)).evidence


def test_an_order_placed_under_a_revoked_permit_fails() -> None:
    history, offer, permit = permitted()
    history.revoke(permit)
    history.place(offer, permit=permit)
    assert "placed under a permit that was not live" in evidence_of(16, history)


@pytest.mark.parametrize(("left_s", "passes"), [(0, True), (-1, False)])
def test_a_permit_must_last_to_the_end_of_the_reveal_window_when_a_delivery_is_accepted(
    left_s: int, passes: bool
) -> None:
    history, offer, _ = permitted()
    accepted_s = history.now_s + 4
    permit = history.grant(offer.id, to_s=accepted_s + offer.head.reveal_window_s + left_s)
    history.reach(offer, OrderState.ACCEPTED, permit=permit)
    assert history.now_s == accepted_s
    assert failing(truthful(history)) == (set() if passes else {16})
    if not passes:
        assert "under a permit that ends before the key is due" in check(16, truthful(history)).evidence


def test_an_extension_before_the_acceptance_counts_and_one_after_it_does_not() -> None:
    for early in (True, False):
        history, offer, _ = permitted()
        permit = history.grant(offer.id, to_s=history.now_s + 60)
        order = history.reach(offer, OrderState.DELIVERED, permit=permit)
        if early:
            history.extend(permit, history.now_s + 10**6)
        history.accept(order)
        if not early:
            history.extend(permit, history.now_s + 10**6)
        assert failing(truthful(history)) == (set() if early else {16})


def test_a_delivery_accepted_or_a_key_revealed_after_a_revocation_fails() -> None:
    for state, step, words in (
        (OrderState.DELIVERED, History.accept, "was accepted under a permit that was not live"),
        (OrderState.ACCEPTED, History.reveal, "was revealed under a permit that was not live"),
    ):
        history, offer, permit = permitted()
        order = history.reach(offer, state, permit=permit)
        history.revoke(permit)
        step(history, order)
        assert words in evidence_of(16, history)


# ------------------------------------------------------------------------------------- 17: what follows a revocation


def waiting() -> tuple[History, Offer, PermitId, OrderId]:
    """An accepted order under a permit."""
    history, offer, permit = permitted()
    return history, offer, permit, history.reach(offer, OrderState.ACCEPTED, permit=permit)


def test_an_order_whose_permit_was_revoked_is_refunded_at_once_or_ever_after() -> None:
    for wait_s in (0, 10**6):
        history, _, permit, order = waiting()
        history.revoke(permit)
        history.wait(wait_s)
        history.refund(order, Reason.PERMIT_REVOKED)
        assert failing(truthful(history)) == set()
        assert check(17, truthful(history)).evidence == "1 order refunded for a revoked permit"


def test_a_refund_for_a_permit_that_stands_fails() -> None:
    history, _, _, order = waiting()
    history.refund(order, Reason.PERMIT_REVOKED)
    assert "for a permit that was not revoked in time" in evidence_of(17, history)


def test_a_refund_for_a_permit_without_an_authority_fails() -> None:
    history, offer = market()
    history.refund(history.reach(offer, OrderState.ACCEPTED), Reason.PERMIT_REVOKED)
    assert "for a permit that was not revoked in time" in evidence_of(17, history)


@pytest.mark.parametrize("late_s", [0, 1])
def test_the_deadlines_second_is_the_last_at_which_a_revocation_counts(late_s: int) -> None:
    ends: dict[str, Callable[[History, OrderId], None]] = {
        "refund": lambda history, order: history.refund(order, Reason.PERMIT_REVOKED),
        "forfeit": History.forfeit,
    }
    for name, end in ends.items():
        history, offer, permit, order = waiting()
        history.wait(offer.head.reveal_window_s - 1 + late_s)
        history.revoke(permit)
        history.wait(60)
        end(history, order)
        right = name == ("forfeit" if late_s else "refund")
        assert failing(truthful(history)) == (set() if right else {17})
        if not right:
            words = "that was not revoked in time" if late_s else "was forfeited though its permit was revoked in time"
            assert words in check(17, truthful(history)).evidence


def test_a_forfeit_for_a_wrong_byte_is_nothing_to_do_with_the_permit() -> None:
    history, offer, permit = permitted()
    order = history.reach(offer, OrderState.REVEALED, permit=permit)
    history.revoke(permit)
    history.forfeit(order, Reason.WRONG_BYTE)
    assert failing(truthful(history)) == set()


def test_no_permit_is_the_permit_of_nothing() -> None:
    history, offer = market()
    assert history.view(history.place(offer)).order.permit == NOTHING
    assert check(16, truthful(history)).evidence == "0 orders under a permit"
