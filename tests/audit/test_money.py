from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.audit.evidence import Evidence
from marketplace.audit.money import shared
from marketplace.protocol import events as ev
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import OrderState, Reason

from ..protocol.examples import address
from ..protocol.history import BUYER, PROVIDER, TOKEN, History, arbitrated, market, permitted
from ..protocol.walk import LIVES
from .examples import check, failing, truthful


def test_the_sums_are_in_the_evidence() -> None:
    history, offer = market()
    history.settled(offer)
    paid = offer.head.price_units + 2 * offer.head.bond_units
    evidence = truthful(history)
    assert check(1, evidence).evidence == f"{paid:,} units of 0x00000000"
    assert check(2, evidence).evidence == f"{paid:,} units of 0x00000000"
    assert check(7, evidence).evidence == "1 order paid for, 0 payouts"


def test_an_order_that_is_paid_out_twice_makes_money_and_fails() -> None:
    history, offer = market()
    order = history.settled(offer)
    history.settle(order)
    assert not check(1, truthful(history)).passed


def test_a_credit_below_zero_fails_and_names_whose() -> None:
    history, _ = market()
    history.withdraw_credit(BUYER, 5)
    found = check(1, truthful(history))
    assert found.passed is False
    assert f"the credit of {BUYER[:10]} in {TOKEN[:10]} was below zero" in found.evidence


@given(LIVES, st.sampled_from([1, 10**6]))
@settings(max_examples=20, deadline=None)
def test_one_unit_too_few_in_the_contract_fails_and_any_surplus_is_named(history: History, units: int) -> None:
    evidence = truthful(history)
    held = evidence.answers.balances[TOKEN]
    short_of = replace(evidence, answers=replace(evidence.answers, balances={TOKEN: held - units}))
    assert failing(short_of) == {2}
    assert f"{held:,} units of {TOKEN[:10]} are owed and {held - units:,} are there" in check(2, short_of).evidence
    more = replace(evidence, answers=replace(evidence.answers, balances={TOKEN: held + units}))
    assert failing(more) == set()
    assert f"and {units:,} that nobody is owed" in check(2, more).evidence


def test_a_token_that_does_not_answer_fails_if_anything_is_owed_in_it() -> None:
    history, _ = market()
    evidence = truthful(history)
    silent = replace(evidence, answers=replace(evidence.answers, balances={TOKEN: None}))
    assert failing(silent) == {2}
    assert "the token does not say what is there" in check(2, silent).evidence


def test_a_token_in_which_nothing_moved_is_nobodys_business() -> None:
    history = History()
    history.publish(history.register())
    evidence = truthful(history)
    assert failing(replace(evidence, answers=replace(evidence.answers, balances={}))) == set()


def test_a_payment_without_a_delivery_fails_and_names_the_order() -> None:
    history, offer = market()
    order = history.place(offer)
    history.settle(order)
    found = check(7, truthful(history))
    assert found.passed is False
    assert f"order 0x{order.hex()[:8]} was paid for without a delivery" in found.evidence


def test_an_order_with_a_wrong_byte_earns_nothing() -> None:
    history, offer = market()
    order = history.place(offer)
    history.deliver(order)
    history.accept(order)
    history.reveal(order)
    history.forfeit(order, Reason.WRONG_BYTE)
    evidence = truthful(history)
    assert failing(evidence) == set()
    assert check(7, evidence).evidence == "0 orders paid for, 0 payouts"
    paid = replace(evidence.answers.offers[offer.id], accrued_units=offer.head.price_units)
    lying = replace(evidence, answers=replace(evidence.answers, offers={offer.id: paid}))
    assert 7 in failing(lying)


def test_a_compute_fee_without_a_delivery_fails() -> None:
    history, offer = market()
    history.refund(history.place(offer), Reason.REJECTED)
    assert "without a delivery" in check(7, truthful(history)).evidence


def told(evidence: Evidence, more_units: int) -> Evidence:
    """The same where the contract says that every offer has earned more."""
    offers = {
        offer: replace(answer, accrued_units=answer.accrued_units + more_units)
        for offer, answer in evidence.answers.offers.items()
    }
    return replace(evidence, answers=replace(evidence.answers, offers=offers))


@pytest.mark.parametrize("reason", [Reason.REJECTED, Reason.NOT_ACCEPTED])
def test_a_compute_fee_that_is_off_by_a_unit_fails(reason: Reason) -> None:
    history, offer = market()
    order = history.place(offer)
    history.deliver(order)
    if reason is Reason.NOT_ACCEPTED:
        history.wait(offer.head.accept_window_s + 1)
    history.refund(order, reason)
    evidence = truthful(history)
    assert failing(evidence) == set()
    assert failing(told(evidence, 1)) == {3, 7}
    assert f"has earned {offer.head.compute_fee_units:,} units" in check(7, told(evidence, 1)).evidence


def test_a_payout_beyond_what_was_earned_by_then_fails_even_if_it_is_earned_later() -> None:
    history, offer = market()
    history.record(ev.PayoutWithdrawn, offer.id, 0, PROVIDER, 5)
    history.settled(offer)
    found = check(7, truthful(history))
    assert found.passed is False
    assert "member 0 of offer" in found.evidence
    assert "withdrew more than it had earned" in found.evidence


