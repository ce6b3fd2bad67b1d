from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt
from marketplace.protocol import events as ev
from marketplace.protocol.account import Account, fold
from marketplace.protocol.identity import NOTHING, DatasetId, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.order import Delivery
from marketplace.protocol.settlement import split
from marketplace.protocol.states import FINAL, DeclineReason, OrderState, Reason

from .examples import address
from .history import ARBITER, AUTHORITY, BUYER, KEY, PROVIDER, RHO_MICRO, TOKEN, History, arbitrated, delivery, market
from .walk import LIVES, SECOND

AT = ev.Position(1, 0, bytes(32), 1)


def balance(account: Account) -> int:
    return account.paid_in_units.get(TOKEN, 0) - account.paid_out_units.get(TOKEN, 0)


@given(LIVES)
@settings(max_examples=40, deadline=None)
def test_money_is_conserved_to_the_unit_on_every_way_that_orders_take(history: History) -> None:
    account = history.account
    assert balance(account) == account.credit_units(TOKEN) + account.held_units(TOKEN) + account.unpaid_units(TOKEN)
    assert balance(account) == account.owed_units()[TOKEN]
    assert all(amount >= 0 for amount in account.credits.values())


@given(LIVES)
@settings(max_examples=40, deadline=None)
def test_budgets_and_open_orders_are_the_sums_over_orders(history: History) -> None:
    account = history.account
    used = dict.fromkeys(account.datasets, 0)
    exact = dict.fromkeys(account.datasets, 0)
    for view in account.offers.values():
        head = view.offer.head
        orders = [order for order in account.orders.values() if order.order.offer == view.offer.id]
        assert view.open == sum(order.state not in FINAL for order in orders)
        ended = [split(head, order.state, order.reason, order.ruling) for order in orders if order.state in FINAL]
        assert view.accrued_units == sum(parts.price_to_members_units for parts in ended)
        for member in view.offer.members:
            charged = sum(member.dataset not in order.released for order in orders) if head.stock == NOTHING else 0
            used[member.dataset] += member.rho_micro * charged
            exact[member.dataset] += charged if head.guarantee is Guarantee.EXACT else 0
    assert used == {dataset: view.used_micro for dataset, view in account.datasets.items()}
    assert exact == {dataset: view.exact_used for dataset, view in account.datasets.items()}
    assert all(0 <= view.used_micro <= view.total_micro for view in account.datasets.values())


@given(LIVES)
@settings(max_examples=40, deadline=None)
def test_what_members_cannot_withdraw_is_less_than_a_unit_for_each(history: History) -> None:
    for view in history.account.offers.values():
        owed = [view.owed_units(index) for index in range(len(view.offer.members))]
        assert all(amount >= 0 for amount in owed)
        assert 0 <= view.accrued_units - sum(view.withdrawn_units) - sum(owed) < len(owed)


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
    history, offer = arbitrated()
    order = history.place(offer)
    assert history.view(order).deadline_s == history.now_s + offer.head.deliver_window_s
    history.deliver(order)
    assert history.view(order).deadline_s == history.now_s + offer.head.accept_window_s
    history.accept(order)
    assert history.view(order).deadline_s == history.now_s + offer.head.reveal_window_s
    history.reveal(order)
    assert history.view(order).deadline_s == history.now_s + offer.head.challenge_window_s
    history.contest(order)
    assert history.view(order).deadline_s == history.now_s + offer.head.rule_window_s


def test_a_bond_is_held_while_the_order_is_open_and_comes_back() -> None:
    history, offer = market()
    order = history.place(offer)
    account = history.account
    assert account.held_units(TOKEN) == offer.head.price_units + offer.head.bond_units
    assert account.credits[TOKEN, PROVIDER] == offer.head.bond_units
    history.decline(order)
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
        ev.EpochOpened(AT, DatasetId(b"d" * 32), 2, 5, 5, bytes(32)),
        ev.StockOffered(AT, OfferId(b"o" * 32), OrderId(b"o" * 32)),
        ev.OfferRetired(AT, OfferId(b"o" * 32), PROVIDER),
        ev.OrderDelivered(AT, OrderId(b"o" * 32), bytes(32), delivery()),  # type: ignore[arg-type]
        ev.OrderAccepted(AT, OrderId(b"o" * 32)),
        ev.OrderRevealed(AT, OrderId(b"o" * 32), KEY),
        ev.OrderDeclined(AT, OrderId(b"o" * 32), DeclineReason.RULES),
        ev.OrderContested(AT, OrderId(b"o" * 32), bytes(32)),
        ev.OrderRuled(AT, OrderId(b"o" * 32), 5, 5),
        ev.OrderSettled(AT, OrderId(b"o" * 32), Reason.APPROVED),
        ev.OrderRefunded(AT, OrderId(b"o" * 32), Reason.DECLINED),
        ev.OrderForfeited(AT, OrderId(b"o" * 32), Reason.NOT_REVEALED),
        ev.RhoReleased(AT, OrderId(b"o" * 32), DatasetId(b"d" * 32), 5),
        ev.ExactReleased(AT, OrderId(b"o" * 32), DatasetId(b"d" * 32)),
        ev.PayoutWithdrawn(AT, OfferId(b"o" * 32), 0, PROVIDER, 5),
        ev.PermitExtended(AT, PermitId(b"p" * 32), 5, bytes(32)),
        ev.PermitRevoked(AT, PermitId(b"p" * 32), bytes(32)),
        ev.UserNamed(AT, OrderId(b"o" * 32), PROVIDER),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_about_something_unknown_is_corrupt(event: ev.Event) -> None:
    with pytest.raises(Corrupt, match=f"a {type(event).__name__} in block 1 is about something unknown"):
        fold([event])


