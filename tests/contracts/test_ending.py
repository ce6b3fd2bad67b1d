"""From Accepted to the end: reveal, settle, forfeit, release, withdrawals, the licence."""

import pytest

from marketplace.protocol.states import OrderState, Reason
from scripts.benchmarks.life import KEY, delivery
from scripts.benchmarks.market import DAY_S, EURO, HOUR_S

from .conftest import Stage

OTHER = b"\7" * 32


def test_a_revealed_key_is_told_and_opens_the_challenge_window(stage: Stage) -> None:
    life = stage.accepted()
    stage.travel(7)
    now_s = stage.market.evm.now_s
    (event,) = life.reveal().events
    assert event.name == "OrderRevealed"
    assert event.values == {"order": life.id, "key": KEY}
    assert life.standing == (OrderState.REVEALED, Reason.NONE, now_s + 3 * DAY_S, now_s, 0, 0, 0, life.digest)
    assert stage.standing == (True, False, 1, 0)


def test_only_the_lead_reveals(stage: Stage) -> None:
    life = stage.accepted()
    with stage.refused("NotTheLead", stage.provider, stage.stranger):
        life.reveal(stage.stranger)


def test_another_key_is_refused(stage: Stage) -> None:
    life = stage.accepted()
    with stage.refused("WrongKey", life.id, life.made.keyHash):
        life.reveal(key=OTHER)


def test_a_key_for_another_delivery_is_refused(stage: Stage) -> None:
    life = stage.accepted()
    for changes in ({"keyHash": OTHER}, {"commitmentRoot": OTHER}, {"count": 1}, {"manifest": OTHER}):
        other = delivery(**changes)
        digest = stage.rules.ask("deliveryHash", life.id, other)
        with stage.refused("WrongDelivery", life.id, life.digest, digest):
            life.reveal(made=other)


@pytest.mark.parametrize("left_s", [1, 0])
def test_the_key_is_in_time_until_the_last_second(stage: Stage, left_s: int) -> None:
    life = stage.accepted()
    stage.market.evm.travel(life.standing.deadline - left_s)
    with stage.refused("TooEarly", life.id, life.standing.deadline):
        life.forfeit()
    assert life.reveal().events


def test_the_key_is_late_a_second_later_and_price_and_bond_go_to_the_buyer(stage: Stage) -> None:
    life = stage.accepted()
    deadline_s = life.standing.deadline
    stage.market.evm.travel(deadline_s + 1)
    with stage.refused("TooLate", life.id, deadline_s):
        life.reveal()
    (event,) = life.forfeit().events
    assert (event.name, event.values) == ("OrderForfeited", {"order": life.id, "reason": Reason.NOT_REVEALED})
    assert life.standing == (OrderState.FORFEITED, Reason.NOT_REVEALED, 0, 0, 0, 0, 0, life.digest)
    assert stage.credits() == (9 * stage.bond, stage.price + stage.bond)
    assert stage.standing == (True, False, 0, 0)


def test_the_buyer_settles_at_once(stage: Stage) -> None:
    life = stage.revealed()
    (event,) = life.settle().events
    assert (event.name, event.values) == ("OrderSettled", {"order": life.id, "reason": Reason.APPROVED})
    assert life.standing[:3] == (OrderState.SETTLED, Reason.APPROVED, 0)
    assert stage.credits() == (10 * stage.bond, 0)
    assert stage.standing == (True, False, 0, stage.price)


@pytest.mark.parametrize("left_s", [1, 0])
def test_nobody_else_settles_within_the_window(stage: Stage, left_s: int) -> None:
    life = stage.revealed()
    deadline_s = life.standing.deadline
    stage.market.evm.travel(deadline_s - left_s)
    for account in (stage.provider, stage.stranger):
        with stage.refused("TooEarly", life.id, deadline_s):
            life.settle(account)


def test_anyone_settles_after_the_window(stage: Stage) -> None:
    life = stage.revealed()
    stage.market.evm.travel(life.standing.deadline + 1)
    (event,) = life.settle(stage.stranger).events
    assert event.values["reason"] == Reason.UNCHALLENGED
    assert stage.standing.accrued == stage.price


def test_the_buyer_approves_even_after_the_window(stage: Stage) -> None:
    life = stage.revealed()
    stage.market.evm.travel(life.standing.deadline + 1)
    life.settle()
    assert life.standing.reason == Reason.APPROVED