def test_a_payout_of_a_part_fails() -> None:
    history, offer = market()
    history.settled(offer)
    history.record(ev.PayoutWithdrawn, offer.id, 0, PROVIDER, offer.head.price_units - 1)
    assert failing(truthful(history)) == {7}
    assert "withdrew less than it had earned" in check(7, truthful(history)).evidence


def test_a_payout_twice_fails() -> None:
    history, offer = market()
    history.settled(offer)
    amount = history.withdraw_payout(offer.id)
    assert failing(truthful(history)) == set()
    history.record(ev.PayoutWithdrawn, offer.id, 0, PROVIDER, amount)
    assert 7 in failing(truthful(history))


def test_a_payout_to_somebody_else_fails() -> None:
    history, offer = market()
    history.settled(offer)
    history.record(ev.PayoutWithdrawn, offer.id, 0, address(5), 5)
    found = check(7, truthful(history))
    assert found.passed is False
    assert "went to another than its member 0" in found.evidence


def test_a_check_names_a_few_offenders_and_how_many_more() -> None:
    history, _ = market()
    for number in range(10, 15):
        history.withdraw_credit(address(number), 1)
    found = check(1, truthful(history))
    assert found.evidence.count("was below zero") == 3
    assert found.evidence.endswith("; and 2 more")


def test_a_credit_that_was_below_zero_for_a_moment_fails_even_if_it_comes_up_again() -> None:
    history, offer = market()
    history.withdraw_credit(PROVIDER, 2 * offer.head.bond_units + 1)
    history.stake(1)
    assert failing(truthful(history)) == {1}


def test_a_bond_that_nobody_staked_fails() -> None:
    history = History()
    offer = history.publish(history.register())
    history.stake(offer.head.bond_units - 1)
    history.place(offer)
    assert failing(truthful(history)) == {1}
    assert f"the credit of {PROVIDER[:10]} in {TOKEN[:10]} was below zero" in check(1, truthful(history)).evidence


@pytest.mark.parametrize("price_bps", [10_000, 3_333, 0])
def test_a_ruled_share_is_earned_to_the_unit(price_bps: int) -> None:
    history, offer = arbitrated()
    order = history.reach(offer, OrderState.CONTESTED)
    history.rule(order, price_bps, 500)
    evidence = truthful(history)
    assert failing(evidence) == set()
    assert evidence.account.offers[offer.id].accrued_units == offer.head.price_units * price_bps // 10_000
    assert failing(told(evidence, 1)) >= {3, 7}


def test_a_deposit_that_is_not_there_fails() -> None:
    history, offer = arbitrated()
    history.reach(offer, OrderState.CONTESTED)
    evidence = truthful(history)
    held = evidence.answers.balances[TOKEN] or 0
    assert held == offer.head.price_units + 2 * offer.head.bond_units + offer.head.contest_deposit_units
    without = {TOKEN: held - offer.head.contest_deposit_units}
    assert failing(replace(evidence, answers=replace(evidence.answers, balances=without))) == {2}


def test_a_compute_fee_is_earned_where_the_permit_was_revoked() -> None:
    history, offer, permit = permitted()
    order = history.reach(offer, OrderState.ACCEPTED, permit=permit)
    history.revoke(permit)
    history.refund(order, Reason.PERMIT_REVOKED)
    evidence = truthful(history)
    assert failing(evidence) == set()
    assert check(7, evidence).evidence == "1 order paid for, 0 payouts"


# ------------------------------------------------------------------------------------------------ 22: payouts of pools


def pool(members: int, price_units: int) -> tuple[History, Offer]:
    """A settled order of a pool."""
    history = History()
    datasets = [history.register(provider=address(10 + number)) for number in range(members)]
    offer = history.publish(*datasets, cost_units=price_units, margin_units=0, bond_units=0)
    history.settled(offer)
    return history, offer


@given(st.integers(1, 16), st.integers(1, 10_000), st.sets(st.integers(0, 15)))
@settings(max_examples=20, deadline=None)
def test_a_pool_leaves_less_than_a_unit_for_each_member(members: int, price_units: int, who: set[int]) -> None:
    history, offer = pool(members, price_units)
    for index in who:
        if index < members and history.account.offers[offer.id].owed_units(index):
            history.withdraw_payout(offer.id, index)
    assert failing(truthful(history)) == set()


def test_what_nobody_can_withdraw_is_in_the_evidence() -> None:
    history, _ = pool(3, 5)
    assert check(22, truthful(history)).evidence == "1 offer, 2 units that nobody can withdraw"


@pytest.mark.parametrize("withdrawn", [-3, 3])
def test_withdrawals_that_leave_too_much_or_too_little_fail(withdrawn: int) -> None:
    history, offer = pool(3, 9)
    evidence = truthful(history)
    shares = replace(offer, members=tuple(replace(member, share_bps=3_333 + withdrawn) for member in offer.members))
    view = replace(evidence.account.offers[offer.id], offer=shares, accrued_units=90_000)
    account = replace(evidence.account, offers={offer.id: view})
    accrued = replace(evidence.answers.offers[offer.id], accrued_units=90_000)
    found = shared(replace(evidence, account=account, answers=replace(evidence.answers, offers={offer.id: accrued})))
    assert found.passed is False
    assert "units for its 3 members" in found.evidence
