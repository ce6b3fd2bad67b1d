"""Licences: further users, and the tokens that wallets show."""

from typing import Any

import pytest

from marketplace.protocol.states import OrderState
from scripts.benchmarks.life import Life
from scripts.benchmarks.market import DAY_S, NOBODY

from .conftest import Stage

ERC165, ERC721, ERC5192 = (bytes.fromhex(interface) for interface in ("01ffc9a7", "80ac58cd", "b45a3c0e"))
TERM_S = 365 * DAY_S


def asked(stage: Stage, function: str, *arguments: Any) -> Any:
    return stage.market.licences.ask(function, *arguments)


def shown(stage: Stage, life: Life) -> int:
    """The number of an order's token, once it is shown."""
    life.show()
    return int.from_bytes(life.id)


def permitted(stage: Stage) -> tuple[Life, bytes]:
    """A settled order with its permit, which ends before the licence would."""
    terms = stage.offer(stage.market.permitted())
    permit = stage.market.grant(terms.offer, to=stage.market.evm.now_s + 100 * DAY_S)
    return stage.settled(1, terms, permit=permit), permit


# ----------------------------------------------------------------------------------------------------------- further users


@pytest.mark.parametrize("way", [Stage.revealed, Stage.settled])
def test_a_user_that_the_buyer_named_is_licensed_from_then_on(stage: Stage, way: Any) -> None:
    life = way(stage)
    stage.travel(50)
    now_s, user = stage.market.evm.now_s, stage.stranger
    assert not life.is_licensed(user, now_s)
    (event,) = life.name_user(user).events
    assert (event.name, event.values) == ("UserNamed", {"order": life.id, "user": user})
    assert asked(stage, "namedAt", life.id, user) == now_s
    end_s = life.standing.revealedAt + TERM_S
    times = (now_s - 1, now_s, end_s, end_s + 1)
    assert [life.is_licensed(user, time_s) for time_s in times] == [False, True, True, False]
    assert life.is_licensed(stage.buyer, now_s - 1)


def test_eight_further_users_are_the_most(stage: Stage) -> None:
    life, users = stage.settled(), stage.market.others
    for user in users[:8]:
        life.name_user(user)
    with stage.refused("TooManyUsers", life.id, 8):
        life.name_user(users[8])
    now_s = stage.market.evm.now_s
    assert [life.is_licensed(user, now_s) for user in users[:9]] == [True] * 8 + [False]


def test_a_user_is_named_once_and_the_buyer_never(stage: Stage) -> None:
    life = stage.settled()
    life.name_user(stage.stranger)
    for user in (stage.stranger, stage.buyer):
        with stage.refused("UserIsNamed", life.id, user):
            life.name_user(user)


def test_only_the_buyer_names_users(stage: Stage) -> None:
    life = stage.settled()
    for account in (stage.provider, stage.stranger):
        with stage.refused("NotTheBuyer", stage.buyer, account):
            life.name_user(stage.stranger, account)


def test_a_user_of_one_order_is_none_of_another(stage: Stage) -> None:
    first, second = stage.settled(1), stage.settled(2)
    first.name_user(stage.stranger)
    assert not second.is_licensed(stage.stranger, stage.market.evm.now_s)


@pytest.mark.parametrize("way", [Stage.order, Stage.placed, Stage.delivered, Stage.accepted, Stage.contested])
def test_without_a_live_licence_nobody_is_named_and_nothing_shown(stage: Stage, way: Any) -> None:
    life = way(stage)
    for step in (lambda: life.name_user(stage.stranger), life.show):
        with stage.refused("NotLicensed", life.id):
            step()


def test_a_licence_that_has_ended_names_and_shows_nothing(stage: Stage) -> None:
    life = stage.settled()
    stage.market.evm.travel(life.standing.revealedAt + TERM_S + 1)
    for step in (lambda: life.name_user(stage.stranger), life.show):
        with stage.refused("NotLicensed", life.id):
            step()


