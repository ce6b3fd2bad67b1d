import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.settlement import Split, owed_units, split
from marketplace.protocol.states import FINAL, REASONS, OrderState, Reason

from .examples import head

NOT_SERVED_YET = {Reason.PERMIT_REVOKED, Reason.RULED, Reason.NOT_RULED}
ENDS = sorted(
    {(end, reason) for (_, end), reasons in REASONS.items() if end in FINAL for reason in reasons - NOT_SERVED_YET}
)
UNITS = st.integers(0, 2**127)


def test_the_ends_are_all_there() -> None:
    assert {reason for _, reason in ENDS} == set(Reason) - NOT_SERVED_YET - {Reason.NONE}


@given(st.sampled_from(ENDS), UNITS, UNITS, UNITS, st.integers(0, 1_000))
def test_every_end_splits_price_and_bond_to_the_unit(
    end: tuple[OrderState, Reason], cost: int, margin: int, bond: int, fee_bps: int
) -> None:
    terms = head(cost_units=cost, margin_units=margin, bond_units=bond, compute_fee_bps=fee_bps)
    parts = split(terms, *end)
    assert all(part >= 0 for part in vars(parts).values())
    assert parts.price_to_buyer_units + parts.price_to_members_units == terms.price_units
    assert parts.bond_to_lead_units + parts.bond_to_buyer_units == terms.bond_units


@pytest.mark.parametrize("state", list(OrderState))
@pytest.mark.parametrize("reason", list(Reason))
def test_whatever_is_no_end_has_no_split(state: OrderState, reason: Reason) -> None:
    if (state, reason) in ENDS:
        assert isinstance(split(head(), state, reason), Split)
    else:
        with pytest.raises(ValueError, match=f"no order ends as {state.name} for {reason.name}"):
            split(head(), state, reason)


def test_a_settled_price_goes_to_the_members_and_the_bond_back() -> None:
    for reason in (Reason.APPROVED, Reason.UNCHALLENGED):
        assert split(head(), OrderState.SETTLED, reason) == Split(0, 99_990_003, 5_000_000, 0)


def test_an_undelivered_order_costs_nobody_anything() -> None:
    for reason in (Reason.DECLINED, Reason.NOT_DELIVERED):
        assert split(head(), OrderState.REFUNDED, reason) == Split(99_990_003, 0, 5_000_000, 0)


def test_a_buyer_who_does_not_accept_loses_the_compute_fee_rounded_down() -> None:
    for reason in (Reason.REJECTED, Reason.NOT_ACCEPTED):
        assert split(head(), OrderState.REFUNDED, reason) == Split(89_991_003, 9_999_000, 5_000_000, 0)


def test_a_key_that_never_came_and_a_wrong_byte_give_price_and_bond_to_the_buyer() -> None:
    for reason in (Reason.NOT_REVEALED, Reason.WRONG_BYTE):
        assert split(head(), OrderState.FORFEITED, reason) == Split(99_990_003, 0, 0, 5_000_000)


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
