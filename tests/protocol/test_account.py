from copy import deepcopy
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account, fold
from marketplace.protocol.identity import DatasetId, OfferId, OrderId
from marketplace.protocol.order import Delivery
from marketplace.protocol.settlement import split
from marketplace.protocol.states import FINAL, OrderState, Reason

from .examples import address
from .history import BUYER, KEY, PROVIDER, RHO_MICRO, TOKEN, History, delivery, market

AT = ev.Position(1, 0, bytes(32), 1)


def lived(choices: Random) -> History:
    """A marketplace after up to forty moves that the contract would allow."""
    history, offer = market()
    bond_units = offer.head.bond_units
    second = history.publish(history.register(), cost_units=7, margin_units=0, compute_fee_bps=333, bond_units=0)
    acts = {
        OrderState.PLACED: [history.deliver, lambda order: history.refund(order, Reason.DECLINED)],
        OrderState.DELIVERED: [history.accept, lambda order: history.refund(order, Reason.REJECTED)],
        OrderState.ACCEPTED: [history.reveal],
        OrderState.REVEALED: [history.settle, lambda order: history.forfeit(order, Reason.WRONG_BYTE)],
    }
    lapses = {
        OrderState.PLACED: lambda order: history.refund(order, Reason.NOT_DELIVERED),
        OrderState.DELIVERED: lambda order: history.refund(order, Reason.NOT_ACCEPTED),
        OrderState.ACCEPTED: history.forfeit,
        OrderState.REVEALED: lambda order: history.settle(order, Reason.UNCHALLENGED),
    }
    for _ in range(choices.randrange(40)):
        account = history.account
        live = [view for view in account.orders.values() if view.state not in FINAL]
        credit = account.credits.get((TOKEN, PROVIDER), 0)
        if live and choices.random() < 0.6:
            view = choices.choice(live)
            if choices.random() < 0.2:
                history.wait(max(0, view.deadline_s - history.now_s))
            late = history.now_s >= view.deadline_s
            (lapses[view.state] if late else choices.choice(acts[view.state]))(view.id)
        elif credit < bond_units:
            history.stake(choices.randrange(1, 3 * bond_units))
        elif choices.random() < 0.3:
            history.withdraw_credit(PROVIDER, choices.randrange(1, credit + 1))
        elif choices.random() < 0.3:
            history.withdraw_payout(offer.id)
        else:
            history.place(choices.choice([offer, second]), buyer=address(choices.randrange(2, 5)))
    return history


def balance(account: Account) -> int:
    return account.paid_in_units.get(TOKEN, 0) - account.paid_out_units.get(TOKEN, 0)


LIVES = st.randoms(use_true_random=False).map(lived)


@given(LIVES)
@settings(max_examples=40, deadline=None)
def test_money_is_conserved_to_the_unit_on_every_way_that_orders_take(history: History) -> None:
    account = history.account
    assert balance(account) == account.credit_units(TOKEN) + account.held_units(TOKEN) + account.unpaid_units(TOKEN)
    assert all(amount >= 0 for amount in account.credits.values())


@given(LIVES)
@settings(max_examples=40, deadline=None)
def test_budgets_and_open_orders_are_the_sums_over_orders(history: History) -> None:
    account = history.account
    for view in account.offers.values():
        orders = [order for order in account.orders.values() if order.order.offer == view.offer.id]
        assert view.open == sum(order.state not in FINAL for order in orders)
        ended = [split(view.offer.head, order.state, order.reason) for order in orders if order.state in FINAL]
        assert view.accrued_units == sum(parts.price_to_members_units for parts in ended)
        assert account.datasets[view.offer.members[0].dataset].used_micro == RHO_MICRO * len(orders)


@given(LIVES, st.data())
@settings(max_examples=40, deadline=None)
def test_reading_in_parts_is_reading_the_whole_and_changes_nothing_before(
    history: History, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(history.events)))
    first = fold(history.events[:cut])
    kept = deepcopy(first)
    assert fold(history.events[cut:], first) == history.account
    assert first == kept


def test_an_empty_history_is_an_empty_account() -> None:
    assert fold([]) == Account()
    assert Account().held_units(TOKEN) == Account().credit_units(TOKEN) == Account().unpaid_units(TOKEN) == 0


def test_a_settled_order_has_its_whole_life_written_down() -> None:
    history, offer = market()
    order = history.settled(offer)
    view = history.view(order)
    reached = [OrderState.PLACED, OrderState.DELIVERED, OrderState.ACCEPTED, OrderState.REVEALED, OrderState.SETTLED]
    assert [step.state for step in view.life] == reached
    assert (view.state, view.reason, view.deadline_s) == (OrderState.SETTLED, Reason.APPROVED, 0)
    assert view.key == KEY
    assert isinstance(view.delivery, Delivery)
    assert view.placed_at_s == view.life[0].position.at_s
    revealed = view.at(OrderState.REVEALED)
    assert revealed is not None
    assert revealed.position == history.events[-2].position
    assert view.at(OrderState.CONTESTED) is None


def test_an_open_order_has_the_deadline_of_its_last_step() -> None:
    history, offer = market()
    order = history.place(offer)
    assert history.view(order).deadline_s == history.now_s + offer.head.deliver_window_s
    history.deliver(order)
    assert history.view(order).deadline_s == history.now_s + offer.head.accept_window_s
    history.accept(order)
    assert history.view(order).deadline_s == history.now_s + offer.head.reveal_window_s
    history.reveal(order)
    assert history.view(order).deadline_s == history.now_s + offer.head.challenge_window_s


