"""Orders before the arbiter: contest, rule, and an arbiter that says nothing."""

from typing import Any

import pytest

from marketplace.protocol.states import OrderState, Reason
from scripts.benchmarks.evm import Reverted
from scripts.benchmarks.life import GROUNDS, Life
from scripts.benchmarks.market import DAY_S, EURO, Terms

from .conftest import Stage
from .doubles import double

DEPOSIT = 20 * EURO
SHARES = [(10_000, 10_000), (10_000, 0), (0, 10_000), (0, 0), (1, 1), (9_999, 1), (3_333, 6_667), (5_000, 5_000)]


def odd(stage: Stage) -> Terms:
    """An offer with an arbiter whose amounts no share divides evenly."""
    return stage.offer(stage.market.arbitrated(cost=1_000_003, margin=4, bond=700_001, contestDeposit=11))


def test_a_contest_is_told_with_its_grounds_and_takes_the_deposit(stage: Stage) -> None:
    life = stage.revealed(1, stage.disputed)
    before, revealed_s = stage.market.euro.ask("balanceOf", stage.buyer), life.standing.revealedAt
    stage.travel(5)
    (event,) = life.contest().events
    assert (event.name, event.values) == ("OrderContested", {"order": life.id, "grounds": GROUNDS})
    deadline_s = stage.market.evm.now_s + 5 * DAY_S
    expected = (OrderState.CONTESTED, Reason.NONE, deadline_s, revealed_s, 0, 0, 0, life.digest)
    assert life.standing == expected
    assert stage.market.euro.ask("balanceOf", stage.buyer) == before - DEPOSIT
    assert stage.rules.ask("getOffer", life.terms.offer).open == 1


def test_only_the_buyer_contests(stage: Stage) -> None:
    life = stage.revealed(1, stage.disputed)
    for account in (stage.provider, stage.market.arbiter, stage.stranger):
        with stage.refused("NotTheBuyer", stage.buyer, account):
            life.contest(account)


@pytest.mark.parametrize("left_s", [1, 0])
def test_the_buyer_contests_until_its_last_second(stage: Stage, left_s: int) -> None:
    life = stage.revealed(1, stage.disputed)
    stage.market.evm.travel(life.standing.deadline - left_s)
    assert life.contest().events


def test_a_second_later_nothing_is_contested(stage: Stage) -> None:
    life = stage.revealed(1, stage.disputed)
    deadline_s = life.standing.deadline
    stage.market.evm.travel(deadline_s + 1)
    with stage.refused("TooLate", life.id, deadline_s):
        life.contest()


def test_without_an_arbiter_nothing_can_be_contested(stage: Stage) -> None:
    life = stage.revealed()
    with stage.refused("NoArbiter", life.id):
        life.contest()


def test_a_deposit_that_was_not_approved_is_not_taken(stage: Stage) -> None:
    life = stage.revealed(1, stage.disputed)
    stage.market.euro.send(stage.buyer, "approve", stage.rules.address, DEPOSIT - 1)
    with stage.refused("ERC20InsufficientAllowance", stage.rules.address, DEPOSIT - 1, DEPOSIT):
        life.contest()


def test_contesting_may_cost_nothing(stage: Stage) -> None:
    life = stage.revealed(1, stage.offer(stage.market.arbitrated(contestDeposit=0)))
    stage.market.euro.send(stage.buyer, "approve", stage.rules.address, 0)
    life.contest()
    life.rule()
    assert stage.market.credit(stage.market.arbiter) == 0


def test_a_deposit_that_does_not_arrive_exactly_is_refused(stage: Stage) -> None:
    coin = stage.market.evm.deploy(double("ReenteringToken"))
    stage.market.fund(coin, stage.buyer)
    life = stage.revealed(1, stage.offer(stage.market.arbitrated(token=coin.address, bond=0)))
    mint = coin.contract.call("mint", (stage.rules.address, 1))
    coin.send(stage.stranger, "arm", coin.address, mint)
    with stage.refused("InexactTransfer", coin.address, DEPOSIT, DEPOSIT + 1):
        life.contest()


