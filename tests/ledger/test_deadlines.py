"""Every deadline through the client, to the second: who must act has its last second, what lapses does so after it."""

from collections.abc import Callable

import pytest

from marketplace.errors import MarketplaceError, Refused
from marketplace.ledger.refusals import error_name
from marketplace.ledger.signatures import sign_acceptance
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Delivery, Order
from tests.ledger.world import COMPLAINT, HOUR_S, KEY, World, embedded_world

Placed = tuple[Offer, Order, Delivery]
Step = Callable[[World, Placed], object]
Reach = Callable[[World], Placed]


@pytest.fixture(scope="module")
def world() -> World:
    """A ledger whose next block comes exactly one second after its last."""
    return embedded_world()


def placed(world: World) -> Placed:
    offer = world.offer()
    return offer, world.place(offer), world.delivery()


def delivered(world: World) -> Placed:
    offer, order, delivery = placed(world)
    return offer, order, world.deliver(offer, order, delivery)


def accepted(world: World) -> Placed:
    return world.reach_accepted()


def revealed(world: World) -> Placed:
    return world.reach_revealed(world.publish(world.arbitrated(), [world.member(world.dataset())]))


def contested(world: World) -> Placed:
    return world.reach_contested()


def hand_in(world: World, at: Placed) -> object:
    offer, order, delivery = at
    given = world.hash(order, delivery)
    signature = sign_acceptance(world.buyer, world.ledger.domain, world.id(order), given)
    return world.ledger.accept_for(world.stranger, offer, order, given, signature)


IN_TIME: dict[str, tuple[Reach, Step]] = {
    "decline": (placed, lambda world, at: world.ledger.decline(world.provider, *at[:2])),
    "deliver": (placed, lambda world, at: world.deliver(*at)),
    "accept": (delivered, lambda world, at: world.ledger.accept(world.buyer, *at[:2], world.hash(*at[1:]))),
    "accept for the buyer": (delivered, hand_in),
    "reject": (delivered, lambda world, at: world.ledger.reject(world.buyer, *at[:2], world.hash(*at[1:]))),
    "reveal": (accepted, lambda world, at: world.ledger.reveal(world.provider, *at, KEY)),
    "contest": (revealed, lambda world, at: world.ledger.contest(world.buyer, *at[:2], world.fresh())),
    "complain": (revealed, lambda world, at: world.ledger.complain(world.buyer, *at, COMPLAINT)),
    "complain while contested": (contested, lambda world, at: world.ledger.complain(world.buyer, *at, COMPLAINT)),
    "rule": (contested, lambda world, at: world.ledger.rule(world.arbiter, *at[:2], 1, 1)),
}
LAPSED: dict[str, tuple[Reach, Step]] = {
    "refund what was not delivered": (placed, lambda world, at: world.ledger.refund(world.stranger, *at[:2])),
    "refund what was not accepted": (delivered, lambda world, at: world.ledger.refund(world.stranger, *at[:2])),
    "forfeit": (accepted, lambda world, at: world.ledger.forfeit(world.stranger, *at[:2])),
    "settle": (revealed, lambda world, at: world.ledger.settle(world.provider, *at[:2])),
    "settle after a silent arbiter": (contested, lambda world, at: world.ledger.settle(world.buyer, *at[:2])),
}


def come(world: World, at_s: int) -> None:
    """Lets time pass until `at_s`. What is sent then is in the block a second later."""
    world.pass_time(at_s - world.ledger.now_s())
    assert world.ledger.now_s() == at_s


def deadline_s(world: World, at: Placed) -> int:
    return world.ledger.order(world.id(at[1])).deadline_s


def refused(attempt: Callable[[], object]) -> str | None:
    """By which error of the contracts `attempt` is refused."""
    with pytest.raises(MarketplaceError) as caught:
        attempt()
    assert type(caught.value) is Refused
    return error_name(caught.value)