def test_a_licence_ends_with_its_permit(stage: Stage) -> None:
    life, permit = permitted(stage)
    end_s = stage.market.permits.ask("getPermit", permit).to
    life.name_user(stage.stranger)
    for who in (stage.buyer, stage.stranger):
        assert [life.is_licensed(who, time_s) for time_s in (end_s, end_s + 1)] == [True, False]
    stage.travel(DAY_S)
    revoked_s = stage.market.evm.now_s
    stage.market.revoke(permit)
    for who in (stage.buyer, stage.stranger):
        assert [life.is_licensed(who, time_s) for time_s in (revoked_s - 1, revoked_s)] == [True, False]


def test_a_licence_whose_order_is_forfeited_is_void_for_all(stage: Stage) -> None:
    life = stage.revealed()
    now_s = stage.market.evm.now_s
    life.name_user(stage.stranger)
    number = shown(stage, life)
    life.complain()
    assert not any(life.is_licensed(who, now_s) for who in (stage.buyer, stage.stranger))
    with stage.refused("NotLicensed", life.id):
        asked(stage, "ownerOf", number)


# ------------------------------------------------------------------------------------------------------- what wallets show


def test_a_shown_licence_is_a_locked_token_of_its_buyers(stage: Stage) -> None:
    life = stage.settled()
    number = int.from_bytes(life.id)
    transfer, locked = life.show().events
    assert transfer.values == {"from": NOBODY, "to": stage.buyer, "tokenId": number}
    assert (locked.name, locked.values) == ("Locked", {"tokenId": number})
    assert asked(stage, "ownerOf", number) == stage.buyer
    assert asked(stage, "balanceOf", stage.buyer) == 1
    assert asked(stage, "locked", number) is True
    assert asked(stage, "getApproved", number) == NOBODY
    assert asked(stage, "isApprovedForAll", stage.buyer, stage.stranger) is False


def test_the_view_says_which_standards_it_follows(stage: Stage) -> None:
    followed = {interface: asked(stage, "supportsInterface", interface) for interface in (ERC165, ERC721, ERC5192)}
    assert all(followed.values())
    assert not asked(stage, "supportsInterface", b"\xff\xff\xff\xff")


def test_a_licence_is_shown_once(stage: Stage) -> None:
    life = stage.settled()
    life.show()
    with stage.refused("AlreadyShown", life.id):
        life.show()


def test_a_wallet_counts_the_live_licences_that_it_shows(stage: Stage) -> None:
    first, second, _ = stage.settled(1), stage.revealed(2), stage.settled(3)
    first.show()
    second.show()
    assert asked(stage, "balanceOf", stage.buyer) == 2
    second.complain()
    assert asked(stage, "balanceOf", stage.buyer) == 1
    stage.market.evm.travel(first.standing.revealedAt + TERM_S + 1)
    assert asked(stage, "balanceOf", stage.buyer) == 0
    assert asked(stage, "balanceOf", stage.stranger) == 0


def test_a_token_that_was_never_shown_is_nobodys(stage: Stage) -> None:
    life = stage.settled()
    for function in ("ownerOf", "locked", "getApproved"):
        with stage.refused("NotLicensed", life.id):
            asked(stage, function, int.from_bytes(life.id))


def test_a_token_sleeps_while_its_order_is_contested(stage: Stage) -> None:
    life = stage.revealed(1, stage.disputed)
    number = shown(stage, life)
    life.contest()
    with stage.refused("NotLicensed", life.id):
        asked(stage, "ownerOf", number)
    life.rule(5_000, 0)
    assert asked(stage, "ownerOf", number) == stage.buyer
    assert life.standing.state == OrderState.SETTLED


@pytest.mark.parametrize("function", ["transferFrom", "safeTransferFrom", "approve", "setApprovalForAll"])
def test_nobody_moves_a_licence(stage: Stage, function: str) -> None:
    number = shown(stage, stage.settled())
    arguments: dict[str, tuple[Any, ...]] = {
        "transferFrom": (stage.buyer, stage.stranger, number),
        "safeTransferFrom": (stage.buyer, stage.stranger, number, b""),
        "approve": (stage.stranger, number),
        "setApprovalForAll": (stage.stranger, True),
    }
    with stage.refused("NotTransferable"):
        stage.market.licences.send(stage.buyer, function, *arguments[function])
    assert asked(stage, "ownerOf", number) == stage.buyer
