"""What is told of a joint analysis before it is bought: from its declaration alone, and in both guarantees."""

from dataclasses import replace
from typing import Any

import pytest

from marketplace.protocol import canonical
from marketplace.protocol.analysis_cost import Cost, cost_of_sums
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_moments import Variance
from marketplace.protocol.analysis_quote import (
    Forecast,
    Lane,
    Noise,
    Setting,
    guarantee_words,
    learned,
    threats,
)
from tests.protocol.test_analysis import SCHEMA, specification

DP = Setting(Lane.SUMS, 5, 2, None)
EXACT = Setting(Lane.SUMS, 3, 1, 1)
CLOSED = Setting(Lane.CLOSED, 5, 2, 10)
LINKED = Setting(Lane.CLOSED, 3, 1, None)
FORECAST = Forecast(DP, 2, Cost(3, 2**60, 9), (Noise("0/rows", 1, "12.5000", 14_000),), "0.9000", "0.7500")


def test_who_learns_what_is_told_of_each_way() -> None:
    assert "everybody's noise" in learned(DP)["every party"]
    assert "exact sums" in learned(EXACT)["the buyer"]
    assert "which cells stayed closed" in learned(CLOSED)["every party"]
    assert "how many buckets of identifiers" in learned(LINKED)["the buyer"]
    assert "with everybody's noise in them" in learned(LINKED)["every party"]
    for setting in (DP, EXACT, CLOSED, LINKED):
        assert set(learned(setting)) == {"every party", "the buyer", "everybody", "nobody"}
        own = "buckets or identifiers" if setting is LINKED else "numbers"
        assert learned(setting)["nobody"] == f"another party's own {own}, or any record"


def test_inputs_hold_against_all_others_and_noise_against_the_threshold() -> None:
    inputs, noise = threats(DP)
    assert "up to 4 of the 5 parties" in inputs
    assert "honest but curious" in inputs
    assert "noise of 3 parties alone" in noise
    assert "up to 2 that reveal theirs" in noise


def test_an_exact_answer_claims_no_noise_and_never_says_private() -> None:
    for setting in (EXACT, CLOSED):
        words = " ".join((*threats(setting), *learned(setting).values()))
        assert "No noise is in the answer" in words
        assert "private" not in words


def test_shared_secrets_hold_against_the_threshold_alone() -> None:
    assert "up to 2 of the 5 parties" in threats(CLOSED)[0]


@pytest.mark.parametrize(
    ("bins", "times", "parties", "measured"),
    [
        (1, 1, 3, 1_035),
        (1, 10, 3, 1_325),
        (1_000, 1, 3, 33_007),
        (10_000, 10, 3, 3_201_003),
        (10_000, 10, 5, 6_402_007),
        (1, 10, 8, 4_637),
    ],
)
def test_bytes_are_those_that_were_measured(bins: int, times: int, parties: int, measured: int) -> None:
    schedule = specification(*[Histogram("fine", bins)] * times).schedule(SCHEMA)
    assert cost_of_sums(schedule, parties).bytes == pytest.approx(measured, rel=0.03)


def test_a_linkage_count_says_what_its_key_protects_against() -> None:
    inputs, noise, key = threats(LINKED)
    assert "up to 1 of the 3 parties" in inputs and "noise of 2 parties alone" in noise
    assert "known to every party and to nobody else" in key and "from a party it hides nothing" in key


def test_more_parties_statistics_and_cells_never_cost_less() -> None:
    few = specification(Count()).schedule(SCHEMA)
    more = specification(Count(), Variance("days"), Contingency("arm", "outcome")).schedule(SCHEMA)
    wide = specification(Count(), Histogram("fine", 10_000)).schedule(SCHEMA)
    for cheap, dear in (((few, 3), (more, 3)), ((few, 3), (wide, 3)), ((few, 3), (few, 16))):
        assert cost_of_sums(*cheap).bytes < cost_of_sums(*dear).bytes
        assert cost_of_sums(*cheap).seconds <= cost_of_sums(*dear).seconds


@pytest.mark.parametrize("forecast", [FORECAST, Forecast(EXACT, 1, Cost(1, 2, 3), (), None, None)])
def test_a_forecast_is_read_as_it_was_written(forecast: Forecast) -> None:
    written = canonical.encode({"format": "agora/forecast/1", **forecast.document()})
    assert Forecast.of_document(canonical.decode(written, "forecast", 1)) == forecast


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lane", "other"),
        ("parties", "3"),
        ("threshold", None),
        ("bytes", 3),
        ("waits", "3"),
        ("smallest_cell", True),
        ("own_view", "much"),
        ("outside", 0.5),
        ("noise", [{"name": "0/rows"}]),
        ("noise", [{**FORECAST.noise[0].document(), "sigma": "-1.0000"}]),
    ],
)
def test_what_is_no_forecast_is_not_read(name: str, value: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Forecast.of_document({**FORECAST.document(), name: value})


def test_the_setting_says_whether_noise_is_in_it() -> None:
    assert not DP.is_exact
    assert replace(DP, smallest_cell=1).is_exact
    assert [guarantee_words(setting) for setting in (DP, EXACT, CLOSED)] == [
        "differentially private",
        "public data, exact",
        "exact, no cell below 10",
    ]