def test_a_bond_is_held_while_the_order_is_open_and_comes_back() -> None:
    history, offer = market()
    order = history.place(offer)
    account = history.account
    assert account.held_units(TOKEN) == offer.head.price_units + offer.head.bond_units
    assert account.credits[TOKEN, PROVIDER] == offer.head.bond_units
    history.refund(order, Reason.DECLINED)
    account = history.account
    assert account.held_units(TOKEN) == 0
    assert account.credits == {(TOKEN, PROVIDER): 2 * offer.head.bond_units, (TOKEN, BUYER): offer.head.price_units}


def test_a_rejected_order_earns_the_compute_fee() -> None:
    history, offer = market()
    order = history.place(offer)
    history.deliver(order)
    history.refund(order, Reason.REJECTED)
    account = history.account
    assert account.offers[offer.id].accrued_units == account.unpaid_units(TOKEN) == offer.head.compute_fee_units
    assert account.credits[TOKEN, BUYER] == offer.head.price_units - offer.head.compute_fee_units


def test_a_forfeited_order_gives_price_and_bond_to_the_buyer() -> None:
    history, offer = market()
    order = history.place(offer)
    history.deliver(order)
    history.accept(order)
    history.forfeit(order)
    assert history.account.credits[TOKEN, BUYER] == offer.head.price_units + offer.head.bond_units


def test_a_wrong_byte_gives_price_and_bond_to_the_buyer_and_nothing_to_the_members() -> None:
    history, offer = market()
    order = history.place(offer)
    history.deliver(order)
    history.accept(order)
    history.reveal(order)
    history.forfeit(order, Reason.WRONG_BYTE)
    account = history.account
    assert account.credits[TOKEN, BUYER] == offer.head.price_units + offer.head.bond_units
    assert (account.offers[offer.id].accrued_units, account.offers[offer.id].open) == (0, 0)


def test_a_payout_is_what_is_owed_and_then_nothing_is() -> None:
    history, offer = market()
    history.settled(offer)
    assert history.withdraw_payout(offer.id) == offer.head.price_units
    view = history.account.offers[offer.id]
    assert view.withdrawn_units == (offer.head.price_units,)
    assert view.owed_units(0) == 0
    assert history.account.paid_out_units == {TOKEN: offer.head.price_units}


def test_a_release_gives_the_rho_back_and_is_written_down() -> None:
    history, offer = market()
    order = history.place(offer)
    history.refund(order, Reason.DECLINED)
    (dataset,) = history.account.datasets
    assert history.account.datasets[dataset].used_micro == RHO_MICRO
    history.release(order)
    assert history.account.datasets[dataset].used_micro == 0
    assert history.view(order).released == {dataset}


def test_versions_share_a_budget_and_an_offer_can_be_retired() -> None:
    history, offer = market()
    dataset = offer.members[0].dataset
    history.place(offer)
    history.revise(dataset)
    history.retire(offer)
    view = history.account.datasets[dataset]
    assert len(view.versions) == 2
    assert view.used_micro == RHO_MICRO
    assert history.account.offers[offer.id].retired


def test_a_life_off_the_table_is_written_down_not_judged() -> None:
    history, offer = market()
    order = history.settled(offer)
    history.refund(order, Reason.DECLINED)
    assert [step.state for step in history.view(order).life][-2:] == [OrderState.SETTLED, OrderState.REFUNDED]


@pytest.mark.parametrize(
    "event",
    [
        ev.DatasetRevised(AT, DatasetId(b"d" * 32), 2, bytes(32), bytes(32)),
        ev.OfferRetired(AT, OfferId(b"o" * 32), PROVIDER),
        ev.OrderDelivered(AT, OrderId(b"o" * 32), bytes(32), delivery(), 5),  # type: ignore[arg-type]
        ev.OrderAccepted(AT, OrderId(b"o" * 32), bytes(32), 5),  # type: ignore[arg-type]
        ev.OrderRevealed(AT, OrderId(b"o" * 32), KEY, 5),
        ev.OrderSettled(AT, OrderId(b"o" * 32), Reason.APPROVED),
        ev.OrderRefunded(AT, OrderId(b"o" * 32), Reason.DECLINED),
        ev.OrderForfeited(AT, OrderId(b"o" * 32), Reason.NOT_REVEALED),
        ev.RhoReleased(AT, OrderId(b"o" * 32), DatasetId(b"d" * 32), 5),
        ev.PayoutWithdrawn(AT, OfferId(b"o" * 32), 0, PROVIDER, 5),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_about_something_unknown_is_corrupt(event: ev.Event) -> None:
    with pytest.raises(Corrupt, match=f"a {type(event).__name__} in block 1 is about something unknown"):
        fold([event])


def test_an_order_that_ends_as_none_can_and_a_payout_to_no_member_are_corrupt() -> None:
    history, offer = market()
    order = history.place(offer)
    for event in (
        ev.OrderSettled(AT, order, Reason.DECLINED),
        ev.PayoutWithdrawn(AT, offer.id, 1, PROVIDER, 5),
    ):
        with pytest.raises(Corrupt, match="read again from the start"):
            fold([*history.events, event])