def test_a_contest_cannot_be_taken_back_by_settling(stage: Stage) -> None:
    life = stage.contested(1)
    with stage.refused("TooEarly", life.id, life.standing.deadline):
        life.settle()


# ---------------------------------------------------------------------------------------------------------------- ruling


@pytest.mark.parametrize(("price_bps", "bond_bps"), SHARES)
def test_a_ruling_divides_price_and_bond_and_earns_the_deposit(stage: Stage, price_bps: int, bond_bps: int) -> None:
    life = stage.contested(1, odd(stage))
    head, (lead, buyer) = life.terms.head, stage.credits()
    ruled, ended = life.rule(price_bps, bond_bps).events
    assert (ruled.name, ruled.values) == (
        "OrderRuled",
        {"order": life.id, "priceBps": price_bps, "bondBps": bond_bps},
    )
    name, state = ("OrderSettled", OrderState.SETTLED) if price_bps else ("OrderRefunded", OrderState.REFUNDED)
    assert (ended.name, ended.values) == (name, {"order": life.id, "reason": Reason.RULED})
    assert life.standing[:3] == (state, Reason.RULED, 0)
    assert life.standing[5:7] == (price_bps, bond_bps)
    earned, freed = life.terms.price * price_bps // 10_000, head.bond * bond_bps // 10_000
    assert stage.credits() == (lead + freed, buyer + life.terms.price - earned + head.bond - freed)
    assert stage.rules.ask("getOffer", life.terms.offer)[2:] == (0, earned)
    assert stage.market.credit(stage.market.arbiter) == head.contestDeposit


@pytest.mark.parametrize(("price_bps", "bond_bps"), [(10_001, 0), (0, 10_001), (65_535, 65_535)])
def test_no_ruling_gives_more_than_the_whole(stage: Stage, price_bps: int, bond_bps: int) -> None:
    life = stage.contested(1)
    field, given = ("priceBps", price_bps) if price_bps > 10_000 else ("bondBps", bond_bps)
    with stage.refused("OutOfRange", field, given, 0, 10_000):
        life.rule(price_bps, bond_bps)


def test_only_the_arbiter_rules(stage: Stage) -> None:
    life = stage.contested(1)
    for account in (stage.provider, stage.buyer, stage.stranger):
        with stage.refused("NotTheArbiter", stage.market.arbiter, account):
            life.rule(sender=account)


def test_nobody_rules_where_there_is_no_arbiter(stage: Stage) -> None:
    life = stage.revealed()
    with stage.refused("NotTheArbiter", life.terms.head.arbiter, stage.stranger):
        life.rule(sender=stage.stranger)


def test_an_arbiter_rules_its_own_offers_alone(stage: Stage) -> None:
    life = stage.contested(1)
    own = life.terms
    life.terms = stage.market.terms(own.head._replace(arbiter=stage.stranger), own.members)
    with stage.refused("WrongOffer", own.offer, life.terms.offer):
        life.rule(sender=stage.stranger)


@pytest.mark.parametrize("left_s", [1, 0])
def test_the_arbiter_rules_until_its_last_second(stage: Stage, left_s: int) -> None:
    life = stage.contested(1)
    deadline_s = life.standing.deadline
    stage.market.evm.travel(deadline_s - left_s)
    for account in (stage.buyer, stage.provider, stage.stranger):
        with stage.refused("TooEarly", life.id, deadline_s):
            life.settle(account)
    assert life.rule().events


@pytest.mark.parametrize("by", ["buyer", "provider", "stranger", "arbiter"])
def test_an_arbiter_that_says_nothing_leaves_the_providers_paid_and_the_deposit_back(stage: Stage, by: str) -> None:
    life = stage.contested(1)
    deadline_s = life.standing.deadline
    stage.market.evm.travel(deadline_s + 1)
    with stage.refused("TooLate", life.id, deadline_s):
        life.rule()
    account = stage.market.arbiter if by == "arbiter" else getattr(stage, by)
    (event,) = life.settle(account).events
    assert (event.name, event.values) == ("OrderSettled", {"order": life.id, "reason": Reason.NOT_RULED})
    assert stage.credits() == (10 * stage.bond, DEPOSIT)
    assert stage.market.credit(stage.market.arbiter) == 0
    assert stage.rules.ask("getOffer", life.terms.offer)[2:] == (0, stage.price)


