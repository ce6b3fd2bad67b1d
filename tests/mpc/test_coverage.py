"""With noise in the sums, intervals hold what they estimate at their stated rate, and tests reject no more than they say."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from marketplace.protocol.analysis_comparisons import MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_genetics import AlleleFrequencies, CaseControl, Variant
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean, Variance
from marketplace.protocol.analysis_noise import shares
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.schema import Category, Number, Schema
from node.mpc.codes import Codes
from tests.mpc.pooled import pooled, specification

ROWS, RHO_MICRO, LEVEL = 4_000, 15_000, 0.95
LITTLE_RHO_MICRO = 200
NOISY_RHO_MICRO = 1_000
FEW, SOME, MANY = 80, 300, 1_000
LEAST_TOLD = 0.99
"""Of draws, how many have an answer: now and then noise throws a regression so far that none is told."""
SCHEMA = Schema(
    (
        Number("days", Decimal(0), Decimal(1_000), Decimal(1), False),
        Number("weight", Decimal(40), Decimal(140), Decimal(1), False),
        Category("died", ("no", "yes"), False),
        Category("arm", ("a", "b"), False),
        Category("stage", ("1", "2", "3"), False),
    ),
    None,
    1,
)
GRID = tuple(Decimal(day) for day in range(100, 801, 100))
TIMES = NormalDist().inv_cdf((1 + LEVEL) / 2)
MEAN_LIFE, SLOPE, ODDS, RATIO = 400.0, 6.0, 0.8, 0.4


def patients(seed: int, rows: int = ROWS) -> dict[str, Codes]:
    """Two arms that differ in weight by `SLOPE`, in the log odds of a late stage by `ODDS`, in log hazard by `RATIO`."""
    drawn = np.random.default_rng(seed)
    arm = drawn.integers(0, 2, rows)
    weight = np.rint(drawn.normal(85 + SLOPE * arm, 15)).clip(40, 140)
    life = drawn.exponential(MEAN_LIFE * np.exp(-RATIO * arm))
    watched = 100 * drawn.integers(2, 11, rows)
    late = drawn.random(rows) < 1 / (1 + np.exp(0.5 - ODDS * arm))
    return {
        "days": np.ceil(np.minimum(life, watched)).astype(int).clip(0, 1_000),
        "weight": (weight - 40).astype(int),
        "died": (life <= watched).astype(int),
        "arm": arm,
        "stage": np.where(late, 2, drawn.integers(0, 2, rows)),
    }


def unrelated(seed: int) -> dict[str, Codes]:
    """Arms, and stages, that differ in nothing."""
    codes, drawn = patients(seed), np.random.default_rng(seed + 10**6)
    return {**codes, "arm": drawn.integers(0, 2, ROWS), "stage": drawn.permutation(codes["stage"])}


Held = Callable[[dict[str, Codes], Any], Iterator[bool | None]]


def within(value: float, estimate: float, error: float | None) -> bool:
    return abs(value - estimate) <= TIMES * (error or 0.0)


def counts(codes: dict[str, Codes], answers: Any) -> Iterator[bool | None]:
    rows, histogram = answers
    yield within(ROWS, rows.rows, rows.error)
    true = np.histogram(codes["weight"], [20.5, 40.5, 60.5, 80.5])[0]
    yield from (within(one, found, histogram.error) for one, found in zip(true, histogram.counts[1:4], strict=True))


def means(codes: dict[str, Codes], answers: Any) -> Iterator[bool | None]:
    of_sample, of_all = answers
    yield within(40 + codes["weight"].mean(), of_sample.mean, of_sample.error)
    yield within(85 + SLOPE / 2, of_all.mean, of_all.error)


def differences(codes: dict[str, Codes], answers: Any) -> Iterator[bool | None]:
    of_means, of_shares = answers
    late = 1 / (1 + np.exp(0.5 - ODDS * np.arange(2)))
    yield within(SLOPE, of_means.difference, of_means.error)
    yield within(late[1] - late[0], of_shares.difference, of_shares.error)


def alleles(codes: dict[str, Codes], answers: Any) -> Iterator[bool | None]:
    """Two copies in every late row, none or one in the others."""
    late = np.mean(1 / (1 + np.exp(0.5 - ODDS * np.arange(2))))
    yield within(late + (1 - late) / 4, answers[0][0].frequency, answers[0][0].error)


def survival(codes: dict[str, Codes], answers: Any) -> Iterator[bool | None]:
    for arm, curve in enumerate(answers[0].curves):
        true = np.exp(-np.arange(100, 801, 100) / (MEAN_LIFE * np.exp(-RATIO * arm)))
        yield from (step.low <= one <= step.high for one, step in zip(true, curve.steps, strict=True))


def slopes(*values: float) -> Held:
    def held(codes: dict[str, Codes], answers: Any) -> Iterator[bool | None]:
        terms = answers[0].terms
        shown = terms and terms[-len(values) :]
        yield from (within(v, t.coefficient, t.standard_error) for v, t in zip(values, shown or (), strict=bool(terms)))

    return held


@cache
def ratio_on_the_grid() -> float:
    """Breslow's likelihood takes events between two points as tied, so that on a grid its limit is below `RATIO`."""
    exact = CoxRegression("days", "died", "yes", GRID, ("arm",), 6, 20, 2)
    limit: float = pooled(specification(exact), SCHEMA, patients(10**6, 500_000))[0].terms[0].coefficient
    assert 0.8 * RATIO < limit < RATIO
    return limit


def hazards(codes: dict[str, Codes], answers: Any) -> Iterator[bool | None]:
    return slopes(ratio_on_the_grid())(codes, answers)


