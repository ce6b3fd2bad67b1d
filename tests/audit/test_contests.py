import pytest

from marketplace.errors import Corrupt
from marketplace.protocol import events as ev
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState, Reason

from ..protocol.history import ARBITER, BUYER, History, arbitrated, market
from .examples import check, failing, truthful


def contested() -> tuple[History, OrderId]:
    history, offer = arbitrated()
    return history, history.reach(offer, OrderState.CONTESTED)


@pytest.mark.parametrize(("price_bps", "bond_bps"), [(10_000, 10_000), (1, 0), (0, 10_000), (3_333, 777)])
def test_a_ruled_order_passes_and_is_counted(price_bps: int, bond_bps: int) -> None:
    history, order = contested()
    history.rule(order, price_bps, bond_bps)
    assert failing(truthful(history)) == set()
    assert check(20, truthful(history)).evidence == "1 contest, 1 ruling"


def test_a_contest_without_an_arbiter_fails() -> None:
    history, offer = market()
    order = history.reach(offer, OrderState.REVEALED)
    history.contest(order)
    assert 20 in failing(truthful(history))
    assert f"order 0x{order.hex()[:8]} was contested without an arbiter" in check(20, truthful(history)).evidence


def test_an_order_of_the_arbiters_own_fails() -> None:
    history, offer = arbitrated()
    history.place(offer, buyer=ARBITER)
    assert failing(truthful(history)) == {20}
    assert "is its buyer" in check(20, truthful(history)).evidence


@pytest.mark.parametrize(("price_bps", "end"), [(0, ev.OrderSettled), (1, ev.OrderRefunded)])
def test_an_order_that_ends_otherwise_than_it_was_ruled_fails(price_bps: int, end: type[ev.Event]) -> None:
    history, order = contested()
    history.record(ev.OrderRuled, order, price_bps, 0)
    history.record(end, order, Reason.RULED, together=True)
    assert failing(truthful(history)) == {20}
    assert f"was ruled {price_bps} basis points and ended otherwise" in check(20, truthful(history)).evidence


@pytest.mark.parametrize("more", [False, True])
def test_a_ruling_that_ends_nothing_fails(more: bool) -> None:
    history, order = contested()
    history.record(ev.OrderRuled, order, 5, 5)
    if more:
        history.stake(5, BUYER)
    assert failing(truthful(history)) == {20}
    assert f"order 0x{order.hex()[:8]} was ruled and did not end" in check(20, truthful(history)).evidence


@pytest.mark.parametrize(("price_bps", "bond_bps"), [(10_001, 0), (0, 10_001)])
def test_a_ruling_of_more_than_the_whole_is_no_account_to_go_on_with(price_bps: int, bond_bps: int) -> None:
    history, order = contested()
    history.rule(order, price_bps, bond_bps)
    with pytest.raises(Corrupt, match=r"OrderSettled|OrderRefunded"):
        truthful(history)


def test_a_ruling_in_another_transaction_than_the_end_or_of_another_order_fails() -> None:
    history, order = contested()
    history.record(ev.OrderRuled, order, 5, 5)
    history.record(ev.OrderSettled, order, Reason.RULED)
    assert failing(truthful(history)) == {20}
    history, offer = arbitrated()
    first, second = (history.reach(offer, OrderState.CONTESTED) for _ in range(2))
    for order in (first, second):
        history.record(ev.OrderRuled, order, 5, 5)
    history.record(ev.OrderSettled, first, Reason.RULED, together=True)
    assert "ended by a ruling that was not made then" in check(20, truthful(history)).evidence


def test_a_ruling_that_ends_nothing_fails_though_the_next_one_ends_its_own() -> None:
    history, offer = arbitrated()
    first, second = (history.reach(offer, OrderState.CONTESTED) for _ in range(2))
    history.record(ev.OrderRuled, first, 5, 5)
    history.rule(second, 5, 5)
    assert failing(truthful(history)) == {20}
    assert check(20, truthful(history)).evidence == f"order 0x{first.hex()[:8]} was ruled and did not end"


def test_one_ruling_does_not_end_an_order_twice() -> None:
    history, order = contested()
    history.rule(order, 5, 5)
    history.record(ev.OrderSettled, order, Reason.RULED, together=True)
    assert "ended by a ruling that was not made then" in check(20, truthful(history)).evidence


def test_a_ruling_of_an_order_that_is_not_contested_fails() -> None:
    history, offer = arbitrated()
    order = history.reach(offer, OrderState.REVEALED)
    history.rule(order, 5, 5)
    assert {4, 20} <= failing(truthful(history))
    assert f"order 0x{order.hex()[:8]} was ruled and not contested" in check(20, truthful(history)).evidence


def test_a_second_ruling_fails() -> None:
    history, order = contested()
    history.rule(order, 5, 5)
    history.record(ev.OrderRuled, order, 5, 5)
    assert "was ruled and not contested" in check(20, truthful(history)).evidence
