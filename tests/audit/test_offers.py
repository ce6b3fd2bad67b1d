from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from marketplace.ledger import ids
from marketplace.protocol import events as ev
from marketplace.protocol.identity import NOTHING, OrderId
from marketplace.protocol.offer import Guarantee, Kind, Member, Offer
from marketplace.protocol.states import OrderState, Reason

from ..protocol.examples import address, head
from ..protocol.history import AUTHORITY, PROVIDER, PURPOSE, RHO_MICRO, TOKEN, History, delivery, market
from .examples import check, failing, truthful

SECOND = address(5)


def published(history: History, *members: Member, **changes: Any) -> Offer:
    """An offer with just these members, whether the contract would take it or not."""
    offer = ids.offer(history.domain, head(**({"token": TOKEN} | changes)), members)
    history.record(ev.OfferPublished, offer)
    return offer


def pair(history: History) -> list[Member]:
    """Two members of a pool as they ought to be."""
    datasets = sorted([(history.register(), PROVIDER), (history.register(provider=SECOND), SECOND)])
    return [Member(dataset, provider, 5_000, RHO_MICRO) for dataset, provider in datasets]


def test_a_pool_passes_and_is_counted() -> None:
    history = History()
    published(history, *pair(history))
    assert failing(truthful(history)) == set()
    assert check(18, truthful(history)).evidence == "1 offer"


Bend = Callable[[list[Member]], list[Member]]


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (lambda pair: pair[::-1], "its members are not in the order of their datasets"),
        (lambda pair: [pair[0], replace(pair[0])], "its members are not in the order of their datasets"),
        (lambda pair: [pair[0], replace(pair[1], share_bps=4_999)], "its sum of shares is 9,999, not 10,000 to 10,000"),
        (lambda pair: [pair[0], replace(pair[1], share_bps=5_001)], "its sum of shares is 10,001"),
        (lambda pair: [], "its number of members is 0, not 1 to 16"),
        (lambda pair: [pair[0], replace(pair[1], provider=address(6))], "is not its member's"),
        (lambda pair: [pair[0], replace(pair[1], rho_micro=0)], "its rho is 0, not 1 to"),
        (
            lambda pair: [replace(one, share_bps=10_000) for one in pair if one.provider == SECOND],
            "its lead is not among its providers",
        ),
    ],
)
def test_members_out_of_order_with_broken_shares_or_others_datasets_fail(bend: Bend, words: str) -> None:
    history = History()
    published(history, *bend(pair(history)))
    assert 18 in failing(truthful(history))
    assert words in check(18, truthful(history)).evidence


def test_a_dataset_that_nobody_registered_fails() -> None:
    history = History()
    published(history, Member(b"d" * 32, PROVIDER, 10_000, RHO_MICRO))  # type: ignore[arg-type]
    assert failing(truthful(history)) == {18}
    assert "dataset 0x64646464 is not its member's" in check(18, truthful(history)).evidence