def test_a_ruled_order_is_ruled_once_and_releases_nothing(stage: Stage) -> None:
    life = stage.contested(1)
    life.rule(0, 0)
    with stage.refused("WrongState", life.id, OrderState.REFUNDED, OrderState.CONTESTED):
        life.rule(0, 0)
    with stage.refused("NotReleasable", life.id, OrderState.REFUNDED, Reason.RULED):
        life.release()


def test_the_arbiter_withdraws_what_it_earned(stage: Stage) -> None:
    stage.contested(1).rule()
    stage.rules.send(stage.market.arbiter, "withdrawCredit", stage.market.euro.address, DEPOSIT)
    assert stage.market.euro.ask("balanceOf", stage.market.arbiter) == DEPOSIT


def test_an_arbiter_buys_nothing_that_it_would_rule(stage: Stage) -> None:
    terms = stage.disputed
    stage.market.fund(stage.market.euro, stage.market.arbiter)
    life = stage.order(1, terms, buyer=stage.market.arbiter)
    with stage.refused("RoleConflict", "arbiter", stage.market.arbiter):
        life.place()
    with stage.refused("RoleConflict", "arbiter", stage.market.arbiter):
        life.place_for()


@pytest.mark.parametrize(("price_bps", "live"), [(0, False), (1, True), (10_000, True)])
def test_the_licence_sleeps_while_contested_and_lives_on_with_a_share(stage: Stage, price_bps: int, live: bool) -> None:
    life = stage.revealed(1, stage.disputed)
    now_s = stage.market.evm.now_s
    assert life.is_licensed(stage.buyer, now_s)
    life.contest()
    assert not life.is_licensed(stage.buyer, now_s)
    life.rule(price_bps, 0)
    assert life.is_licensed(stage.buyer, now_s) is live


def test_a_pools_ruling_is_shared_by_its_members(stage: Stage) -> None:
    members = stage.market.pool(stage.provider, *stage.market.others[:2])
    life = stage.contested(1, stage.offer(stage.market.arbitrated(), *members))
    life.rule(2_500, 10_000)
    earned = stage.price // 4
    for index, member in enumerate(members):
        life.withdraw_payout(index=index)
        expected = earned * member.shareBps // 10_000
        assert stage.rules.ask("getWithdrawn", life.terms.offer, index) == expected


def test_contested_orders_do_not_touch_each_other(stage: Stage) -> None:
    terms = stage.disputed
    lives: list[Life] = [stage.contested(number, terms) for number in range(3)]
    lives[0].rule(0, 0)
    lives[1].rule(10_000, 10_000)
    stage.market.evm.travel(lives[2].standing.deadline + 1)
    lives[2].settle()
    assert stage.credits() == (9 * stage.bond, stage.price + stage.bond + DEPOSIT)
    assert stage.rules.ask("getOffer", terms.offer)[2:] == (0, 2 * stage.price)


def test_a_token_cannot_come_back_while_a_contest_is_paid(stage: Stage) -> None:
    coin = stage.market.evm.deploy(double("ReenteringToken"))
    stage.market.fund(coin, stage.buyer)
    life = stage.revealed(1, stage.offer(stage.market.arbitrated(token=coin.address, bond=0)))
    inside: list[tuple[str, tuple[Any, ...]]] = [
        ("withdrawCredit", (coin.address, 1)),
        ("stake", (coin.address, 1)),
        ("contest", (life.terms.head, life.terms.members_hash, life.order, GROUNDS)),
    ]
    for function, arguments in inside:
        coin.send(stage.stranger, "arm", stage.rules.address, stage.rules.contract.call(function, arguments))
        with pytest.raises(Reverted, match=r"ReentrancyGuardReentrantCall|NotTheBuyer"):
            life.contest()
