from hypothesis import given
from hypothesis import strategies as st

from marketplace.protocol.identity import DatasetId, OfferId
from marketplace.protocol.offer import Member, Offer
from marketplace.protocol.rho import epsilon_of

from .examples import address, head


def test_the_price_is_cost_and_margin() -> None:
    assert head().price_units == 99_990_003


@given(st.integers(0, 2**128), st.integers(0, 1_000))
def test_the_compute_fee_is_at_most_its_part_of_the_price(price: int, bps: int) -> None:
    fee = head(cost_units=price, margin_units=0, compute_fee_bps=bps).compute_fee_units
    assert 0 <= price * bps - fee * 10_000 < 10_000


def test_the_epsilon_of_each_member_follows_from_its_rho_and_the_delta() -> None:
    members = tuple(Member(DatasetId(bytes([i]) * 32), address(i), 5_000, 10_000 * i) for i in (1, 2))
    offer = Offer(OfferId(bytes(32)), head(), members)
    assert [offer.epsilon(index) for index in (0, 1)] == [epsilon_of(10_000, 6e-6), epsilon_of(20_000, 6e-6)]