@pytest.mark.parametrize("step", IN_TIME)
def test_who_must_act_has_the_last_second_and_not_the_next(world: World, step: str) -> None:
    reach, act = IN_TIME[step]
    last, late = reach(world), reach(world)
    come(world, deadline_s(world, last) - 1)
    act(world, last)
    come(world, deadline_s(world, late))
    assert refused(lambda: act(world, late)) == "TooLate"


@pytest.mark.parametrize("step", LAPSED)
def test_what_lapses_does_so_after_the_last_second(world: World, step: str) -> None:
    reach, act = LAPSED[step]
    at = reach(world)
    come(world, deadline_s(world, at))
    assert refused(lambda: act(world, at)) == "TooEarly"
    come(world, deadline_s(world, at) + 1)
    act(world, at)


def test_an_order_is_placed_by_its_own_last_second(world: World) -> None:
    offer = world.offer()
    order, late = world.order(offer), world.order(offer)
    come(world, order.place_by_s - 1)
    world.ledger.place(world.buyer, offer, order)
    assert refused(lambda: world.ledger.place(world.buyer, offer, late)) == "PlacedTooLate"


def test_an_offer_is_on_sale_to_its_last_second(world: World) -> None:
    end_s = world.ledger.now_s() + HOUR_S // 2
    offer = world.offer(valid_until_s=end_s)
    order, late = world.order(offer), world.order(offer)
    come(world, end_s - 1)
    world.ledger.place(world.buyer, offer, order)
    assert refused(lambda: world.ledger.place(world.buyer, offer, late)) == "OfferExpired"


def test_a_consent_is_good_to_its_last_second(world: World) -> None:
    pools = [(world.head(), world.pool()) for _ in range(2)]
    consents = [world.consents(head, members) for head, members in pools]
    until_s = {consent.until_s for each in consents for consent in each}
    assert len(until_s) == 1
    come(world, until_s.pop() - 1)
    in_time, late = [(head, members, given) for (head, members), given in zip(pools, consents, strict=True)]
    world.ledger.publish(world.provider, *in_time)
    assert refused(lambda: world.ledger.publish(world.provider, *late)) == "ConsentExpired"


def test_a_permit_serves_from_its_first_to_its_last_second(world: World) -> None:
    offer = world.publish(world.permitted(), world.pool())
    from_s = world.ledger.now_s() + HOUR_S
    permit = world.grant(offer.id, from_s=from_s, to_s=from_s + HOUR_S)
    come(world, from_s - 1)
    assert refused(lambda: world.place(offer, permit)) == "PermitNotLive"
    come(world, from_s)
    world.place(offer, permit)
    first, late = (world.order(offer, permit=permit) for _ in range(2))
    come(world, from_s + HOUR_S - 1)
    world.ledger.place(world.buyer, offer, first)
    assert refused(lambda: world.ledger.place(world.buyer, offer, late)) == "PermitNotLive"


@pytest.mark.parametrize(("short_s", "error"), [(0, None), (1, "PermitEndsTooEarly")])
def test_a_permit_outlives_the_reveal_window_to_the_second(world: World, short_s: int, error: str | None) -> None:
    offer = world.publish(world.permitted(), world.pool())
    accepting_s = world.ledger.now_s() + HOUR_S
    permit = world.grant(offer.id, to_s=accepting_s + HOUR_S - short_s)
    order = world.place(offer, permit)
    given = world.hash(order, world.deliver(offer, order))
    come(world, accepting_s - 1)
    if error is None:
        world.ledger.accept(world.buyer, offer, order, given)
    else:
        assert refused(lambda: world.ledger.accept(world.buyer, offer, order, given)) == error


def test_a_user_is_named_to_the_last_second_of_the_licence(world: World) -> None:
    offer = world.offer(licence_s=HOUR_S)
    offer, order, _ = world.reach_revealed(offer)
    end_s = world.ledger.order(world.id(order)).revealed_at_s + HOUR_S
    come(world, end_s - 1)
    world.ledger.name_user(world.buyer, offer, order, world.stranger.address)
    assert refused(lambda: world.ledger.name_user(world.buyer, offer, order, world.partner.address)) == "NotLicensed"
