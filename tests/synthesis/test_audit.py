"""One-run auditing end to end, on public records: the power of the audit is stated and tried."""

from math import exp, sqrt
from statistics import NormalDist

import pytest

from node.noise.gaussian import discrete_gaussian
from node.synthesis import release
from node.synthesis.marginals import PrivateMarginals
from scripts.benchmarks.attacks_audit import audit, finest_of, hospital, least_epsilon, measured, power
from scripts.benchmarks.attacks_bounds import most_true_positives

RUNS, SHARE = 20, 0.5
SCHEMA, RECORDS = hospital()
FINEST = finest_of(measured(PrivateMarginals(), SCHEMA, RECORDS, 0))
CANARIES = 1_320


def test_the_audit_of_the_generator_does_not_refute_epsilon_8_and_finds_something() -> None:
    found = audit(PrivateMarginals(), SCHEMA, RECORDS, RUNS, SHARE)
    assert not found.refuted and 0.5 < found.lower < found.claimed
    assert found.canaries == RUNS * CANARIES and found.guesses == RUNS * CANARIES * SHARE


def test_the_audit_refutes_epsilon_8_where_all_noise_is_a_sixth_as_each_of_8_simulated_audits_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(release, "discrete_gaussian", lambda stage, s2, size: discrete_gaussian(stage, s2 / 36, size))
    assert audit(PrivateMarginals(), SCHEMA, RECORDS, RUNS, SHARE).refuted
    assert power(FINEST.sigma2 / 36, RUNS, CANARIES, SHARE, trials=8) == 1.0
    assert power(FINEST.sigma2, RUNS, CANARIES, SHARE, trials=8) == 0.0


def test_the_audit_has_no_power_against_half_the_noise_which_is_why_stages_are_drawn_20000_times() -> None:
    assert power(FINEST.sigma2 / 4, RUNS, CANARIES, SHARE, trials=5) == 0.0


@pytest.mark.parametrize(
    ("guesses", "right", "least", "most"), [(100, 50, 0.0, 0.0), (100, 100, 3.4, 3.6), (10_000, 9_900, 4.3, 4.6)]
)
def test_the_least_epsilon_is_that_of_randomised_response(guesses: int, right: int, least: float, most: float) -> None:
    assert least <= least_epsilon(guesses, guesses, right, 0.0) <= most
    assert least_epsilon(guesses, guesses, right, 1e-3) <= least_epsilon(guesses, guesses, right, 0.0)


@pytest.mark.parametrize("false_positives", [0.001, 0.01, 0.3])
def test_what_rho_allows_is_more_than_a_gaussian_reaches_and_less_than_epsilon_and_delta_allow(
    false_positives: float,
) -> None:
    rho, normal = 0.03056, NormalDist()
    allowed = most_true_positives(rho, false_positives)
    assert allowed > normal.cdf(normal.inv_cdf(false_positives) + sqrt(2 * rho))
    assert allowed < exp(1.0) * false_positives + 1e-5
    assert most_true_positives(0.0, false_positives) == pytest.approx(false_positives)
