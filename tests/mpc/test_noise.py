"""What the sums cost, and that the noise which is drawn is the noise that is paid for."""

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from marketplace.errors import Invalid, Refused
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Count, Histogram
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_moments import Variance
from marketplace.protocol.analysis_noise import (
    NEGLIGIBLE_SIGMA2,
    Share,
    least_sigma2,
    reach,
    rho_micro_of_sum,
    share_of,
    shares,
)
from marketplace.protocol.schema import Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.noise import add
from node.noise.gaussian import rho_micro_of_gaussian
from node.noise.stream import NoiseStream
from tests.noise.goodness import fits

DRAWS = 20_000
COARSE = Schema((Number("x", Decimal(0), Decimal(100), Decimal(1), False),), None, 1)
ITERATED = Schema(
    tuple(Number(name, Decimal(0), Decimal(top), Decimal(1), False) for name, top in (("x", 100), ("y", 1), ("z", 9))),
    None,
    1,
)
FINE = Schema((Number("x", Decimal(0), Decimal(131_072), Decimal(1), False),), None, 1)


def specification() -> AnalysisSpecification:
    analyses = (Count(), Histogram("x", 50), Variance("x"))
    return AnalysisSpecification(b"\1" * 32, analyses, 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32)


def stream(party: int) -> NoiseStream:
    return NoiseStream(bytes([party]) * 32, b"a test of sums")


def exact_cost(squared: int, sigma2: float, honest: int, cells: int) -> float:
    """The theorem's own formula, in floating point."""
    tau = 10 * math.fsum(math.exp(-2 * math.pi**2 * sigma2 * k / (k + 1)) for k in range(1, honest))
    return 1e6 * (math.sqrt(squared / (honest * sigma2)) + tau * math.sqrt(cells)) ** 2 / 2


@given(st.integers(1, 10**9), st.fractions(0, 10**6), st.integers(1, 16), st.integers(1, 10**7))
def test_the_charge_is_never_below_the_theorems_and_hardly_above(
    squared: int, more: Fraction, honest: int, cells: int
) -> None:
    sigma2 = least_sigma2(cells) + more
    charged, exact = rho_micro_of_sum(squared, sigma2, honest, cells), exact_cost(squared, float(sigma2), honest, cells)
    assert charged >= exact * (1 - 1e-12)
    assert charged <= exact * (1 + 1e-6 if sigma2 >= NEGLIGIBLE_SIGMA2 else 1.07) + 2


@given(st.integers(1, 2**24))
def test_at_the_least_variance_the_sum_is_hardly_off_a_gaussian_and_below_it_has_no_price(cells: int) -> None:
    least = least_sigma2(cells)
    assert 1 <= least <= 2
    for honest in range(1, 17):
        tau = 10 * math.fsum(math.exp(-2 * math.pi**2 * float(least) * k / (k + 1)) for k in range(1, honest))
        assert tau * math.sqrt(cells) <= 2**-8
    with pytest.raises(ValueError, match="least variance"):
        rho_micro_of_sum(1, least - Fraction(1, 1000), 2, cells)


@given(st.integers(2, 60_000_000), st.integers(1, 48), st.integers(3, 16), st.integers(1, 10_000))
def test_a_statistic_never_costs_more_than_its_price_nor_is_much_left(
    price: int, rows: int, parties: int, bins: int
) -> None:
    (asked,) = AnalysisSpecification(
        b"\1" * 32, (Histogram("x", bins),), 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32
    ).asked(FINE)
    part = share_of(asked, price, rows, parties, 1)
    assert part.rho_micro <= price
    assert part.sigma2 == least_sigma2(part.cells) or part.rho_micro >= (
        price - 1 if part.sigma2 > NEGLIGIBLE_SIGMA2 else price * 0.93 - 2
    )


@given(st.integers(1, 10**9), st.fractions(2, 10**6))
def test_one_honest_party_costs_what_a_discrete_gaussian_costs(squared: int, sigma2: Fraction) -> None:
    assert rho_micro_of_sum(squared, sigma2, 1, 50) == rho_micro_of_gaussian(squared, sigma2)


