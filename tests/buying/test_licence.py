"""Where a licence stands, beside the ledger's own answer."""

import pytest

from marketplace.buying.licence import licence_of, why_unlicensed
from marketplace.errors import Refused
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import Address, OrderId
from tests.buying.contested import summon
from tests.buying.permitted import REASONS, found
from tests.buying.provider import HOUR_S
from tests.buying.world import World

YEAR_S = 365 * 24 * HOUR_S


def answer(world: World, order: OrderId, who: Address | None = None, at_s: int | None = None) -> tuple[bool, str, str]:
    """Whether `who` (the buyer) is licensed at `at_s` (now), the licence in a word, and why not."""
    account = world.client().account()
    view, moment = account.orders[order], world.ledger.now_s() if at_s is None else at_s
    someone = who or view.order.buyer
    licensed = world.ledger.is_licensed(account.offer_of(view), view.order, someone, moment)
    why = "" if licensed else why_unlicensed(account, view, someone, moment)
    return licensed, licence_of(account, view, moment).word, why


@pytest.mark.parametrize("reached", ["placed", "delivered", "accepted"])
def test_before_the_reveal_there_is_none(world: World, reached: str) -> None:
    order = {"placed": world.place, "delivered": world.delivered, "accepted": world.accepted}[reached]()
    assert answer(world, order) == (
        False,
        "void",
        f"the order is {reached.capitalize()}, its key was never published",
    )


def test_it_lasts_from_the_reveal_to_the_end_of_its_term(world: World) -> None:
    order = world.revealed()
    account = world.client().account()
    view = account.orders[order]
    first_s, last_s = view.revealed_at_s, view.revealed_at_s + YEAR_S
    assert licence_of(account, view, first_s).until_s == last_s
    for at_s in (first_s, last_s):
        assert answer(world, order, at_s=at_s) == (True, "live", "")
    for at_s in (first_s - 1, last_s + 1):
        assert answer(world, order, at_s=at_s) == (
            False,
            "void",
            "its term or its permit has ended or not begun then",
        )


def test_it_is_suspended_while_the_order_is_contested_and_void_after_a_refund(world: World) -> None:
    court = summon(world)
    order = court.contested()
    assert answer(court.world, order) == (False, "suspended", "it is suspended while the order is Contested")
    court.rule(order, 0, 0)
    assert answer(court.world, order) == (False, "void", "it is void, the order is Refunded")


def test_it_ends_with_its_permit(world: World) -> None:
    office = found(world)
    permit = office.grant()
    order = office.world.revealed()
    account = office.world.client().account()
    assert licence_of(account, account.orders[order], 0).until_s == office.view(permit).to_s
    office.authority.revoke(office.view(permit), REASONS)
    revoked_s = office.view(permit).revoked_at_s
    account = office.world.client().account()
    assert licence_of(account, account.orders[order], 0).until_s == revoked_s - 1
    assert answer(office.world, order, at_s=revoked_s - 1)[0]
    assert answer(office.world, order, at_s=revoked_s) == (
        False,
        "void",
        "its term or its permit has ended or not begun then",
    )


def test_whom_the_buyer_names_is_licensed_from_then_on(world: World) -> None:
    order, user = world.revealed(), LocalSigner.random().address
    assert answer(world, order, user) == (False, "live", f"it is the licence of {world.buyer.address}")
    world.ledger.advance(60)
    assert world.client().name_user(order, user).function == "nameUser"
    account = world.client().account()
    (named,) = licence_of(account, account.orders[order], world.ledger.now_s()).users
    assert named.who == user
    assert answer(world, order, user) == (True, "live", "")
    assert answer(world, order, user, named.named_at_s - 1) == (False, "live", "the buyer named this account later")


def test_only_the_buyer_of_a_live_licence_names_users_each_once(world: World) -> None:
    early, order, user = world.accepted(), world.revealed(), LocalSigner.random().address
    with pytest.raises(Refused, match="expected a live licence"):
        world.client().name_user(early, user)
    with pytest.raises(Refused, match="expected the order's buyer"):
        world.client(signer=world.ledger.account()).name_user(order, user)
    world.client().name_user(order, user)
    for again in (user, world.buyer.address):
        with pytest.raises(Refused, match="expected a further user"):
            world.client().name_user(order, again)