def test_more_than_sixteen_members_fail() -> None:
    for count in (16, 17):
        history = History()
        datasets = sorted(history.register() for _ in range(count))
        shares = [10_000 - 500 * (count - 1), *[500] * (count - 1)]
        members = [Member(one, PROVIDER, share, 1) for one, share in zip(datasets, shares, strict=True)]
        published(history, *members)
        assert failing(truthful(history)) == ({18} if count == 17 else set())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arbiter": PROVIDER, "rule_window_s": 3_600}, "its arbiter is one of its providers"),
        ({"authority": PROVIDER, "purposes": 1}, "its authority is one of its providers"),
        ({"purposes": 1}, "its set of purposes"),
        ({"authority": AUTHORITY}, "its set of purposes"),
        ({"cost_units": 0, "margin_units": 0}, "its price is 0"),
        ({"cost_units": 2**96 - 1, "margin_units": 1}, "its price is"),
        ({"delta_atto": 0}, "its delta is 0, not 1 to"),
        ({"delta_atto": 10**13 + 1}, "its delta is 10,000,000,000,001"),
        ({"deliver_window_s": 59}, "its deliver window is 59, not 60 to 31,536,000"),
        ({"accept_window_s": 59}, "its accept window is 59"),
        ({"reveal_window_s": 3_599}, "its reveal window is 3,599, not 3,600"),
        ({"challenge_window_s": 31_536_001}, "its challenge window is 31,536,001"),
        ({"rule_window_s": 3_600}, "its rule window is 3,600, not 0 to 0"),
        ({"arbiter": address(8), "rule_window_s": 3_599}, "its rule window is 3,599"),
        ({"contest_deposit_units": 1}, "its contest deposit is 1, not 0 to 0"),
        ({"licence_s": 0}, "its licence is 0"),
        ({"compute_fee_bps": 1_001}, "its compute fee is 1,001, not 0 to 1,000"),
        ({"max_open": 0}, "its number of open orders is 0"),
        ({"valid_until_s": 5}, "its last second is 5"),
        ({"guarantee": Guarantee.EXACT}, "its number of authorities is 0, not 1 to 1"),
    ],
)
def test_terms_beyond_the_limits_fail(changes: dict[str, Any], words: str) -> None:
    history = History()
    published(history, Member(history.register(), PROVIDER, 10_000, RHO_MICRO), **changes)
    assert failing(truthful(history)) == {18}
    assert words in check(18, truthful(history)).evidence


def test_an_offer_that_is_published_twice_fails() -> None:
    history, _ = market()
    history.events.insert(2, history.events[1])
    assert failing(truthful(history)) == {18}
    assert "it was published twice" in check(18, truthful(history)).evidence


# -------------------------------------------------------------------------------------------------------- 19: stock


def origin(state: OrderState = OrderState.SETTLED) -> tuple[History, Offer, OrderId]:
    """An order whose delivery might become stock."""
    history, offer = market(bond_units=0)
    return history, offer, history.reach(offer, state, delivery(0))


@pytest.mark.parametrize("end", [None, Reason.REJECTED, Reason.NOT_ACCEPTED])
def test_stock_of_any_delivery_passes_however_its_order_ended(end: Reason | None) -> None:
    history, offer, order = origin(OrderState.DELIVERED)
    if end is Reason.NOT_ACCEPTED:
        history.wait(offer.head.accept_window_s)
    if end:
        history.refund(order, end)
    history.settled(history.publish_stock(order, bond_units=0), delivery(9, plain_root=delivery(0).plain_root))
    assert failing(truthful(history)) == set()
    assert check(19, truthful(history)).evidence == "1 offer of stock"


def test_stock_without_an_origin_fails() -> None:
    for more in (False, True):
        history, _, order = origin()
        history.publish_stock(order, bond_units=0)
        history.events.pop()
        if more:
            history.register()
        assert failing(truthful(history)) == {19}
        assert "sells stock of no order" in check(19, truthful(history)).evidence


def test_stock_without_an_origin_fails_though_another_stock_is_told_of_its_own() -> None:
    for told_again in (False, True):
        history, _, order = origin()
        first = history.publish_stock(order, bond_units=0)
        history.publish_stock(order, bond_units=1)
        if told_again:
            history.events[-1] = replace(history.events[-1], offer=first.id)  # type: ignore[call-arg]
        else:
            del history.events[-3]
        assert failing(truthful(history)) == {19}
        assert "sells stock of no order" in check(19, truthful(history)).evidence


def test_an_offer_of_stock_that_is_told_two_origins_fails() -> None:
    history, offer, order = origin()
    other = history.settled(offer, delivery(0))
    history.publish_stock(order, bond_units=0)
    history.record(ev.StockOffered, list(history.account.offers)[-1], other, together=True)
    assert failing(truthful(history)) == {19}