def test_the_bound_on_the_distance_from_a_gaussian_holds() -> None:
    assert math.pi**2 > 14 * math.log(2)
    for honest in range(2, 16):
        for sigma2 in (1.0, 1.3, 2.0, 4.0, 4.07, 5.0, 100.0):
            tau = 10 * math.fsum(math.exp(-2 * math.pi**2 * sigma2 * k / (k + 1)) for k in range(1, honest))
            assert tau <= 10 * (honest - 1) / 2 ** math.floor(14 * sigma2)


def test_that_a_sum_of_discrete_gaussians_is_none_is_charged() -> None:
    squared, sigma2, honest = 10**20, Fraction(4), 15
    assert rho_micro_of_sum(squared, sigma2, honest, 2**24) > rho_micro_of_gaussian(squared, honest * sigma2)
    assert rho_micro_of_sum(squared, sigma2, honest, 2**24) > rho_micro_of_sum(squared, sigma2, honest, 1)


@pytest.mark.parametrize("wrong", [(0, 4, 1, 1), (1, Fraction(114, 100), 2, 1), (1, 4, 0, 1), (1, 4, 1, 0)])
def test_noise_too_small_for_the_theorem_has_no_price(wrong: tuple[int, Fraction, int, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        rho_micro_of_sum(wrong[0], Fraction(wrong[1]), wrong[2], wrong[3])


@given(st.integers(1_000, 2_000_000), st.integers(1, 48), st.integers(3, 16))
def test_an_order_never_costs_more_than_its_rho_nor_much_less(rho_micro: int, rows: int, parties: int) -> None:
    (parts,) = shares(specification().schedule(COARSE), rho_micro, rows, parties, 1)
    spent = sum(part.rho_micro for part in parts)
    assert spent <= rho_micro
    assert all(part.sigma2 <= 4 or part.rho_micro >= rho_micro // len(parts) - 1 for part in parts)


@given(st.integers(10_000, 50_000_000), st.integers(1, 48), st.integers(2, 25))
def test_every_iterate_is_charged_by_its_weight(rho_micro: int, rows: int, rounds: int) -> None:
    asked = CoxRegression("x", "y", "1", (Decimal(10), Decimal(50)), ("z",), rounds, 12, 2)
    whole = replace(specification(), analyses=(asked, Count()))
    schedule = whole.schedule(ITERATED)
    parts = shares(schedule, rho_micro, rows, 3, 1)
    assert len(parts) == rounds and all(part.name == "0/risk" for part, *_ in parts)
    weights = sum(one.of.weight for asked in schedule for one in asked)
    assert weights == (rounds - 1) + 4 + 4
    assert sum(part.rho_micro for round_ in parts for part in round_) <= rho_micro
    assert all(round_[0].rho_micro >= rho_micro // weights - 1 or round_[0].sigma2 <= 4 for round_ in parts)
    assert parts[-1][0].rho_micro >= 4 * (rho_micro // weights) - 1 or parts[-1][0].sigma2 <= 4


def test_a_person_at_every_party_and_every_dishonest_party_makes_the_noise_larger() -> None:
    schedule = specification().schedule(COARSE)
    alone = shares(schedule, 30_000, 1, 5, 1)[0][0].sigma2
    assert shares(schedule, 30_000, 5, 5, 1)[0][0].sigma2 == 25 * alone
    assert shares(schedule, 30_000, 1, 5, 2)[0][0].sigma2 == alone * Fraction(4, 3)


def test_too_little_rho_too_fine_a_column_and_too_few_parties_are_refused() -> None:
    with pytest.raises(Invalid, match="more rho"):
        shares(specification().schedule(COARSE), 5, 1, 3, 1)
    with pytest.raises(Invalid, match="coarser column"):
        shares(specification().schedule(FINE), 100, 1000, 3, 1)
    with pytest.raises(Refused):
        shares(specification().schedule(COARSE), 30_000, 1, 2, 1)


def convolved(sigma2: float, times: int) -> dict[int, float]:
    """The probabilities of the sum of `times` discrete Gaussians."""
    width = int(14 * math.sqrt(sigma2)) + 14
    one = np.exp(-(np.arange(-width, width + 1) ** 2) / (2 * sigma2))
    one /= one.sum()
    total = one
    for _ in range(times - 1):
        total = np.convolve(total, one)
    return dict(zip(range(-(len(total) // 2), len(total) // 2 + 1), total.tolist(), strict=True))


def drawn(sigma2: Fraction, parties: int) -> np.ndarray:
    """The noise in the sum of `parties`, each of which has its own key."""
    part = Share("x", DRAWS, 1, parties, sigma2)
    zeros = {"x": np.zeros(DRAWS, np.int64)}
    return sum(add(zeros, [part], stream(party))["x"] for party in range(parties))  # type: ignore[return-value]


def test_what_honest_parties_add_is_what_they_are_charged_for() -> None:
    part = shares([specification().asked(COARSE)[:1]], 30_560, 1, 3, 1)[0][0]
    assert fits(drawn(part.sigma2, part.honest), convolved(float(part.sigma2), part.honest))


@pytest.mark.parametrize("share", [Fraction(1, 2), Fraction(9, 10)])
def test_the_same_draws_reject_noise_that_is_a_half_or_a_tenth_smaller(share: Fraction) -> None:
    part = shares([specification().asked(COARSE)[:1]], 3_056, 1, 3, 1)[0][0]
    assert not fits(drawn(part.sigma2 * share, part.honest), convolved(float(part.sigma2), part.honest))


def test_the_same_draws_reject_noise_of_one_party_too_few() -> None:
    part = shares([specification().asked(COARSE)[:1]], 3_056, 1, 3, 1)[0][0]
    assert not fits(drawn(part.sigma2, part.honest - 1), convolved(float(part.sigma2), part.honest))


@pytest.mark.parametrize("squared", [1, 9])
@pytest.mark.parametrize("honest", [2, 3, 15])
@pytest.mark.parametrize("sigma2", [least_sigma2(1), Fraction(4)])
def test_on_two_neighbours_the_sums_exact_divergence_stays_below_the_charge(
    sigma2: Fraction, honest: int, squared: int
) -> None:
    weights = convolved(float(sigma2), honest)
    shift, sure = math.isqrt(squared), max(x for x in weights if weights[x] > 1e-200) // 2
    rho = rho_micro_of_sum(squared, sigma2, honest, 1) / 1e6
    for alpha in (1.5, 2, 8, 32):
        terms = [
            alpha * math.log(weights[x]) + (1 - alpha) * math.log(weights[x + shift])
            for x in range(-sure, sure - shift + 1)
        ]
        assert float(logsumexp(terms)) / (alpha - 1) <= alpha * rho + 1e-9


def test_stages_are_drawn_once_and_differ_by_round_and_statistic() -> None:
    zeros = {"0/a": np.zeros(50, np.int64), "0/b": np.zeros(50, np.int64)}
    parts = [Share(name, 50, 1, 2, Fraction(100)) for name in zeros]
    noise = stream(1)
    first, second = add(zeros, parts, noise), add(zeros, parts, noise, 1)
    values = [*first.values(), *second.values()]
    assert len({value.tobytes() for value in values}) == 4
    with pytest.raises(ValueError, match="once"):
        add(zeros, parts, noise)


@pytest.mark.parametrize("sigma2", [1, 4, 1000])
@pytest.mark.parametrize("parties", [3, 16])
def test_noise_beyond_its_reach_is_as_rare_as_stated(sigma2: int, parties: int) -> None:
    beyond = reach(Fraction(sigma2), parties, 1000)
    assert math.log2(2 * 1000) - beyond**2 / (2 * parties * sigma2) / math.log(2) <= -60
    assert beyond < 13 * math.sqrt(parties * sigma2)
    assert np.abs(drawn(Fraction(sigma2), 3)).max() <= beyond
