from hypothesis import given, settings

from marketplace.protocol.record import Record, record_of, records
from marketplace.protocol.settlement import Ruling
from marketplace.protocol.states import DeclineReason, OrderState, Reason

from .examples import address
from .history import PROVIDER, History, arbitrated, market, permitted
from .walk import LIVES, SECOND


def test_nobody_has_a_record_of_zeros() -> None:
    assert record_of(History().account, PROVIDER) == Record(PROVIDER)
    history, _ = market()
    assert records(history.account) == {PROVIDER: Record(PROVIDER)}


def test_every_end_is_counted_by_its_reason() -> None:
    history, offer = arbitrated(bond_units=0)
    history.settled(offer)
    history.decline(history.place(offer), DeclineReason.BUDGET)
    history.decline(history.place(offer), DeclineReason.BUDGET)
    history.decline(history.place(offer), DeclineReason.RULES)
    history.refund(history.place(offer), Reason.NOT_DELIVERED)
    history.refund(history.reach(offer, OrderState.DELIVERED), Reason.REJECTED)
    history.forfeit(history.reach(offer, OrderState.ACCEPTED))
    history.forfeit(history.reach(offer, OrderState.REVEALED), Reason.WRONG_BYTE)
    first, second = (history.reach(offer, OrderState.CONTESTED) for _ in range(2))
    history.rule(second, 0, 5)
    history.rule(first, 3_000, 7)
    history.place(offer)
    found = record_of(history.account, PROVIDER)
    assert (found.orders, found.open, found.delivered, found.contested) == (11, 1, 6, 2)
    assert (found.late, found.forfeited, found.wrong_bytes) == (1, 1, 1)
    assert found.ends == {
        Reason.APPROVED: 1,
        Reason.DECLINED: 3,
        Reason.NOT_DELIVERED: 1,
        Reason.REJECTED: 1,
        Reason.NOT_REVEALED: 1,
        Reason.WRONG_BYTE: 1,
        Reason.RULED: 2,
    }
    assert found.declined == {DeclineReason.BUDGET: 2, DeclineReason.RULES: 1}
    assert found.rulings == (Ruling(0, 5), Ruling(3_000, 7))


def test_who_joins_a_pool_has_no_part_in_what_its_lead_did() -> None:
    history = History()
    offer = history.publish(history.register(), history.register(provider=SECOND), bond_units=0)
    history.refund(history.place(offer), Reason.NOT_DELIVERED)
    lead, member = record_of(history.account, PROVIDER), record_of(history.account, SECOND)
    assert (lead.orders, lead.late, lead.joined) == (1, 1, 0)
    assert (member.orders, member.late, member.joined) == (0, 0, 1)


def test_permit_holders_are_counted_once_and_only_those_who_used_a_permit() -> None:
    history, offer, permit = permitted(bond_units=0)
    plain = history.publish(history.register(), bond_units=0)
    for buyer in (address(2), address(2), address(3)):
        history.place(offer, buyer, permit=permit)
    history.place(plain, address(4))
    assert record_of(history.account, PROVIDER).permit_holders == 2


@given(LIVES)
@settings(max_examples=20, deadline=None)
def test_every_order_is_in_the_record_of_its_lead_and_either_open_or_ended(history: History) -> None:
    account = history.account
    found = records(account)
    assert sum(record.orders for record in found.values()) == len(account.orders)
    for provider, record in found.items():
        assert record.provider == provider
        assert record.orders == record.open + sum(record.ends.values())
        assert sum(record.declined.values()) == record.ends.get(Reason.DECLINED, 0)
        assert len(record.rulings) == record.ends.get(Reason.RULED, 0)