def test_an_origin_that_is_told_later_or_of_another_offer_fails() -> None:
    history, offer, order = origin()
    stock = history.publish_stock(order, bond_units=0)
    history.events.pop()
    history.record(ev.StockOffered, stock.id, order)
    assert failing(truthful(history)) == {19}
    assert "was made one of stock after it was published" in check(19, truthful(history)).evidence
    history, offer, order = origin()
    history.record(ev.StockOffered, offer.id, order)
    assert 19 in failing(truthful(history))


def test_stock_of_an_order_that_was_not_delivered_fails() -> None:
    history, offer, order = origin()
    undelivered = history.place(offer)
    stock = history.publish_stock(order, bond_units=0)
    history.events.pop()
    history.record(ev.StockOffered, stock.id, undelivered, together=True)
    assert failing(truthful(history)) == {19}
    assert "of an order without a delivery" in check(19, truthful(history)).evidence


def test_stock_of_a_proven_wrong_byte_fails() -> None:
    history, _, order = origin(OrderState.REVEALED)
    history.forfeit(order, Reason.WRONG_BYTE)
    history.publish_stock(order, bond_units=0)
    assert failing(truthful(history)) == {19}
    assert "with a proven wrong byte" in check(19, truthful(history)).evidence


def test_a_wrong_byte_that_is_proven_later_does_not_undo_the_offer() -> None:
    history, _, order = origin(OrderState.REVEALED)
    history.publish_stock(order, bond_units=0)
    history.forfeit(order, Reason.WRONG_BYTE)
    assert failing(truthful(history)) == set()


@pytest.mark.parametrize("changes", [{"kind": Kind.TRAIN}, {"delta_atto": 5}], ids=["kind", "delta"])
def test_stock_with_another_promise_fails(changes: dict[str, Any]) -> None:
    history, _, order = origin()
    history.publish_stock(order, bond_units=0, **changes)
    assert failing(truthful(history)) == {19}
    assert "of other datasets or another promise" in check(19, truthful(history)).evidence


def test_stock_with_another_guarantee_or_root_fails() -> None:
    history, _, order = origin()
    asking = {"authority": AUTHORITY, "purposes": 1 << PURPOSE}
    history.publish_stock(order, bond_units=0, guarantee=Guarantee.EXACT, delta_atto=0, **asking)
    assert failing(truthful(history)) == {19}
    history, _, order = origin()
    history.publish_stock(order, bond_units=0, stock=b"s" * 32)
    assert failing(truthful(history)) == {19}
    assert "is another result than its origin's" in check(19, truthful(history)).evidence


def test_stock_of_other_datasets_fails() -> None:
    history, _, order = origin()
    made = history.view(order).delivery
    assert made is not None
    other = history.publish(history.register(), stock=made.plain_root, bond_units=0)
    history.record(ev.StockOffered, other.id, order, together=True)
    assert failing(truthful(history)) == {19}
    assert "of other datasets or another promise" in check(19, truthful(history)).evidence


def test_stock_that_costs_rho_fails() -> None:
    history, offer, order = origin()
    made = history.view(order).delivery
    assert made is not None
    published(history, *offer.members, stock=made.plain_root, bond_units=0)
    history.record(ev.StockOffered, list(history.account.offers)[-1], order, together=True)
    assert failing(truthful(history)) == {18}
    assert "its rho is 30,560, not 0 to 0" in check(18, truthful(history)).evidence


def test_another_result_than_the_stock_fails_when_it_is_delivered() -> None:
    history, _, order = origin()
    bought = history.reach(history.publish_stock(order, bond_units=0), OrderState.DELIVERED, delivery(9))
    assert failing(truthful(history)) == {19}
    words = f"order 0x{bought.hex()[:8]} was delivered another result than its offer's stock"
    assert words in check(19, truthful(history)).evidence
    assert history.account.offers[history.view(order).order.offer].offer.head.stock == NOTHING