CASES: dict[str, tuple[tuple[Any, ...], Held]] = {
    "counts": ((Count(), Histogram("weight", 5)), counts),
    "means": ((Mean("weight"), Variance("weight")), means),
    "differences": ((Welch("weight", "arm", "b", "a"), Proportions("stage", "arm", "b", "a", "3")), differences),
    "alleles": ((AlleleFrequencies((Variant("stage", "1", 1),)),), alleles),
    "survival": ((Survival("days", "died", "yes", GRID, "arm"),), survival),
    "linear": ((LinearRegression("weight", ("arm",)),), slopes(85.0, SLOPE)),
    "logistic": ((LogisticRegression("stage", "3", ("arm",), 4, 16),), slopes(-0.5, ODDS)),
    "cox": (
        (CoxRegression("days", "died", "yes", GRID, ("arm",), 3, 12, 1),),
        lambda *given: slopes(ratio_on_the_grid())(*given),
    ),
}


def coefficient(found: Any) -> float | None:
    """The p of the last one."""
    return None if found.terms is None else found.terms[-1].p


TESTS: dict[str, tuple[Any, Callable[[Any], float | None]]] = {
    "table": (Contingency("arm", "stage"), lambda found: found.p),
    "log-rank": (Survival("days", "died", "yes", GRID, "arm"), lambda found: found.log_rank.p),
    "log-rank of three": (Survival("days", "died", "yes", GRID, "stage"), lambda found: found.log_rank.p),
    "linear": (LinearRegression("weight", ("arm",)), coefficient),
    "logistic": (LogisticRegression("stage", "3", ("arm",), 4, 16), coefficient),
    "cox": (CoxRegression("days", "died", "yes", GRID, ("arm",), 3, 12, 1), coefficient),
    "means": (Welch("weight", "arm", "a", "b"), lambda found: found.p),
    "ranks": (MannWhitney("weight", "arm", "a", "b", 25), lambda found: found.p),
    "shares": (Proportions("stage", "arm", "a", "b", "3"), lambda found: found.p),
    "alleles": (CaseControl("arm", "b", (Variant("stage", "1", 1),)), lambda found: found[0].trend_p),
}


def rate(name: str, seeds: int, told: bool = True, rho_micro: int = RHO_MICRO) -> float:
    """How often intervals held. `told`: whether the answers know of the noise."""
    asked, held = CASES[name]
    whole = specification(*asked)
    parts = shares(whole.schedule(SCHEMA), rho_micro, 1, 3, 1)
    found: list[bool | None] = []
    for seed in range(seeds):
        codes = patients(seed)
        found += held(codes, pooled(whole, SCHEMA, codes, parts, seed, told))
    assert len(found) >= LEAST_TOLD * seeds
    return sum(map(bool, found)) / len(found)


def ps(name: str, seeds: int, told: bool = True, rho_micro: int = RHO_MICRO) -> np.ndarray:
    """The p of the test in each of so many draws in which there is nothing to find."""
    asked, p_of = TESTS[name]
    whole = specification(asked)
    parts = shares(whole.schedule(SCHEMA), rho_micro, 1, 3, 1)
    found = [p_of(pooled(whole, SCHEMA, unrelated(seed), parts, seed, told)[0]) for seed in range(seeds)]
    told_of = [p for p in found if p is not None]
    assert len(told_of) >= LEAST_TOLD * seeds
    return np.array(told_of)


def check_rate(name: str, seeds: int, rho_micro: int = RHO_MICRO) -> None:
    """Held as often as stated, up to four standard errors of so many independent draws."""
    assert abs(rate(name, seeds, rho_micro=rho_micro) - LEVEL) <= 4 * np.sqrt(LEVEL * (1 - LEVEL) / seeds)


def check_ps(name: str, seeds: int, rho_micro: int = RHO_MICRO) -> None:
    """Spread evenly over 0 to 1."""
    found = ps(name, seeds, rho_micro=rho_micro)
    for share in (0.05, 0.1, 0.25, 0.5):
        assert abs((found < share).mean() - share) <= 4 * np.sqrt(share * (1 - share) / seeds)


@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_at_their_stated_rate(name: str) -> None:
    check_rate(name, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_at_their_stated_rate_over_a_thousand_draws(name: str) -> None:
    check_rate(name, MANY)


@pytest.mark.parametrize("name", ["counts", "means", "differences", "alleles", "survival", "linear"])
def test_intervals_that_leave_the_noise_out_do_not_hold(name: str) -> None:
    assert rate(name, FEW, told=False, rho_micro=LITTLE_RHO_MICRO) < 0.85


@pytest.mark.parametrize("name", TESTS)
def test_where_there_is_nothing_to_find_p_is_spread_evenly(name: str) -> None:
    check_ps(name, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", TESTS)
def test_where_there_is_nothing_to_find_p_is_spread_evenly_over_a_thousand_draws(name: str) -> None:
    check_ps(name, MANY)


@pytest.mark.parametrize("name", ["table", "log-rank", "linear", "means", "ranks", "shares", "alleles"])
def test_tests_that_leave_the_noise_out_find_what_is_not_there(name: str) -> None:
    assert (ps(name, FEW, told=False, rho_micro=LITTLE_RHO_MICRO) < 0.05).mean() > 0.15


def test_where_nearly_all_that_varies_is_noise_intervals_and_tests_hold_too() -> None:
    check_rate("survival", SOME, NOISY_RHO_MICRO)
    check_ps("table", SOME, NOISY_RHO_MICRO)
    check_ps("log-rank of three", SOME, NOISY_RHO_MICRO)
