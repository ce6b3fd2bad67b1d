"""The limits that are read from numbers here, put to the contract itself."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from marketplace.errors import Invalid, Refused
from marketplace.ledger import ids
from marketplace.ledger.addresses import address_of
from marketplace.protocol.limits import LONGEST_PERMIT_S, MOST_SUBJECTS, MOST_USERS, faults
from marketplace.protocol.offer import Guarantee, Member, Offer
from marketplace.protocol.unit import PrivacyUnit

from ..ledger.world import HOUR_S, World, embedded_world

YEAR_S, MOST_PRICE = 365 * 86_400, 2**96 - 1


@pytest.fixture(scope="module")
def world() -> World:
    """A market in this process."""
    return embedded_world()


def bounds(world: World) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Terms at and beyond every limit, by name, and whether they need an arbiter or an authority."""
    asks = {"authority": world.authority.address, "purposes": 1}
    arbitrates = {"arbiter": world.arbiter.address, "rule_window_s": HOUR_S}
    exact = {"guarantee": Guarantee.EXACT, "delta_atto": 0}
    for window, least in (("deliver", 60), ("accept", 60), ("reveal", HOUR_S), ("challenge", HOUR_S)):
        for value in (least - 1, least, YEAR_S, YEAR_S + 1):
            yield f"{window} window {value}", {f"{window}_window_s": value}, False
    for value in (HOUR_S - 1, HOUR_S, YEAR_S, YEAR_S + 1):
        yield f"rule window {value}", arbitrates | {"rule_window_s": value}, False
    for value in (0, 1, 3_650 * 86_400, 3_650 * 86_400 + 1):
        yield f"licence {value}", {"licence_s": value}, False
    for value in (0, 1, 10**13, 10**13 + 1):
        yield f"delta {value}", {"delta_atto": value}, False
    for value in (1_000, 1_001):
        yield f"compute fee {value}", {"compute_fee_bps": value}, False
    for cost in (0, 1, MOST_PRICE, MOST_PRICE + 1):
        yield f"price {cost}", {"cost_units": cost, "margin_units": 0}, False
        yield f"price {cost} with an authority", asks | {"cost_units": cost, "margin_units": 0}, False
        yield f"deposit {cost}", arbitrates | {"contest_deposit_units": cost}, False
    yield "deposit without an arbiter", {"contest_deposit_units": 1}, False
    yield "rule window without an arbiter", {"rule_window_s": HOUR_S}, False
    yield "purposes without an authority", {"purposes": 1}, False
    yield "authority without purposes", asks | {"purposes": 0}, False
    yield "every purpose", asks | {"purposes": 2**256 - 1}, False
    yield "no open orders", {"max_open": 0}, False
    yield "most open orders", {"max_open": 2**32 - 1}, False
    yield "exact without an authority", exact, True
    yield "exact", exact | asks, True
    yield "exact with rho", exact | asks, False
    yield "exact with a delta", exact | asks | {"delta_atto": 1}, True
    yield "no rho", {}, True
    yield "arbiter a member", arbitrates | {"arbiter": world.provider.address}, False
    yield "authority a member", asks | {"authority": world.provider.address}, False


def published(world: World, offer: Offer) -> bool:
    """Whether the contract takes the offer."""
    try:
        world.publish(offer.head, offer.members)
    except (Invalid, Refused):
        return False
    return True


def agreed(world: World, name: str, offer: Offer) -> bool:
    """Whether the contract takes the offer, which must be what the limits say."""
    taken = published(world, offer)
    assert taken == (not list(faults(offer, world.ledger.now_s()))), name
    return taken


def test_terms_at_and_beyond_every_limit_are_taken_and_refused_as_the_contract_does(world: World) -> None:
    dataset, taken = world.dataset(), 0
    found = list(bounds(world))
    for name, changes, free in found:
        members = [world.member(dataset, 0 if free else 1)]
        taken += agreed(world, name, ids.offer(world.ledger.domain, world.head(**changes), members))
    assert len(found) // 3 < taken < len(found)


def test_an_offer_that_has_ended_is_refused_alike(world: World) -> None:
    members = [world.member(world.dataset())]
    for late_s in (-60, 60):
        head = world.head(valid_until_s=world.ledger.now_s() + late_s)
        assert agreed(world, f"{late_s} s", ids.offer(world.ledger.domain, head, members)) == (late_s > 0)


def test_members_are_taken_and_refused_as_the_contract_does(world: World) -> None:
    pool = world.pool(2)
    ways: dict[str, tuple[Member, ...]] = {
        "a pool": pool,
        "out of order": pool[::-1],
        "twice": (pool[0], replace(pool[0])),
        "too little": (pool[0], replace(pool[1], share_bps=pool[1].share_bps - 1)),
        "too much": (pool[0], replace(pool[1], share_bps=pool[1].share_bps + 1)),
        "no lead": tuple(replace(one, share_bps=10_000) for one in pool if one.provider == world.partner.address),
        "nobody": (),
        "sixteen": world.pool(16),
        "seventeen": world.pool(17),
    }
    taken = [
        name
        for name, members in ways.items()
        if agreed(world, name, ids.offer(world.ledger.domain, world.head(), members))
    ]
    assert taken == ["a pool", "sixteen"]


def test_only_a_pool_with_noise_may_protect_a_person_at_one_provider_alone(world: World) -> None:
    pool, alone = world.pool(2), (world.member(world.dataset()),)
    asks = {"authority": world.authority.address, "purposes": 1}
    exact = asks | {"guarantee": Guarantee.EXACT, "delta_atto": 0}
    ways: dict[str, tuple[dict[str, Any], tuple[Member, ...]]] = {
        "a pool": ({}, pool),
        "alone": ({}, alone),
        "an exact pool": (exact, tuple(replace(member, rho_micro=0) for member in pool)),
    }
    for unit, expected in ((PrivacyUnit.PERSON, list(ways)), (PrivacyUnit.PERSON_AT_PROVIDER, ["a pool"])):
        taken = [
            name
            for name, (changes, members) in ways.items()
            if agreed(world, name, ids.offer(world.ledger.domain, world.head(**changes, unit=unit), members))
        ]
        assert taken == expected


def test_permits_and_users_have_the_contracts_limits(world: World) -> None:
    now_s = world.ledger.now_s()
    subjects = [world.fresh() for _ in range(MOST_SUBJECTS + 1)]
    world.grant(*subjects[:-1], from_s=now_s, to_s=now_s + LONGEST_PERMIT_S)
    for given, to_s in ((subjects, now_s + 1), (subjects[:1], now_s + LONGEST_PERMIT_S + 1), ([], now_s + 1)):
        with pytest.raises((Invalid, Refused)):
            world.grant(*given, from_s=now_s, to_s=to_s)
    offer, order, _ = world.reach_revealed()
    users = [address_of(world.fresh()[:20]) for _ in range(MOST_USERS + 1)]
    for user in users[:-1]:
        world.ledger.name_user(world.buyer, offer, order, user)
    with pytest.raises((Invalid, Refused)):
        world.ledger.name_user(world.buyer, offer, order, users[-1])
