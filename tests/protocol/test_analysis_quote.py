"""What is told of a joint analysis before it is bought: from its declaration alone, and in both guarantees."""

from dataclasses import is_dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from marketplace.protocol import canonical
from marketplace.protocol.analysis_comparisons import MannWhitney
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_genetics import CaseControl, Variant
from marketplace.protocol.analysis_linkage import KnownTo, Linkage
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Variance
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_quote import (
    Cost,
    Forecast,
    Lane,
    Noise,
    Setting,
    cost_of_closed,
    cost_of_sums,
    guarantee_words,
    learned,
    threats,
)
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.schema import Category, Number
from tests.protocol.test_analysis import SCHEMA, specification

DP = Setting(Lane.SUMS, 5, 2, None)
EXACT = Setting(Lane.SUMS, 3, 1, 1)
CLOSED = Setting(Lane.CLOSED, 5, 2, 10)
LINKED = Setting(Lane.CLOSED, 3, 1, None)
FORECAST = Forecast(DP, 2, Cost(3, 2**60), (Noise("0/rows", 1, "12.5000", 14_000),), "0.9000", "0.7500")


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


POINTS = tuple(map(Decimal, range(1, 109)))


@pytest.mark.parametrize(
    ("analysis", "parties", "measured"),
    [
        (Histogram("fine", 16), 3, 54_747),
        (Histogram("fine", 1_000), 3, 3_255_692),
        (Histogram("fine", 256), 5, 1_740_473),
        (Quantile("fine", (Decimal("0.5"),)), 3, 60_216),
        (Quantile("fine", (Decimal("0.25"), Decimal("0.5"), Decimal("0.75"))), 3, 160_571),
        (Survival("days", "outcome", "dead", tuple(map(Decimal, range(4, 132, 4))), "sex"), 3, 1_288_497),
        (Survival("days", "outcome", "dead", tuple(map(Decimal, range(4, 68, 4))), "sex"), 5, 1_349_734),
        (MannWhitney("fine", "sex", "a", "b", 40), 3, 41_769),
        (MannWhitney("fine", "sex", "a", "b", 500), 3, 240_490),
        (CaseControl("sex", "a", tuple(Variant(f"g{place}", "1", place) for place in range(30))), 3, 790_842),
        (LogisticRegression("sex", "a", tuple(f"x{place}" for place in range(5)), 3), 3, 1_853_110),
        (LogisticRegression("sex", "a", tuple(f"x{place}" for place in range(20)), 2), 3, 11_473_913),
        (LinearRegression("fine", tuple(f"x{place}" for place in range(5))), 3, 912_919),
        (
            CoxRegression("days", "outcome", "dead", POINTS[2::3], tuple(f"x{place}" for place in range(5)), 6),
            3,
            7_371_114,
        ),
        (
            CoxRegression("days", "outcome", "dead", POINTS[8::9], tuple(f"x{place}" for place in range(10)), 3),
            3,
            6_319_780,
        ),
        (CoxRegression("days", "outcome", "dead", POINTS[2::3], ("x0",), 3, doublings=2), 3, 2_011_388),
    ],
    ids=lambda value: type(value).__name__ if is_dataclass(value) else str(value),
)
def test_bytes_of_the_closed_lane_are_those_that_were_measured(analysis: Any, parties: int, measured: int) -> None:
    columns = (Number("fine", Decimal(0), Decimal(9_999), Decimal(1), False), Category("sex", ("a", "b"), False))
    more = [Number(f"x{place}", Decimal(0), Decimal(100), Decimal(1), False) for place in range(20)]
    genes = [Category(f"g{place}", ("0", "1", "2"), False) for place in range(30)]
    schema = replace(SCHEMA, columns=(*SCHEMA.columns[:4], *columns, *more, *genes))
    questions = ClosedSpecification(replace(specification(analysis), smallest_cell=10), 10)
    cost = cost_of_closed(questions, schema, parties)
    assert cost.bytes == pytest.approx(measured, rel=0.06)
    assert 2 <= cost.seconds <= 20


@pytest.mark.parametrize(
    ("buckets", "known_to", "parties", "measured"),
    [(2**12, KnownTo.TWO, 3, 461_512), (2**14, KnownTo.TWO, 3, 1_837_769), (2**16, KnownTo.TWO, 3, 7_342_794),
     (2**12, KnownTo.ALL, 4, 1_382_558), (2**12, KnownTo.TWO, 5, 3_563_959)],
)  # fmt: skip
def test_bytes_of_a_linkage_count_are_those_that_were_measured(
    buckets: int, known_to: KnownTo, parties: int, measured: int
) -> None:
    asked = ClosedSpecification(specification(Linkage(parties, buckets, known_to)), None)
    assert cost_of_closed(asked, replace(SCHEMA, person="patient"), parties).bytes == pytest.approx(measured, rel=0.05)


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


@pytest.mark.parametrize("forecast", [FORECAST, Forecast(EXACT, 1, Cost(1, 2), (), None, None)])
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
