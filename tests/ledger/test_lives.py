"""The fold of the real events says what the contract says, after every way in which an order can live."""

from typing import get_args

from marketplace.ledger.reader import EventReader
from marketplace.protocol import events as ev
from marketplace.protocol.account import fold
from marketplace.protocol.states import REASONS, OrderState, Reason
from tests.ledger.agreement import assert_agrees
from tests.ledger.world import COMPLAINT, HOUR_S, KEY, World

UNREACHABLE = {Reason.PERMIT_REVOKED, Reason.RULED, Reason.NOT_RULED}


def live_every_life(world: World) -> None:
    """Orders that end in every reason that this contract serves, and every other event."""
    ledger = world.ledger
    dataset = world.dataset()
    ledger.revise(world.provider, dataset, world.fresh(), world.fresh())
    offer = world.offer(world.dataset())
    declined, rejected, late, unaccepted, unrevealed = (world.place(offer) for _ in range(5))
    approved, unchallenged, wrong = (world.place(offer) for _ in range(3))
    ledger.decline(world.provider, offer, declined)
    ledger.release(world.provider, offer, declined)
    ledger.reject(world.buyer, offer, rejected, world.hash(rejected, world.deliver(offer, rejected)))
    world.deliver(offer, unaccepted)
    for order in (unrevealed, approved, unchallenged, wrong):
        delivery = world.deliver(offer, order)
        ledger.accept(world.buyer, offer, order, world.hash(order, delivery))
        if order is not unrevealed:
            ledger.reveal(world.provider, offer, order, delivery, KEY)
    ledger.complain(world.buyer, offer, wrong, delivery, COMPLAINT)
    ledger.settle(world.buyer, offer, approved)
    ledger.withdraw_payout(world.provider, offer)
    world.pass_time(HOUR_S + 1)
    ledger.refund(world.stranger, offer, late)
    ledger.release(world.provider, offer, late)
    ledger.refund(world.stranger, offer, unaccepted)
    ledger.forfeit(world.stranger, offer, unrevealed)
    ledger.settle(world.stranger, offer, unchallenged)
    ledger.withdraw_credit(world.buyer, world.token, 5)
    ledger.retire(world.provider, offer)
    world.place(world.offer())


def test_the_fold_of_every_life_agrees_with_the_contract(world: World) -> None:
    live_every_life(world)
    events = list(EventReader(world.ledger).events())
    account = fold(events)
    assert_agrees(world.ledger, account)

    assert {type(event) for event in events} == set(get_args(ev.Event))
    assert events == sorted(events, key=lambda event: event.position)
    steps = [
        (view.life[:-1][-1].state, view.state, view.reason) for view in account.orders.values() if len(view.life) > 1
    ]
    assert all(reason in REASONS[before, after] for before, after, reason in steps)
    served = {reason for reasons in REASONS.values() for reason in reasons} - UNREACHABLE - {Reason.NONE}
    assert {reason for _, _, reason in steps} == served


def test_what_is_read_is_what_was_written(world: World) -> None:
    offer = world.offer()
    order = world.place(offer)
    delivery = world.deliver(offer, order)
    found = list(EventReader(world.ledger).events())
    (published,) = (event for event in found if isinstance(event, ev.OfferPublished) and event.offer.id == offer.id)
    (placed,) = (event for event in found if isinstance(event, ev.OrderPlaced) and event.id == world.id(order))
    (delivered,) = (event for event in found if isinstance(event, ev.OrderDelivered) and event.id == world.id(order))
    assert published.offer == offer
    assert placed.order == order
    assert (delivered.delivery, delivered.hash) == (delivery, world.hash(order, delivery))
    assert placed.deadline_s == placed.position.at_s + offer.head.deliver_window_s
    receipt = world.ledger.receipt(placed.position.transaction)
    assert receipt is not None
    assert (receipt.block, receipt.at_s, receipt.function) == (placed.position.block, placed.position.at_s, "place")
    assert world.ledger.order(placed.id).state is OrderState.DELIVERED
