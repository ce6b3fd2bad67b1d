"""How much noise each party of a joint analysis adds, and what that costs: the honest parties' parts alone reach the promise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from marketplace.errors import Invalid
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_parties import check_parties
from marketplace.protocol.analysis_statistic import LARGEST_NOISE, LARGEST_PARTIES, Variances
from marketplace.protocol.rho import MICRO

NEGLIGIBLE_SIGMA2 = 4
DISTANCE_BITS = 8
LARGEST_SIGMA2 = 2**60
TAIL_BITS = 60
MOST_BITS = 2_000
_ROOT_DIGITS, _STEPS = 10**12, 2**20


@dataclass(frozen=True)
class Share:
    """The noise that each party adds to one statistic, discrete Gaussian of variance `sigma2` in each cell, and its price.

    `honest`: how many parties the promise counts on. `sensitivity_squared`: of the sums, for one privacy unit.
    """

    name: str
    cells: int
    sensitivity_squared: int
    honest: int
    sigma2: Fraction

    @property
    def rho_micro(self) -> int:
        """What opening the sums costs, in micro-rho, rounded up."""
        return rho_micro_of_sum(self.sensitivity_squared, self.sigma2, self.honest, self.cells)


def least_sigma2(cells: int) -> Fraction:
    """The least variance of a party's noise in each of so many `cells` (>= 1): 1, or where tau sqrt(cells) stays below 2^-8,
    tau being that of `rho_micro_of_sum` for as many parties as there may be. Below 2 for up to 2^23 cells."""
    distance = math.ceil(10 * (LARGEST_PARTIES - 1) * _root_above(Fraction(cells)))
    return max(Fraction(1), Fraction(DISTANCE_BITS + distance.bit_length(), 14))


def rho_micro_of_sum(sensitivity_squared: int, sigma2: Fraction, honest: int, cells: int) -> int:
    """The zCDP cost of integers with the sum of `honest` independent discrete Gaussians in each cell, rounded up.

    rho = (D / (sqrt(n) sigma) + tau sqrt(d))^2 / 2, with D^2 = `sensitivity_squared`, n = `honest`, d = `cells` and
    tau = 10 sum_{k=1}^{n-1} exp(-2 pi^2 sigma^2 k / (k + 1)): the sum is not itself a discrete Gaussian, and tau is how far
    it may be from one. Since k / (k + 1) >= 1/2 and pi^2 > 14 ln 2, tau <= 10 (n - 1) 2^-(14 sigma^2), which is used.
    `sigma2` >= `least_sigma2(cells)`, of each party's part; what dishonest parties add counts for nothing. Raises `ValueError`
    otherwise.
    Source: Kairouz, Liu and Steinke 2021 (arXiv 2102.06387), Theorem 1 and Proposition 14, which ask for sigma^2 >= 1/4.
    """
    if sensitivity_squared <= 0 or honest < 1 or cells < 1 or sigma2 < least_sigma2(cells):
        raise ValueError("expected a sensitivity above 0, at least one party and cell, and the least variance for them")
    root = _root_above(Fraction(sensitivity_squared) / (honest * sigma2)) + _distance(sigma2, honest, cells)
    exact = Fraction(sensitivity_squared) / (2 * honest * sigma2)
    return math.ceil(MICRO * (exact if honest == 1 else root * root / 2))


def shares(
    schedule: Sequence[Sequence[Asked]], rho_micro: int, rows_in_pool: int, parties: int, threshold: int
) -> tuple[tuple[Share, ...], ...]:
    """How the rho of an order is spent, for each round: by their weights over all statistics of all rounds, with the least
    noise that each pays for.

    `rows_in_pool`: the most rows of one privacy unit in the sums. Every opened number is charged. Raises `Invalid` where the
    rho is too small for noise that 64 bits hold, or for one micro-rho each.
    """
    check_parties(parties, threshold)
    weights = [one.of.weight for asked in schedule for one in asked]
    price = rho_micro // max(1, sum(weights))
    if price * min(weights) < 2:
        raise Invalid(
            f"expected at least 2 micro-rho for each of {len(weights)} statistics; offer more rho or ask for less"
        )
    return tuple(
        tuple(share_of(one, price * one.of.weight, rows_in_pool, parties, threshold) for one in asked)
        for asked in schedule
    )


def variances(parts: Sequence[Sequence[Share]], parties: int) -> tuple[Variances, ...]:
    """The variance of the noise in the sums, for each round and name: where all `parties` add theirs, dishonest ones too."""
    return tuple({part.name: float(parties * part.sigma2) for part in round_} for round_ in parts)


def share_of(one: Asked, price_micro: int, rows_in_pool: int, parties: int, threshold: int) -> Share:
    """The least noise that costs at most `price_micro` (>= 2) for this statistic. Arguments and what it raises: `shares`."""
    squared, honest = one.of.sensitivity_squared(rows_in_pool), parties - threshold
    sigma2 = _least_paid(squared, honest, one.of.cells, price_micro)
    if sigma2 > LARGEST_SIGMA2 or reach(sigma2, parties, one.of.cells) > LARGEST_NOISE:
        raise Invalid(f"statistic {one.name!r}: expected noise that sums can hold; offer more rho or a coarser column")
    return Share(one.name, one.of.cells, squared, honest, sigma2)


def _least_paid(squared: int, honest: int, cells: int, price_micro: int) -> Fraction:
    """The variance of a party's noise whose price is at most `price_micro` and hardly less. Where how far the sum is from a
    discrete Gaussian takes a part of the price worth naming, that part is set aside as it is at a smaller variance."""
    sigma2 = Fraction(squared) * MICRO / (2 * honest * (price_micro - 1))
    if sigma2 >= NEGLIGIBLE_SIGMA2:
        return sigma2
    sigma2 = max(sigma2, least_sigma2(cells))
    root = 1 / _root_above(Fraction(MICRO, 2 * (price_micro - 1))) - _distance(sigma2, honest, cells)
    paid = Fraction(math.ceil(squared / (honest * root * root) * _STEPS), _STEPS)
    return min(Fraction(NEGLIGIBLE_SIGMA2), max(sigma2, paid))


def _distance(sigma2: Fraction, honest: int, cells: int) -> Fraction:
    """At least tau sqrt(cells) of `rho_micro_of_sum`."""
    tau = Fraction(10 * (honest - 1), 2 ** min(math.floor(14 * sigma2), MOST_BITS))
    return tau * _root_above(Fraction(cells))


def reach(sigma2: Fraction, parties: int, cells: int) -> int:
    """What the noise of no cell exceeds, in absolute value, but for a probability of 2^-60 over all `cells` together.

    A discrete Gaussian is sub-Gaussian with its variance parameter, so the sum of m has tails 2 exp(-t^2 / (2 m sigma^2)).
    Source: Canonne, Kamath and Steinke 2020, Proposition 25 and the remark after it.
    """
    bits = TAIL_BITS + 1 + cells.bit_length()
    return math.ceil(_root_above(2 * parties * sigma2 * bits * Fraction(7, 10)))


def _root_above(value: Fraction) -> Fraction:
    """A number whose square is at least `value` (>= 0), by less than 2e-12 too large, relative where `value` exceeds 1."""
    return Fraction(math.isqrt(math.ceil(value * _ROOT_DIGITS**2)) + 1, _ROOT_DIGITS)