def test_a_declined_order_gives_its_rho_back_once(stage: Stage) -> None:
    life = stage.placed()
    life.decline()
    (event,) = life.release().events
    assert event.name == "RhoReleased"
    assert event.values == {"order": life.id, "dataset": stage.dataset, "rhoMicro": 100}
    assert stage.used == 0
    assert life.standing.released == 1
    with stage.refused("AlreadyReleased", life.id, 0):
        life.release()


def test_an_order_that_was_not_delivered_may_give_its_rho_back(stage: Stage) -> None:
    life = stage.placed()
    stage.travel(DAY_S + 1)
    life.refund()
    life.release()
    assert stage.used == 0


def test_only_the_datasets_provider_releases(stage: Stage) -> None:
    life = stage.placed()
    life.decline()
    with stage.refused("NotTheProvider", stage.dataset, stage.buyer):
        life.release(stage.buyer)


def test_only_a_member_is_released(stage: Stage) -> None:
    life = stage.placed()
    life.decline()
    with stage.refused("UnknownMember", stage.terms.offer, 1):
        life.release(stage.provider, index=1)


def test_an_order_that_is_open_keeps_its_rho(stage: Stage) -> None:
    for number, state in enumerate(("placed", "delivered", "accepted", "revealed"), 1):
        life = getattr(stage, state)(number)
        with stage.refused("NotReleasable", life.id, OrderState[state.upper()], Reason.NONE):
            life.release()


def test_an_order_whose_output_left_the_node_keeps_its_rho(stage: Stage) -> None:
    settled = stage.settled(1)
    rejected = stage.delivered(2)
    rejected.reject()
    forfeited, lapsed = stage.accepted(3), stage.delivered(4)
    stage.travel(3 * DAY_S)
    forfeited.forfeit()
    lapsed.refund()
    ended = (
        (settled, OrderState.SETTLED, Reason.APPROVED),
        (rejected, OrderState.REFUNDED, Reason.REJECTED),
        (forfeited, OrderState.FORFEITED, Reason.NOT_REVEALED),
        (lapsed, OrderState.REFUNDED, Reason.NOT_ACCEPTED),
    )
    for life, state, reason in ended:
        with stage.refused("NotReleasable", life.id, state, reason):
            life.release()
    assert stage.used == 400


def test_an_order_that_was_never_placed_releases_nothing(stage: Stage) -> None:
    life = stage.order()
    with stage.refused("NotReleasable", life.id, OrderState.ABSENT, Reason.NONE):
        life.release()


def test_a_payout_goes_to_its_provider_whoever_asks(stage: Stage) -> None:
    life = stage.settled()
    before = stage.market.euro.ask("balanceOf", stage.provider)
    (event,) = life.withdraw_payout(stage.stranger).events
    assert event.name == "PayoutWithdrawn"
    assert event.values == {
        "offer": stage.terms.offer,
        "member": 0,
        "provider": stage.provider,
        "amount": stage.price,
    }
    assert stage.market.euro.ask("balanceOf", stage.provider) == before + stage.price
    assert stage.rules.ask("getWithdrawn", stage.terms.offer, 0) == stage.price
    with stage.refused("NothingToWithdraw"):
        life.withdraw_payout()


def test_payouts_accrue_over_orders_and_fees(stage: Stage) -> None:
    stage.settled(1)
    stage.delivered(2).reject()
    life = stage.settled(3)
    life.withdraw_payout()
    assert stage.rules.ask("getWithdrawn", stage.terms.offer, 0) == 2 * stage.price + stage.fee


def test_what_was_paid_out_once_is_not_paid_out_again(stage: Stage) -> None:
    before = stage.market.euro.ask("balanceOf", stage.provider)
    for number in (1, 2, 3):
        life = stage.settled(number)
        assert life.withdraw_payout().events[0].values["amount"] == stage.price
        assert stage.rules.ask("getWithdrawn", stage.terms.offer, 0) == number * stage.price
        with stage.refused("NothingToWithdraw"):
            life.withdraw_payout()
    assert stage.market.euro.ask("balanceOf", stage.provider) == before + 3 * stage.price


def test_an_order_that_is_open_pays_nothing_out(stage: Stage) -> None:
    life = stage.revealed()
    with stage.refused("NothingToWithdraw"):
        life.withdraw_payout()


def test_a_payout_is_to_a_member_of_a_published_offer(stage: Stage) -> None:
    life = stage.settled()
    with stage.refused("UnknownMember", stage.terms.offer, 1):
        life.withdraw_payout(index=1)
    thief = stage.market.member(stage.dataset, provider=stage.stranger)
    life.terms = stage.market.terms(stage.head, [thief])
    with stage.refused("UnknownOffer", life.terms.offer):
        life.withdraw_payout()


