"""The fold of the real events says what the contracts say, after every way in which an order can live."""

from dataclasses import replace
from typing import get_args

from marketplace.ledger.reader import EventReader
from marketplace.protocol import events as ev
from marketplace.protocol.account import fold
from marketplace.protocol.offer import Guarantee, Member, Offer
from marketplace.protocol.order import Origin
from marketplace.protocol.states import REASONS, DeclineReason, OrderState, Reason
from tests.ledger.agreement import assert_agrees
from tests.ledger.world import COMPLAINT, DEPOSIT_UNITS, HOUR_S, KEY, World


def live_without_a_court(world: World, offer: Offer) -> None:
    """Orders of a pool that end in every way that needs neither an arbiter nor an authority."""
    ledger = world.ledger
    declined, rejected, late, unaccepted, unrevealed = (world.place(offer) for _ in range(5))
    approved, unchallenged, wrong = (world.place(offer) for _ in range(3))
    ledger.decline(world.provider, offer, declined, DeclineReason.CAPACITY)
    for index, member in enumerate(offer.members):
        by = world.provider if member.provider == world.provider.address else world.partner
        ledger.release(by, offer, declined, index)
    ledger.reject(world.buyer, offer, rejected, world.hash(rejected, world.deliver(offer, rejected)))
    world.deliver(offer, unaccepted)
    for order in (unrevealed, approved, unchallenged, wrong):
        delivery = world.deliver(offer, order)
        ledger.accept(world.buyer, offer, order, world.hash(order, delivery))
        if order is not unrevealed:
            ledger.reveal(world.provider, offer, order, delivery, KEY)
    ledger.complain(world.buyer, offer, wrong, delivery, COMPLAINT)
    ledger.settle(world.buyer, offer, approved)
    ledger.name_user(world.buyer, offer, approved, world.stranger.address)
    ledger.show_licence(world.stranger, offer, approved)
    ledger.withdraw_payout(world.provider, offer, 1)
    world.pass_time(HOUR_S + 1)
    ledger.refund(world.stranger, offer, late)
    ledger.refund(world.stranger, offer, unaccepted)
    ledger.forfeit(world.stranger, offer, unrevealed)
    ledger.settle(world.stranger, offer, unchallenged)
    ledger.withdraw_credit(world.buyer, world.token, 5)
    ledger.retire(world.partner, offer, next(i for i, m in enumerate(offer.members) if m.provider != offer.head.lead))


def live_before_the_arbiter(world: World) -> None:
    """Contested orders that end in every way in which they can."""
    ledger = world.ledger
    for price_bps, bond_bps in ((3_333, 6_667), (0, 10_000)):
        offer, order, _ = world.reach_contested()
        ledger.rule(world.arbiter, offer, order, price_bps, bond_bps)
    offer, order, delivery = world.reach_contested()
    ledger.complain(world.buyer, offer, order, delivery, COMPLAINT)
    offer, order, _ = world.reach_contested()
    world.pass_time(HOUR_S + 1)
    ledger.settle(world.stranger, offer, order)
    world.reach_contested()
    ledger.withdraw_credit(world.arbiter, world.token, DEPOSIT_UNITS)


def live_by_permit(world: World) -> None:
    """An exact order whose permit is revoked once it is accepted, one that is given back, and one with a live licence."""
    ledger = world.ledger
    dataset = world.dataset(exact_total=2)
    member = Member(dataset, world.provider.address, 10_000, 0)
    head = world.permitted(guarantee=Guarantee.EXACT, delta_atto=0, cost_units=0, margin_units=0)
    offer = world.publish(head, [member])
    first, second = world.grant(offer.id), world.grant(dataset, world.fresh())
    ledger.extend(world.authority, second, ledger.now_s() + 20_000 * HOUR_S, world.fresh())
    _, accepted, _ = world.reach_accepted(offer, first)
    ledger.revoke(world.authority, first, world.fresh())
    ledger.refund(world.stranger, offer, accepted)
    declined = world.place(offer, second)
    ledger.decline(world.provider, offer, declined)
    ledger.release(world.provider, offer, declined)
    ledger.open_epoch(world.provider, dataset, 2_000_000, 7, world.fresh())
    world.reach_revealed(offer, second)


def sell_again(world: World) -> None:
    """An earlier delivery is sold as stock."""
    offer, order, delivery = world.reach_revealed()
    head = world.head(stock=delivery.plain_root)
    members = [replace(member, rho_micro=0) for member in offer.members]
    origin = Origin(offer.head, offer.members, order, delivery)
    stock, _ = world.ledger.publish_stock(world.provider, head, members, origin)
    again = world.place(stock)
    fresh_key = replace(world.delivery(), plain_root=delivery.plain_root)
    world.deliver(stock, again, fresh_key)


def live_every_life(world: World) -> None:
    """Orders that end in every reason there is, and every other event."""
    ledger = world.ledger
    ledger.revise(world.provider, world.dataset(), world.fresh(), world.fresh())
    ledger.describe(world.provider, world.fresh(), world.fresh())
    ledger.anchor(world.provider, 20_000, world.fresh())
    live_without_a_court(world, world.publish(world.head(), world.pool(3)))
    live_before_the_arbiter(world)
    live_by_permit(world)
    sell_again(world)
    world.place(world.offer())


def test_the_fold_of_every_life_agrees_with_the_contracts(world: World) -> None:
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
    possible = {(before, after, reason) for (before, after), reasons in REASONS.items() for reason in reasons}
    assert {step for step in possible if step[2] is not Reason.NONE} <= set(steps)


def test_what_is_read_is_what_was_written(world: World) -> None:
    offer = world.publish(world.head(), world.pool(2))
    order = world.place(offer)
    delivery = world.deliver(offer, order)
    found = list(EventReader(world.ledger).events())
    (published,) = (event for event in found if isinstance(event, ev.OfferPublished) and event.offer.id == offer.id)
    (placed,) = (event for event in found if isinstance(event, ev.OrderPlaced) and event.id == world.id(order))
    (delivered,) = (event for event in found if isinstance(event, ev.OrderDelivered) and event.id == world.id(order))
    assert published.offer == offer
    assert placed.order == order
    assert (delivered.delivery, delivered.hash) == (delivery, world.hash(order, delivery))
    receipt = world.ledger.receipt(placed.position.transaction)
    assert receipt is not None
    assert (receipt.block, receipt.at_s, receipt.function) == (placed.position.block, placed.position.at_s, "place")
    assert world.ledger.order(placed.id).state is OrderState.DELIVERED


def test_a_grant_is_read_as_it_was_made(world: World) -> None:
    subjects = (world.fresh(), world.fresh())
    permit = world.grant(*subjects)
    (granted,) = (
        event
        for event in EventReader(world.ledger).events()
        if isinstance(event, ev.PermitGranted) and event.permit == permit
    )
    standing = world.ledger.permit(permit)
    assert granted.authority == standing.authority == world.authority.address
    assert granted.grant.subjects == subjects
    assert (granted.grant.holder, granted.grant.from_s, granted.grant.to_s) == (
        standing.holder,
        standing.from_s,
        standing.to_s,
    )
