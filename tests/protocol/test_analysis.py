"""What a buyer asks of several providers: documents, what parties sum, and the answers that follow from the sums."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_curves import Leaving
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean, Variance
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_statistic import (
    LARGEST_BOUND,
    LARGEST_CELLS,
    LARGEST_NOISE,
    LARGEST_PARTIES,
    LARGEST_PARTY_ROWS,
    Statistic,
)
from marketplace.protocol.analysis_survival import Survival, log_rank
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES

SCHEMA = Schema(
    (
        Number("days", Decimal(0), Decimal(1000), Decimal(1), False),
        Number("weight", Decimal(30), Decimal(200), Decimal("0.5"), True),
        Category("outcome", ("alive", "dead"), False),
        Category("arm", ("a", "b", "c"), True),
        Number("fine", Decimal(0), Decimal("999.999"), Decimal("0.001"), False),
    ),
    None,
    1,
)
GRID = (Decimal(100), Decimal("250.5"), Decimal(2000))
EVERY = (
    Count(),
    Histogram("weight", 7),
    Contingency("arm", "outcome"),
    Mean("weight"),
    Variance("days"),
    Survival("days", "outcome", "dead", GRID),
    Survival("days", "outcome", "dead", GRID, "arm"),
    LinearRegression("weight", ("days", "outcome")),
)
ITERATED = (
    LogisticRegression("outcome", "dead", ("days", "weight"), 5, 16),
    CoxRegression("days", "outcome", "dead", GRID, ("weight",), 4, 18, 3),
)


def specification(*analyses: object) -> AnalysisSpecification:
    return AnalysisSpecification(b"\1" * 32, analyses, 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32)  # type: ignore[arg-type]


def test_what_is_encoded_is_decoded() -> None:
    whole = replace(
        specification(*EVERY, *ITERATED, Quantile("days", (Decimal("0.025"), Decimal("0.5")))),
        only=(Condition("arm", values=("a", "b")), Condition("days", upper=Decimal(9))),
    )
    assert AnalysisSpecification.decode(whole.encode()) == whole
    assert AnalysisSpecification.decode(specification(Count()).encode()) == specification(Count())


def test_a_document_with_a_part_too_many_too_few_or_unknown_is_corrupt() -> None:
    good = specification(Histogram("weight", 7)).encode()
    changes = [
        (b'"bins":7', b'"bins":7,"cuts":1'),
        (b'"bins":7', b'"bins":"7"'),
        (b'"kind":"histogram"', b'"kind":"median"'),
        (b'"column":"weight",', b""),
    ]
    for old, new in changes:
        assert good.count(old) == 1
        with pytest.raises(Corrupt):
            AnalysisSpecification.decode(good.replace(old, new))


def test_statistics_have_names_of_their_own_and_a_shape_that_the_declaration_fixes() -> None:
    asked = specification(*EVERY).asked(SCHEMA)
    shapes = {one.name: one.of.shape for one in asked}
    assert len(shapes) == len(asked)
    assert shapes["0/rows"] == (1,)
    assert shapes["1/bins"] == (8,)
    assert shapes["2/cells"] == (3, 2)
    assert shapes["4/squares"] == (1,)
    assert shapes["5/leaving"] == (1, 4, 2) and shapes["6/leaving"] == (3, 4, 2)


@pytest.mark.parametrize(
    ("analysis", "words"),
    [
        (Mean("arm"), "expected a number to take the mean of"),
        (Mean("height"), "expected one of the columns"),
        (Variance("fine"), "declare a larger step"),
        (Histogram("arm", 4), "expected 1 to 3 bins"),
        (Histogram("arm", 0), "expected 1 to 3 bins"),
        (Contingency("arm", "arm"), "two different columns"),
        (Contingency("days", "arm"), "at most 1000 values"),
        (Survival("arm", "outcome", "dead", GRID), "as the time"),
        (Survival("days", "outcome", "gone", GRID), "one of its declared values"),
        (Survival("days", "fine", "0.0005", GRID), "one of its declared values"),
        (Survival("days", "fine", "x", GRID), "one of its declared values"),
        (Survival("days", "outcome", "dead", GRID, "weight"), "at most 10 groups"),
        (Survival("days", "outcome", "dead", GRID, "outcome"), "different columns"),
        (Quantile("outcome", (Decimal("0.5"),)), "a number for quantiles"),
        (LinearRegression("outcome", ("days",)), "a number as the outcome"),
        (LinearRegression("days", ("arm",)), "two categories"),
        (LinearRegression("days", ("days",)), "all different"),
        (LinearRegression("days", ()), "1 to 20 predictors"),
        (LinearRegression("fine", ("days",)), "declare a larger step"),
    ],
)
def test_an_analysis_that_does_not_fit_the_schema_is_invalid(analysis: object, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        specification(Count(), analysis).asked(SCHEMA)


@pytest.mark.parametrize(
    "grid", [(), (0,), (2, 1), (1, 1), ("Infinity",), ("sNaN",), ("1E+12",), ("1E-13",), ("1E+999999999",)]
)
def test_a_time_grid_that_does_not_rise_is_invalid(grid: tuple[object, ...]) -> None:
    with pytest.raises(Invalid, match="time grid"):
        Survival("days", "outcome", "dead", tuple(Decimal(str(point)) for point in grid))


@pytest.mark.parametrize("level", ["NaN", "1E-999999999", "0.5" + 100_000 * "0"])
def test_a_level_that_takes_long_to_compute_with_is_invalid(level: str) -> None:
    with pytest.raises(Invalid, match="rising levels"):
        Quantile("weight", (Decimal(level),))


def test_sums_that_would_fill_a_nodes_memory_are_invalid() -> None:
    sides = tuple(Number(name, Decimal(0), Decimal(999), Decimal(1), False) for name in ("first", "second"))
    table = Contingency("first", "second")
    assert len(specification(table, table).schedule(Schema(sides, None, 1))) == 1
    with pytest.raises(Invalid, match="at most 2097152 sums in an order, got 3000000"):
        specification(table, table, table).schedule(Schema(sides, None, 1))


def test_a_condition_outside_the_schema_is_invalid() -> None:
    with pytest.raises(Invalid, match="height"):
        replace(specification(Count()), only=(Condition("height", present=True),)).asked(SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"analyses": ()},
        {"analyses": (Count(),) * 21},
        {"slot_s": 0},
        {"offer": b"\1" * 31},
        {"nonce": b""},
        {"sealing_key": b"\2"},
        {"only": (Condition("arm", present=True),) * 21},
    ],
)
def test_a_specification_out_of_bounds_is_invalid(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(specification(Count()), **change)


def test_sums_of_every_party_with_the_most_rows_of_the_largest_bound_keep_their_sign_in_64_bits() -> None:
    assert LARGEST_PARTIES * LARGEST_PARTY_ROWS * LARGEST_BOUND + LARGEST_NOISE <= 2**63
    Statistic("edge", (1,), LARGEST_BOUND, 1)
    for bound, shape in ((LARGEST_BOUND + 1, (1,)), (0, (1,)), (1, (LARGEST_CELLS + 1,)), (1, (0, 3))):
        with pytest.raises(Invalid):
            Statistic("beyond", shape, bound, 1)


@given(st.integers(1, 1000), st.integers(1, 10**12))
def test_rows_of_one_person_count_together(rows: int, squared: int) -> None:
    assert Statistic("x", (3,), 1, squared).sensitivity_squared(rows) == rows**2 * squared


def test_sums_of_another_length_are_corrupt() -> None:
    with pytest.raises(Corrupt, match="expected 6 sums of 0/cells, got 5"):
        specification(Contingency("arm", "outcome")).results(SCHEMA, [{"0/cells": [1] * 5}])


def test_the_sums_of_another_number_of_rounds_are_corrupt() -> None:
    for opened in ([], [{"0/rows": [1]}] * 2):
        with pytest.raises(Corrupt, match="expected the sums of 1 rounds"):
            specification(Count()).results(SCHEMA, opened)


def test_after_the_last_round_nothing_is_asked() -> None:
    whole = specification(*EVERY)
    assert whole.rounds(SCHEMA) == 1
    assert whole.asked(SCHEMA) == whole.schedule(SCHEMA)[0]
    assert whole.asked(SCHEMA, [{}]) == ()
    longer = specification(*EVERY, *ITERATED)
    assert longer.rounds(SCHEMA) == 5
    names = [{one.name for one in longer.asked(SCHEMA, [{}] * number)} for number in range(6)]
    assert names[0] > {one.name for one in whole.asked(SCHEMA)}
    assert names[1:] == [
        {"8/gradient", "8/information", "9/risk"},
        {"8/gradient", "8/information", "9/risk"},
        {"8/gradient", "8/information", "9/risk", "9/beyond"},
        {"8/gradient", "8/information"},
        set(),
    ]


@settings(max_examples=25)
@given(st.lists(st.integers(-(2**62), 2**62), min_size=100, max_size=100), st.integers(0, 62))
def test_whatever_noise_makes_of_the_sums_there_is_an_answer_that_can_be(sums: list[int], magnitude: int) -> None:
    whole = specification(*EVERY)
    given_sums = {one.name: sums[: one.of.cells] for one in whole.asked(SCHEMA)}
    for noise in ((), [dict.fromkeys(given_sums, float(4**magnitude))]):
        can_be(whole.results(SCHEMA, [given_sums], noise))


def can_be(results: tuple[Any, ...]) -> None:
    rows, histogram, table, mean, variance, _, curves, fit = results
    assert rows.rows >= 0 and min(histogram.counts) >= 0 and histogram.missing >= 0
    assert table.p is None or 0 <= table.p <= 1
    assert mean.mean is None or 30 <= mean.mean <= 200
    assert variance.variance is None or variance.variance >= 0
    for curve in curves.curves:
        shares = [1.0, *(step.survival for step in curve.steps)]
        assert all(0 <= later <= earlier for earlier, later in pairwise(shares))
        assert all(0 <= step.events <= step.at_risk for step in curve.steps)
        assert all(0 <= step.low <= step.survival <= step.high <= 1 for step in curve.steps)
        assert 0 <= curve.restricted_mean <= 2000
    assert curves.log_rank.p is None or 0 <= curves.log_rank.p <= 1
    assert fit.terms is None or all(0 <= term.p <= 1 and term.standard_error > 0 for term in fit.terms)


def test_without_rows_there_is_no_mean_no_test_and_nobody_at_risk() -> None:
    whole = specification(*EVERY)
    empty = {one.name: [0] * one.of.cells for one in whole.asked(SCHEMA)}
    rows, _, table, mean, _, alone, curves, fit = whole.results(SCHEMA, [empty])
    assert (rows.rows, table.p, mean.mean, curves.log_rank.p) == (0, None, None, None)
    assert (fit.rows, fit.terms) == (0, None)
    assert {step.survival for step in alone.curves[0].steps} == {1.0}


def test_groups_that_cannot_be_compared_have_no_p() -> None:
    lived, died, none = (
        Leaving((2, 3, 4), (0, 0, 0), 0.0),
        Leaving((0, 1, 1), (1, 2, 0), 0.0),
        Leaving((0,) * 3, (0,) * 3, 0.0),
    )
    assert log_rank([died]).p is None
    assert log_rank([lived, lived]).p is None
    assert log_rank([died, none]).p is None
    assert log_rank([died, replace(lived, variance=1e6)]).p is None
    assert log_rank([died, lived]).p is not None


@pytest.mark.parametrize("levels", [(), ("0",), ("1",), ("0.5", "0.5"), ("0.6", "0.5"), ("0.0005",), ("NaN",), ("-1",)])
def test_levels_rise_between_none_and_all_of_the_rows(levels: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match="rising levels between 0 and 1"):
        Quantile("days", tuple(map(Decimal, levels)))
