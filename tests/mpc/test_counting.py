"""Summed over hospitals, the statistics give what lifelines, scipy and numpy give on the pooled records."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant

from marketplace.errors import Invalid, Refused
from marketplace.protocol.analysis import Analysis, AnalysisSpecification
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram, Rows
from marketplace.protocol.analysis_moments import Mean, Variance
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_statistic import LARGEST_PARTY_ROWS
from marketplace.protocol.analysis_survival import Survival, SurvivalCurves
from marketplace.protocol.analysis_tails import chi_square_tail, quadratic_form, solve, student_tail
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.counting import Codes, count

DAYS = Number("days", Decimal(5), Decimal(1000), Decimal(5), False)
LEVEL = Number("level", Decimal("-3"), Decimal("9.5"), Decimal("0.25"), True)
SCHEMA = Schema(
    (DAYS, LEVEL, Category("outcome", ("alive", "dead"), False), Category("arm", ("a", "b", "c"), True)), None, 1
)
GRID = (Decimal(30), Decimal(97), Decimal(100), Decimal(640), Decimal(700))
ROWS = 600
HOSPITALS = np.array_split(np.arange(ROWS), [150, 150, 500])
"""Four of them, one without rows."""


def specification(*analyses: Analysis, only: tuple[Condition, ...] = ()) -> AnalysisSpecification:
    return AnalysisSpecification(b"\1" * 32, analyses, 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32, only=only)


def records(seed: int) -> dict[str, Codes]:
    drawn = np.random.default_rng(seed)
    return {
        "days": drawn.integers(0, 200, ROWS),
        "level": drawn.integers(-1, 51, ROWS),
        "outcome": drawn.integers(0, 2, ROWS),
        "arm": drawn.integers(-1, 3, ROWS),
    }


def summed(whole: AnalysisSpecification, codes: dict[str, Codes]) -> dict[str, list[int]]:
    parts = [count(whole, SCHEMA, len(at), {name: column[at] for name, column in codes.items()}) for at in HOSPITALS]
    return {name: sum(part[name] for part in parts).tolist() for name in parts[0]}


def answer(analysis: Analysis, codes: dict[str, Codes], only: tuple[Condition, ...] = ()) -> object:
    whole = specification(analysis, only=only)
    return whole.results(SCHEMA, [summed(whole, codes)])[0]


def values(codes: Codes, column: Number) -> np.ndarray:
    return float(column.lower) + codes[codes >= 0] * float(column.step)


@pytest.fixture(scope="module", params=range(3))
def codes(request: pytest.FixtureRequest) -> dict[str, Codes]:
    return records(request.param)


def test_the_count_is_of_the_rows_that_meet_the_conditions(codes: dict[str, Codes]) -> None:
    assert answer(Count(), codes) == Rows(ROWS)
    assert answer(Count(), codes, (Condition("arm", values=("a",)),)).rows == np.count_nonzero(codes["arm"] == 0)
    both = (Condition("arm", values=("a",)), Condition("level", present=False))
    assert answer(Count(), codes, both).rows == np.count_nonzero((codes["arm"] == 0) & (codes["level"] < 0))


def test_mean_and_variance_are_numpys(codes: dict[str, Codes]) -> None:
    level = values(codes["level"], LEVEL)
    moments = answer(Variance("level"), codes)
    assert moments.rows == len(level)
    assert moments.mean == pytest.approx(level.mean(), rel=1e-12)
    assert moments.variance == pytest.approx(level.var(ddof=1), rel=1e-12)
    assert answer(Mean("level"), codes).mean == moments.mean


def test_a_histogram_is_numpys(codes: dict[str, Codes]) -> None:
    found = answer(Histogram("level", 7), codes)
    edges = [float(low) for low, _ in found.texts] + [100.0]
    assert list(found.counts) == np.histogram(values(codes["level"], LEVEL), edges)[0].tolist()
    assert found.missing == np.count_nonzero(codes["level"] < 0)
    assert (found.texts[0][0], found.texts[-1][1]) == ("-3.00", "9.50")


def test_a_contingency_table_and_its_test_are_scipys(codes: dict[str, Codes]) -> None:
    found = answer(Contingency("arm", "outcome"), codes)
    there = codes["arm"] >= 0
    table = np.zeros((3, 2), int)
    np.add.at(table, (codes["arm"][there], codes["outcome"][there]), 1)
    expected = stats.chi2_contingency(table, correction=False)
    assert found.counts == tuple(map(tuple, table.tolist()))
    assert found.freedom == expected.dof
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-10)


def moved_up(codes: dict[str, Codes]) -> tuple[np.ndarray, np.ndarray]:
    """Times at the next point of the grid, and whether the event came within it."""
    grid = np.array([float(point) for point in GRID])
    days = values(codes["days"], DAYS)
    place = np.searchsorted(grid, days)
    within = place < len(grid)
    return np.append(grid, grid[-1] + 1)[place], (codes["outcome"] == 1) & within


def test_survival_curves_and_their_test_are_those_of_lifelines(codes: dict[str, Codes]) -> None:
    found = answer(Survival("days", "outcome", "dead", GRID, "arm"), codes)
    assert isinstance(found, SurvivalCurves) and found.log_rank is not None
    times, events = moved_up(codes)
    for place, curve in enumerate(found.curves):
        fitted = KaplanMeierFitter().fit(times[codes["arm"] == place], events[codes["arm"] == place])
        table = fitted.event_table
        for step in curve.steps:
            time = float(step.time)
            assert step.survival == pytest.approx(fitted.predict(time), rel=1e-12)
            low, high = fitted.confidence_interval_.loc[:time].iloc[-1]
            assert (step.low, step.high) == pytest.approx((low, high), rel=1e-7)
            assert step.events == (table.observed.get(time, 0))
            assert step.at_risk == np.count_nonzero(times[codes["arm"] == place] >= time)
        area = restricted_mean_survival_time(fitted, t=float(GRID[-1]))
        assert curve.restricted_mean == pytest.approx(area, rel=1e-9)
    there = codes["arm"] >= 0
    expected = multivariate_logrank_test(times[there], codes["arm"][there], events[there])
    assert found.log_rank.freedom == 2
    assert (found.log_rank.statistic, found.log_rank.p) == pytest.approx(
        (expected.test_statistic, expected.p_value), rel=1e-9
    )


def test_one_curve_of_all_is_that_of_lifelines(codes: dict[str, Codes]) -> None:
    found = answer(Survival("days", "outcome", "dead", GRID), codes)
    times, events = moved_up(codes)
    fitted = KaplanMeierFitter().fit(times, events)
    assert [step.survival for step in found.curves[0].steps] == pytest.approx(
        [fitted.predict(float(point)) for point in GRID], rel=1e-12
    )
    assert found.log_rank is None


def test_who_is_watched_up_to_a_point_of_the_grid_is_at_risk_there_and_not_beyond() -> None:
    one = {"days": np.array([19]), "level": np.array([0]), "outcome": np.array([1]), "arm": np.array([0])}
    assert float(DAYS.text(19)) == 100
    whole = specification(Survival("days", "outcome", "dead", GRID))
    leaving = count(whole, SCHEMA, 1, one)["0/leaving"].reshape(6, 2)
    assert leaving[2].tolist() == [0, 1] and leaving.sum() == 1


def test_a_linear_regression_is_that_of_statsmodels(codes: dict[str, Codes]) -> None:
    found = answer(LinearRegression("level", ("days", "outcome")), codes)
    there = codes["level"] >= 0
    design = add_constant(np.column_stack([5.0 + 5 * codes["days"][there], codes["outcome"][there]]))
    expected = OLS(values(codes["level"], LEVEL), design).fit()
    assert found.rows == there.sum()
    assert [term.name for term in found.terms] == ["intercept", "days", "outcome"]
    assert [term.coefficient for term in found.terms] == pytest.approx(expected.params.tolist(), rel=1e-9)
    assert [term.standard_error for term in found.terms] == pytest.approx(expected.bse.tolist(), rel=1e-9)
    assert [term.p for term in found.terms] == pytest.approx(expected.pvalues.tolist(), rel=1e-8)
    assert found.r_squared == pytest.approx(expected.rsquared, rel=1e-8)


def test_dependent_predictors_and_too_few_rows_determine_no_fit() -> None:
    same = {"days": np.arange(20), "level": np.arange(20) % 7, "outcome": np.zeros(20, int)}
    for codes in (same, {name: column[:2] for name, column in same.items()}):
        whole = specification(LinearRegression("level", ("days", "outcome")))
        sums = count(whole, SCHEMA, len(codes["days"]), codes)
        fit = whole.results(SCHEMA, [{name: values.tolist() for name, values in sums.items()}])[0]
        assert (fit.rows, fit.terms, fit.r_squared) == (len(codes["days"]), None, None)


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_no_person_moves_the_sums_further_than_the_stated_sensitivity(rows: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    whole = specification(
        Count(), Histogram("level", 7), Contingency("arm", "outcome"), Variance("level"),
        Survival("days", "outcome", "dead", GRID, "arm"), LinearRegression("level", ("days", "outcome")),
    )  # fmt: skip
    person = {
        "days": np.full(rows, drawn.integers(0, 200)),
        "level": np.full(rows, drawn.choice([-1, 0, 50, 25])),
        "outcome": np.full(rows, drawn.integers(0, 2)),
        "arm": np.full(rows, drawn.integers(-1, 3)),
    }
    moved = count(whole, SCHEMA, rows, person)
    for one in whole.asked(SCHEMA):
        assert int((moved[one.name].astype(object) ** 2).sum()) <= one.of.sensitivity_squared(rows)
        assert np.abs(moved[one.name]).max() <= rows * one.of.bound


def test_the_sensitivity_is_reached() -> None:
    whole = specification(Variance("level"))
    extreme = count(whole, SCHEMA, 3, {"level": np.array([50, 50, 50])})
    for one in whole.asked(SCHEMA):
        assert int(extreme[one.name][0]) ** 2 == one.of.sensitivity_squared(3)


@pytest.mark.parametrize("size", [2, 3, 1000, 92_681, 131_073])
def test_the_largest_grids_that_are_allowed_lose_no_digit(size: int) -> None:
    schema = Schema((Number("x", Decimal(0), Decimal(size - 1), Decimal(1), False),), None, 1)
    whole = specification(Variance("x"))
    for codes in (np.zeros(1000, int), np.full(1000, size - 1), np.arange(1000) % size):
        found = whole.results(schema, [{n: s.tolist() for n, s in count(whole, schema, 1000, {"x": codes}).items()}])[0]
        exact = [int(code) for code in codes]
        mean = sum(exact) / 1000
        assert found.mean == pytest.approx(mean, rel=1e-15, abs=0)
        assert found.variance == pytest.approx(float(np.var(codes, ddof=1)), rel=1e-12, abs=1e-12)


def test_a_grid_too_fine_for_64_bits_cannot_be_asked_for() -> None:
    schema = Schema((Number("x", Decimal(0), Decimal(131_073), Decimal(1), False),), None, 1)
    with pytest.raises(Invalid, match="larger step"):
        specification(Variance("x")).asked(schema)
    assert specification(Mean("x")).asked(schema)


@pytest.mark.parametrize("code", [-2, 51])
def test_a_code_outside_the_declaration_names_its_column(code: int) -> None:
    codes = records(0)
    codes["level"][17] = code
    with pytest.raises(Invalid, match="'level'") as raised:
        count(specification(Mean("level")), SCHEMA, ROWS, codes)
    assert str(code) not in str(raised.value)


def test_a_value_that_is_never_missing_may_not_be_missing() -> None:
    codes = records(0)
    codes["outcome"][0] = -1
    with pytest.raises(Invalid, match="'outcome'"):
        count(specification(Histogram("outcome", 2)), SCHEMA, ROWS, codes)


def test_more_rows_than_sums_can_hold_are_refused() -> None:
    with pytest.raises(Refused):
        count(specification(Count()), SCHEMA, LARGEST_PARTY_ROWS + 1, {})


@given(st.floats(0, 500), st.integers(1, 60))
def test_the_tail_of_chi_square_is_scipys(statistic: float, freedom: int) -> None:
    assert chi_square_tail(statistic, freedom) == pytest.approx(stats.chi2.sf(statistic, freedom), rel=1e-9, abs=1e-300)


@given(st.floats(-60, 60), st.integers(1, 10**6))
def test_the_tail_of_student_is_scipys(statistic: float, freedom: int) -> None:
    expected = 2 * stats.t.sf(abs(statistic), freedom)
    assert student_tail(statistic, freedom) == pytest.approx(expected, rel=1e-6, abs=1e-13)


@pytest.mark.parametrize("statistic", [1e7, 1e9, 1e12, 1e150, 1e200])
@pytest.mark.parametrize("freedom", [1, 2, 30])
def test_the_tail_beyond_a_fit_that_is_all_but_perfect_is_scipys(statistic: float, freedom: int) -> None:
    expected = 2 * stats.t.sf(statistic, freedom)
    assert student_tail(statistic, freedom) == pytest.approx(expected, rel=1e-6, abs=1e-100)


def test_a_tail_of_nothing_is_invalid() -> None:
    for statistic, freedom in ((-1.0, 1), (1.0, 0), (float("nan"), 1)):
        with pytest.raises(Invalid):
            chi_square_tail(statistic, freedom)
    for statistic, freedom in ((1.0, 0), (float("inf"), 1)):
        with pytest.raises(Invalid):
            student_tail(statistic, freedom)


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_equations_are_solved_as_numpy_solves_them(size: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    root = drawn.normal(size=(size, size))
    matrix, vector = root @ root.T + np.eye(size), drawn.normal(size=size)
    assert solve(matrix.tolist(), vector.tolist()) == pytest.approx(np.linalg.solve(matrix, vector).tolist(), rel=1e-8)
    assert quadratic_form(vector.tolist(), matrix.tolist()) >= 0


def test_dependent_equations_are_invalid() -> None:
    with pytest.raises(Invalid, match="dependent"):
        solve([[1.0, 2.0], [2.0, 4.0]], [1.0, 1.0])
