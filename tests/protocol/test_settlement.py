import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.settlement import Ruling, Split, owed_units, split
from marketplace.protocol.states import FINAL, REASONS, OrderState, Reason

from .examples import head

ENDS = sorted({(start, end, reason) for (start, end), reasons in REASONS.items() if end in FINAL for reason in reasons})
UNITS = st.integers(0, 2**127)
BPS = st.integers(0, 10_000)
DEPOSIT = 1_000_001


@given(st.sampled_from(ENDS), UNITS, UNITS, UNITS, UNITS, st.integers(0, 1_000), st.builds(Ruling, BPS, BPS))
def test_every_end_splits_price_bond_and_deposit_to_the_unit(
    end: tuple[OrderState, OrderState, Reason],
    cost: int,
    margin: int,
    bond: int,
    deposit: int,
    fee_bps: int,
    ruling: Ruling,
) -> None:
    start, state, reason = end
    amounts = {"cost_units": cost, "margin_units": margin, "bond_units": bond, "contest_deposit_units": deposit}
    terms = head(compute_fee_bps=fee_bps, **amounts)
    contested = start is OrderState.CONTESTED
    parts = split(terms, state, reason, ruling, contested=contested)
    assert all(part >= 0 for part in vars(parts).values())
    assert parts.price_to_buyer_units + parts.price_to_members_units == terms.price_units
    assert parts.bond_to_lead_units + parts.bond_to_buyer_units == terms.bond_units
    assert parts.deposit_to_buyer_units + parts.deposit_to_arbiter_units == (deposit if contested else 0)
    to_others = parts.price_to_members_units + parts.bond_to_lead_units + parts.deposit_to_arbiter_units
    assert parts.to_buyer_units + to_others == sum(vars(parts).values())


@pytest.mark.parametrize("state", list(OrderState))
@pytest.mark.parametrize("reason", list(Reason))
def test_whatever_is_no_end_has_no_split(state: OrderState, reason: Reason) -> None:
    if any((state, reason) == end[1:] for end in ENDS):
        assert isinstance(split(head(), state, reason, Ruling(5_000, 5_000)), Split)
    else:
        with pytest.raises(ValueError, match=f"no order ends as {state.name} for {reason.name}"):
            split(head(), state, reason, Ruling(5_000, 5_000))


@pytest.mark.parametrize("ruling", [None, Ruling(10_001, 0), Ruling(0, 10_001), Ruling(-1, 0), Ruling(0, -1)])
def test_a_ruled_order_needs_a_ruling_of_shares_up_to_the_whole(ruling: Ruling | None) -> None:
    for state in (OrderState.SETTLED, OrderState.REFUNDED):
        with pytest.raises(ValueError, match="without a ruling of shares"):
            split(head(), state, Reason.RULED, ruling)


def test_a_settled_price_goes_to_the_members_and_the_bond_back() -> None:
    for reason in (Reason.APPROVED, Reason.UNCHALLENGED):
        assert split(head(), OrderState.SETTLED, reason) == Split(0, 99_990_003, 5_000_000, 0)


def test_an_undelivered_order_costs_nobody_anything() -> None:
    for reason in (Reason.DECLINED, Reason.NOT_DELIVERED):
        assert split(head(), OrderState.REFUNDED, reason) == Split(99_990_003, 0, 5_000_000, 0)


def test_a_buyer_who_does_not_accept_or_whose_permit_was_revoked_loses_the_compute_fee_rounded_down() -> None:
    for reason in (Reason.REJECTED, Reason.NOT_ACCEPTED, Reason.PERMIT_REVOKED):
        assert split(head(), OrderState.REFUNDED, reason) == Split(89_991_003, 9_999_000, 5_000_000, 0)


def test_a_key_that_never_came_and_a_wrong_byte_give_price_and_bond_to_the_buyer() -> None:
    for reason in (Reason.NOT_REVEALED, Reason.WRONG_BYTE):
        assert split(head(), OrderState.FORFEITED, reason) == Split(99_990_003, 0, 0, 5_000_000)


def test_the_deposit_of_a_contest_goes_back_for_a_wrong_byte_and_where_nobody_ruled() -> None:
    terms = head(contest_deposit_units=DEPOSIT)
    wrong = split(terms, OrderState.FORFEITED, Reason.WRONG_BYTE, contested=True)
    assert wrong == Split(99_990_003, 0, 0, 5_000_000, DEPOSIT, 0)
    assert split(terms, OrderState.SETTLED, Reason.NOT_RULED) == Split(0, 99_990_003, 5_000_000, 0, DEPOSIT, 0)
    assert split(terms, OrderState.FORFEITED, Reason.WRONG_BYTE) == Split(99_990_003, 0, 0, 5_000_000)


def test_a_ruling_floors_the_providers_shares_and_earns_the_deposit() -> None:
    terms = head(contest_deposit_units=DEPOSIT)
    parts = split(terms, OrderState.SETTLED, Reason.RULED, Ruling(3_333, 9_999))
    assert parts == Split(66_663_336, 33_326_667, 4_999_500, 500, 0, DEPOSIT)
    nothing = split(terms, OrderState.REFUNDED, Reason.RULED, Ruling(0, 0))
    assert nothing == Split(99_990_003, 0, 0, 5_000_000, 0, DEPOSIT)


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=8),
    st.lists(st.integers(1, 100), min_size=1, max_size=16),
    st.randoms(use_true_random=False),
)
def test_members_who_withdraw_whenever_they_like_never_get_more_than_accrued(amounts, weights, random) -> None:  # type: ignore[no-untyped-def]
    shares = [weight * 10_000 // sum(weights) for weight in weights]
    shares[0] += 10_000 - sum(shares)
    accrued, withdrawn = 0, [0] * len(shares)
    for amount in amounts:
        accrued += amount
        for index, share in enumerate(shares):
            if random.random() < 0.5:
                owed = owed_units(accrued, share, withdrawn[index])
                assert owed >= 0
                withdrawn[index] += owed
        assert sum(withdrawn) <= accrued
    left = accrued - sum(withdrawn) - sum(owed_units(accrued, s, w) for s, w in zip(shares, withdrawn, strict=True))
    assert 0 <= left < len(shares)