def test_an_order_that_ends_as_none_can_a_payout_to_no_member_and_stock_of_no_order_are_corrupt() -> None:
    history, offer = market()
    order = history.place(offer)
    for event in (
        ev.OrderSettled(AT, order, Reason.DECLINED),
        ev.OrderSettled(AT, order, Reason.RULED),
        ev.PayoutWithdrawn(AT, offer.id, 1, PROVIDER, 5),
        ev.StockOffered(AT, offer.id, OrderId(b"o" * 32)),
    ):
        with pytest.raises(Corrupt, match="read again from the start"):
            fold([*history.events, event])


# ------------------------------------------------------------------------------------------------------------- contests


def contested() -> tuple[History, OrderId, int, int, int]:
    """A contested order, and its price, bond and deposit."""
    history, offer = arbitrated()
    order = history.reach(offer, OrderState.CONTESTED)
    head = offer.head
    return history, order, head.price_units, head.bond_units, head.contest_deposit_units


def test_contesting_takes_the_deposit_in_and_holds_all_three() -> None:
    history, order, price, bond, deposit = contested()
    account = history.account
    assert account.held_units(TOKEN) == price + bond + deposit
    assert account.paid_in_units[TOKEN] == price + 2 * bond + deposit
    assert history.view(order).grounds is not None


def test_a_ruling_divides_price_and_bond_rounding_for_the_buyer_and_pays_the_arbiter() -> None:
    history, order, price, bond, deposit = contested()
    history.rule(order, 3_333, 777)
    account, view = history.account, history.view(order)
    earned, freed = price * 3_333 // 10_000, bond * 777 // 10_000
    assert (view.state, view.reason, view.deadline_s) == (OrderState.SETTLED, Reason.RULED, 0)
    assert account.offers[view.order.offer].accrued_units == earned
    assert account.credits[TOKEN, BUYER] == price - earned + bond - freed
    assert account.credits[TOKEN, PROVIDER] == bond + freed
    assert account.credits[TOKEN, ARBITER] == deposit


def test_a_ruling_that_gives_the_providers_nothing_refunds() -> None:
    history, order, price, bond, _ = contested()
    history.rule(order, 0, 10_000)
    assert history.view(order).state is OrderState.REFUNDED
    assert history.account.credits[TOKEN, BUYER] == price
    assert history.account.credits[TOKEN, PROVIDER] == 2 * bond


def test_a_silent_arbiter_earns_nothing_and_the_deposit_goes_back() -> None:
    history, order, price, bond, deposit = contested()
    history.settle(order, Reason.NOT_RULED)
    account = history.account
    assert account.offers[history.view(order).order.offer].accrued_units == price
    assert account.credits == {(TOKEN, PROVIDER): 2 * bond, (TOKEN, BUYER): deposit}


def test_a_wrong_byte_of_a_contested_order_gives_the_deposit_back_too() -> None:
    history, order, price, bond, deposit = contested()
    history.forfeit(order, Reason.WRONG_BYTE)
    assert history.account.credits == {(TOKEN, PROVIDER): bond, (TOKEN, BUYER): price + bond + deposit}


# ------------------------------------------------------------------------------------------- what else orders can take


def test_a_pool_charges_every_member_and_owes_each_its_floored_share() -> None:
    history = History()
    datasets = [history.register(), history.register(provider=SECOND), history.register(provider=address(6))]
    offer = history.publish(*datasets, cost_units=1, margin_units=0, bond_units=0)
    history.settled(offer)
    account = history.account
    assert [account.datasets[dataset].used_micro for dataset in datasets] == [RHO_MICRO] * 3
    assert [account.offers[offer.id].owed_units(index) for index in range(3)] == [0, 0, 0]
    history.settled(offer)
    history.settled(offer)
    assert [history.account.offers[offer.id].owed_units(index) for index in range(3)] == [1, 0, 0]
    assert history.withdraw_payout(offer.id, 0) == 1
    assert history.account.offers[offer.id].withdrawn_units == (1, 0, 0)