def test_a_stake_is_credit(stage: Stage) -> None:
    (event,) = stage.rules.send(stage.stranger, "stake", stage.market.euro.address, 3).events
    token = stage.market.euro.address
    assert (event.name, event.values) == ("Staked", {"token": token, "account": stage.stranger, "amount": 3})
    assert stage.market.credit(stage.stranger) == 3


def test_a_stake_is_above_zero_and_below_two_to_the_128(stage: Stage) -> None:
    for amount in (0, 2**128):
        with stage.refused("OutOfRange", "amount", amount, 1, 2**128 - 1):
            stage.market.stake(amount)


def test_a_stake_in_a_token_without_code_is_refused(stage: Stage) -> None:
    with stage.refused("TokenWithoutCode", stage.stranger):
        stage.rules.send(stage.provider, "stake", stage.stranger, 1)


def test_credit_is_paid_to_whom_it_belongs(stage: Stage) -> None:
    stage.placed().decline()
    token, before = stage.market.euro.address, stage.market.euro.ask("balanceOf", stage.buyer)
    (event,) = stage.rules.send(stage.buyer, "withdrawCredit", token, stage.price - 1).events
    assert event.name == "CreditWithdrawn"
    assert event.values == {"token": token, "account": stage.buyer, "amount": stage.price - 1}
    assert stage.market.euro.ask("balanceOf", stage.buyer) == before + stage.price - 1
    assert stage.market.credit(stage.buyer) == 1


def test_more_than_ones_credit_is_refused(stage: Stage) -> None:
    token = stage.market.euro.address
    with stage.refused("InsufficientCredit", token, stage.buyer, 0, 1):
        stage.rules.send(stage.buyer, "withdrawCredit", token, 1)
    with stage.refused("InsufficientCredit", token, stage.provider, 10 * stage.bond, 10 * stage.bond + 1):
        stage.rules.send(stage.provider, "withdrawCredit", token, 10 * stage.bond + 1)


def test_a_bond_that_is_held_cannot_be_withdrawn(stage: Stage) -> None:
    stage.placed()
    token = stage.market.euro.address
    with stage.refused("InsufficientCredit", token, stage.provider, 9 * stage.bond, 10 * stage.bond):
        stage.rules.send(stage.provider, "withdrawCredit", token, 10 * stage.bond)


def test_nothing_is_not_withdrawn(stage: Stage) -> None:
    with stage.refused("NothingToWithdraw"):
        stage.rules.send(stage.provider, "withdrawCredit", stage.market.euro.address, 0)


def test_credit_in_one_token_is_none_in_another(stage: Stage) -> None:
    other = stage.market.evm.deploy(stage.market.euro.contract)
    with stage.refused("InsufficientCredit", other.address, stage.provider, 0, EURO):
        stage.rules.send(stage.provider, "withdrawCredit", other.address, EURO)


def test_the_licence_lives_from_the_reveal_to_the_end_of_its_term(stage: Stage) -> None:
    life = stage.accepted()
    stage.travel(HOUR_S)
    start_s = stage.market.evm.now_s
    end_s = start_s + stage.head.licenceSeconds
    assert not life.is_licensed(stage.buyer, start_s)
    life.reveal()
    for step in (None, life.settle):
        if step:
            step()
        times = (start_s - 1, start_s, end_s, end_s + 1, 2**256 - 1)
        assert [life.is_licensed(stage.buyer, time_s) for time_s in times] == [False, True, True, False, False]
        assert not life.is_licensed(stage.stranger, start_s)
        assert not life.is_licensed(stage.provider, start_s)


def test_there_is_no_licence_without_a_key(stage: Stage) -> None:
    lives = [stage.order(0), stage.placed(1), stage.delivered(2), stage.accepted(3)]
    declined, rejected, forfeited = stage.placed(4), stage.delivered(5), stage.accepted(6)
    declined.decline()
    rejected.reject()
    stage.travel(DAY_S)
    forfeited.forfeit()
    for life in (*lives, declined, rejected, forfeited):
        assert not life.is_licensed(stage.buyer, stage.market.evm.now_s)
        assert not life.is_licensed(stage.buyer, 0)


def test_a_licence_is_asked_of_the_orders_own_offer(stage: Stage) -> None:
    life = stage.settled()
    life.terms = stage.market.terms(stage.head._replace(licenceSeconds=10**9), stage.terms.members)
    for question in (lambda: life.is_licensed(stage.buyer, 0), life.show, lambda: life.name_user(stage.stranger)):
        with stage.refused("WrongOffer", stage.terms.offer, life.terms.offer):
            question()