def test_an_exact_order_takes_one_of_the_allowance_and_a_release_gives_it_back() -> None:
    history = History()
    dataset = history.register(exact_total=2)
    offer = history.publish(dataset, guarantee=Guarantee.EXACT, delta_atto=0, bond_units=0)
    order = history.place(offer)
    view = history.account.datasets[dataset]
    assert (view.used_micro, view.exact_used, view.exact_left) == (0, 1, 1)
    history.decline(order, DeclineReason.CAPACITY)
    history.release(order)
    assert history.account.datasets[dataset].exact_used == 0
    assert history.view(order).released == {dataset}
    assert history.view(order).declined is DeclineReason.CAPACITY


def test_stock_takes_nothing_and_names_its_origin() -> None:
    history, offer = market()
    order = history.settled(offer)
    stock = history.publish_stock(order, bond_units=0)
    before = history.account.datasets
    history.place(stock)
    assert history.account.datasets == before
    assert history.account.offers[stock.id].origin == order
    assert history.account.offers[offer.id].origin is None


def test_an_epoch_raises_the_total_and_begins_a_new_allowance() -> None:
    history, offer = market()
    dataset = offer.members[0].dataset
    history.place(history.publish(dataset, guarantee=Guarantee.EXACT, delta_atto=0, bond_units=0))
    history.open_epoch(dataset, 7_000_000, 3)
    view = history.account.datasets[dataset]
    assert (view.total_micro, view.exact_total, view.exact_used, view.exact_left) == (7_000_000, 4, 1, 3)
    assert [epoch.total_micro for epoch in view.epochs] == [10 * RHO_MICRO, 7_000_000]
    assert view.epochs[0].reason == NOTHING != view.epochs[1].reason


# ---------------------------------------------------------------------------------------------- permits and providers


def test_a_permit_is_live_from_its_first_to_its_last_second() -> None:
    history = History()
    permit = history.grant(b"s" * 32, from_s=100, to_s=200)
    view = history.account.permits[permit]
    assert [view.live(at_s) for at_s in (99, 100, 200, 201)] == [False, True, True, False]
    assert (view.authority, view.grant.holder) == (AUTHORITY, BUYER)


def test_an_extended_permit_ends_later_and_keeps_both_decisions() -> None:
    history = History()
    permit = history.grant(b"s" * 32, from_s=100, to_s=200)
    history.extend(permit, 300)
    view = history.account.permits[permit]
    assert view.extended
    assert [view.live(at_s) for at_s in (201, 300, 301)] == [True, True, False]
    assert len(set(view.documents)) == 2


def test_a_revoked_permit_ends_at_that_second_and_was_live_before() -> None:
    history = History()
    permit = history.grant(b"s" * 32)
    history.revoke(permit)
    view = history.account.permits[permit]
    assert view.revoked_at_s == history.now_s
    assert [view.live(at_s) for at_s in (history.now_s - 1, history.now_s, history.now_s + 1)] == [True, False, False]


def test_a_permit_covers_an_offer_by_name_or_by_every_one_of_its_datasets() -> None:
    history = History()
    datasets = [history.register(), history.register()]
    offer = history.publish(*datasets)
    subjects = [(offer.id,), tuple(datasets), (datasets[0],), (b"s" * 32,)]
    permits = [history.grant(*some) for some in subjects]
    assert [history.account.permits[permit].covers(offer) for permit in permits] == [True, True, False, False]


def test_a_permit_serves_its_holder_for_the_offers_authority_and_purposes() -> None:
    history = History()
    offer = history.publish(history.register(), authority=AUTHORITY, purposes=0b1010)
    for changes, serves in (
        ({}, True),
        ({"purpose": 1}, True),
        ({"purpose": 2}, False),
        ({"purpose": 255}, False),
        ({"holder": address(6)}, False),
        ({"authority": address(6)}, False),
    ):
        permit = history.grant(offer.id, **changes)
        assert history.account.permits[permit].serves(offer.head, BUYER) is serves, changes


def test_what_providers_say_is_kept_in_order_and_the_newest_counts() -> None:
    history = History()
    history.describe(PROVIDER, b"a" * 32, b"c" * 32)
    history.describe(PROVIDER, b"b" * 32, b"d" * 32)
    history.anchor(PROVIDER, 19_000, b"r" * 32)
    view = history.account.providers[PROVIDER]
    assert view.descriptor is not None
    assert view.descriptor.certificate == b"d" * 32
    assert [said.descriptor for said in view.descriptors] == [b"a" * 32, b"b" * 32]
    assert [(anchor.day, anchor.root) for anchor in view.anchors] == [(19_000, b"r" * 32)]
    history.describe(PROVIDER, NOTHING, NOTHING)
    assert history.account.providers[PROVIDER].descriptor is None


def test_a_user_of_a_licence_is_named_with_its_time() -> None:
    history, offer = market()
    order = history.settled(offer)
    history.name_user(order, address(6))
    (user,) = history.view(order).users
    assert (user.who, user.named_at_s) == (address(6), history.now_s)
