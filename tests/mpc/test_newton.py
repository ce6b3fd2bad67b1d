"""Logistic and Cox regression by rounds: what statsmodels and lifelines find on the pooled records, or a clear reason."""

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from statsmodels.discrete.discrete_model import Logit
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.tools.tools import add_constant

from marketplace.errors import Invalid
from marketplace.protocol import analysis_newton as newton
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_newton import Likelihood
from marketplace.protocol.analysis_noise import shares
from marketplace.protocol.schema import Category, Number, Schema
from node.mpc.codes import Codes
from node.mpc.counting import count
from tests.mpc.pooled import pooled, specification

LAST_DAY = 2_000
SCHEMA = Schema(
    (
        Number("age", Decimal(0), Decimal(120), Decimal(1), False),
        Number("bmi", Decimal(10), Decimal(70), Decimal("0.1"), True),
        Category("sex", ("f", "m"), False),
        Category("died", ("no", "yes"), True),
        Number("days", Decimal(0), Decimal(LAST_DAY), Decimal(1), False),
    ),
    None,
    1,
)
PREDICTORS = ("age", "bmi", "sex")
ODDS = LogisticRegression("died", "yes", PREDICTORS, bits=28)
GRID = tuple(Decimal(day) for day in range(30, LAST_DAY + 1, 30))
HAZARD = CoxRegression("days", "died", "yes", GRID, PREDICTORS, bits=24)
LIKELY = {"rel": 1e-6, "abs": 1e-9}


def patients(seed: int, rows: int = 1_500) -> dict[str, Codes]:
    drawn = np.random.default_rng(seed)
    age = drawn.normal(60, 12, rows).round().clip(0, 120)
    bmi = drawn.normal(27, 4, rows).clip(10, 70)
    sex = drawn.integers(0, 2, rows)
    leaning = -5 + 0.06 * age + 0.03 * bmi + 0.4 * sex
    falls = drawn.exponential(900 * np.exp(-leaning)) + 1
    watched = drawn.integers(100, 2_000, rows)
    died = (falls <= watched).astype(int)
    bmi_codes = np.rint((bmi - 10) * 10).astype(int)
    bmi_codes[:20] = -1
    died[20:30] = -1
    days = np.minimum(falls, watched).astype(int)
    return {"age": age.astype(int), "bmi": bmi_codes, "sex": sex, "died": died, "days": days}


def clean(codes: dict[str, Codes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictors in their units, events and days of the rows without a missing value."""
    there = (codes["bmi"] >= 0) & (codes["died"] >= 0)
    design = np.column_stack([codes["age"], 10 + codes["bmi"] / 10, codes["sex"]])[there]
    return design, codes["died"][there], codes["days"][there]


@pytest.fixture(scope="module", params=range(2))
def codes(request: pytest.FixtureRequest) -> dict[str, Codes]:
    return patients(request.param)


def test_a_logistic_regression_is_that_of_statsmodels(codes: dict[str, Codes]) -> None:
    design, died, _ = clean(codes)
    (found,) = pooled(specification(ODDS), SCHEMA, codes)
    expected = Logit(died, add_constant(design)).fit(disp=0, tol=1e-12)
    assert (found.rows, found.events, found.reason) == (len(died), died.sum(), None)
    assert [term.name for term in found.terms] == ["intercept", *PREDICTORS]
    assert [term.coefficient for term in found.terms] == pytest.approx(expected.params.tolist(), **LIKELY)
    assert [term.standard_error for term in found.terms] == pytest.approx(expected.bse.tolist(), **LIKELY)
    assert [term.p for term in found.terms] == pytest.approx(expected.pvalues.tolist(), rel=1e-5)


def test_a_cox_regression_is_breslows_of_statsmodels_with_times_moved_up(codes: dict[str, Codes]) -> None:
    design, died, days = clean(codes)
    (found,) = pooled(specification(HAZARD), SCHEMA, codes)
    grid = np.array([float(point) for point in GRID])
    place = np.searchsorted(grid, days)
    event = (died == 1) & (place < len(grid))
    expected = PHReg(np.append(grid, LAST_DAY + 1)[place], design, status=event, ties="breslow").fit()
    assert (found.rows, found.events, found.reason) == (len(died), event.sum(), None)
    assert [term.coefficient for term in found.terms] == pytest.approx(expected.params.tolist(), **LIKELY)
    assert [term.standard_error for term in found.terms] == pytest.approx(expected.bse.tolist(), **LIKELY)
    assert [term.p for term in found.terms] == pytest.approx(expected.pvalues.tolist(), rel=1e-5)


def test_where_no_two_events_are_tied_a_cox_regression_is_that_of_lifelines() -> None:
    codes = patients(3, 400)
    codes["days"] = np.random.default_rng(3).permutation(400) + 1
    grid = tuple(Decimal(day) for day in range(1, 401))
    (found,) = pooled(specification(replace(HAZARD, grid=grid)), SCHEMA, codes)
    design, died, days = clean(codes)
    frame = pd.DataFrame(design, columns=PREDICTORS).assign(days=days, died=died)
    expected = CoxPHFitter().fit(frame, "days", "died", fit_options={"precision": 1e-10})
    assert [term.coefficient for term in found.terms] == pytest.approx(expected.params_.tolist(), rel=1e-5)
    assert [term.standard_error for term in found.terms] == pytest.approx(expected.standard_errors_.tolist(), rel=1e-5)


def changed(**columns: Codes) -> dict[str, Codes]:
    return {**patients(1, 300), **columns}


@pytest.mark.parametrize("analysis", [ODDS, HAZARD, replace(ODDS, bits=16), replace(HAZARD, bits=16)])
@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"died": np.zeros(300, int)}, newton.TOO_FEW),
        ({"died": np.full(300, -1)}, newton.TOO_FEW),
        ({"sex": np.zeros(300, int)}, newton.DEPENDENT),
        ({"bmi": 10 * np.arange(300) % 600, "age": np.arange(300) % 60}, newton.DEPENDENT),
    ],
)
def test_what_determines_no_fit_has_none_and_says_why(
    analysis: LogisticRegression | CoxRegression, columns: dict[str, Codes], reason: str
) -> None:
    (found,) = pooled(specification(analysis), SCHEMA, changed(**columns))
    assert (found.terms, found.reason) == (None, reason)


def test_everybody_with_the_event_has_odds_that_cannot_be_told() -> None:
    (found,) = pooled(specification(ODDS), SCHEMA, changed(died=np.ones(300, int)))
    assert (found.rows, found.events, found.terms, found.reason) == (280, 280, None, newton.TOO_FEW)


@pytest.mark.parametrize("rounds", [3, 8, 25])
@pytest.mark.parametrize("bits", [12, 28])
def test_an_event_that_a_predictor_separates_has_no_odds(rounds: int, bits: int) -> None:
    codes = changed()
    codes["died"] = (codes["age"] > 60).astype(int)
    (found,) = pooled(specification(replace(ODDS, rounds=rounds, bits=bits)), SCHEMA, codes)
    assert found.terms is None and found.reason in (newton.UNSETTLED, newton.DEPENDENT)


def test_a_hazard_that_a_predictor_separates_has_no_ratio() -> None:
    codes = changed()
    codes["died"] = codes["sex"]
    (found,) = pooled(specification(HAZARD), SCHEMA, codes)
    assert found.terms is None and found.reason is not None


def test_too_few_rounds_give_no_answer_rather_than_a_wrong_one() -> None:
    (found,) = pooled(specification(replace(ODDS, rounds=2)), SCHEMA, patients(0))
    assert (found.terms, found.reason) == (None, newton.UNSETTLED)


def test_hazards_beyond_the_declared_doublings_give_no_answer_and_are_counted() -> None:
    (found,) = pooled(specification(replace(HAZARD, doublings=1)), SCHEMA, patients(0))
    assert found.terms is None and "beyond the declared doublings" in found.reason


@pytest.mark.parametrize("rounds", [-1, 0, 1, 26, 10**12])
def test_rounds_are_some_and_few(rounds: int) -> None:
    for analysis in (ODDS, HAZARD):
        with pytest.raises(Invalid, match="2 to 25 rounds"):
            replace(analysis, rounds=rounds)


@pytest.mark.parametrize(
    ("analysis", "words"),
    [
        (replace(ODDS, bits=7), "8 to 30 bits"),
        (replace(ODDS, bits=31), "8 to 30 bits"),
        (replace(ODDS, bits=10), "'bmi'.*601 values apart"),
        (replace(ODDS, happened="perhaps"), "one of its declared values"),
        (replace(ODDS, predictors=("age", "age")), "all different"),
        (replace(ODDS, predictors=("died",)), "all different"),
        (replace(ODDS, predictors=()), "1 to 20 predictors"),
        (replace(HAZARD, predictors=("days",)), "all different"),
        (replace(HAZARD, doublings=0), "1 to 12 doublings"),
        (replace(HAZARD, doublings=13), "1 to 12 doublings"),
        (replace(HAZARD, bits=30), "declare a larger step"),
        (replace(HAZARD, grid=tuple(map(Decimal, range(1, 10_001)))), "time grid of at most 6552 points"),
        (replace(HAZARD, time="sex", predictors=("age",)), "as the time"),
    ],
)
def test_a_format_that_loses_everything_and_what_does_not_fit_cannot_be_asked(analysis: object, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        specification(analysis).schedule(SCHEMA)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.integers(10, 40))
def test_no_person_moves_a_rounds_sums_further_than_stated_wherever_the_coefficients_are(
    rows: int, seed: int, magnitude: int
) -> None:
    drawn = np.random.default_rng(seed)
    whole = specification(replace(ODDS, rounds=2), replace(HAZARD, rounds=2))
    person = {
        "age": np.full(rows, drawn.choice([0, 120, 60])),
        "bmi": np.full(rows, drawn.choice([0, 600, 123])),
        "sex": np.full(rows, drawn.integers(0, 2)),
        "died": np.full(rows, drawn.integers(0, 2)),
        "days": np.full(rows, drawn.integers(0, LAST_DAY + 1)),
    }
    opened: tuple[dict[str, list[int]], ...] = ()
    for asked in whole.schedule(SCHEMA):
        moved = count(whole, SCHEMA, rows, person, opened)
        for one in asked:
            assert int((moved[one.name].astype(object) ** 2).sum()) <= one.of.sensitivity_squared(rows)
            assert np.abs(moved[one.name]).max() <= rows * one.of.bound
        opened = ({one.name: drawn.integers(-(2**magnitude), 2**magnitude, one.of.cells).tolist() for one in asked},)


@pytest.mark.parametrize("tried", [250.0, -250.0])
@pytest.mark.parametrize("corner", [0, -1])
def test_a_hazard_moves_no_sum_further_than_its_doublings_allow_however_far_the_coefficients_went(
    monkeypatch: pytest.MonkeyPatch, tried: float, corner: int
) -> None:
    monkeypatch.setattr(CoxRegression, "iterate", lambda *_: [tried] * 3)
    monkeypatch.setattr(CoxRegression, "middle", lambda *_: [1.0] * 3)
    whole = specification(replace(HAZARD, rounds=2, doublings=1))
    person = {name: np.array([range(SCHEMA.column(name).size)[corner]]) for name in (*PREDICTORS, "died", "days")}
    for opened in ((), whole.schedule(SCHEMA)[:1]):
        zeros = tuple({one.name: [0] * one.of.cells for one in asked} for asked in opened)
        moved = count(whole, SCHEMA, 1, person, zeros)
        for one in whole.asked(SCHEMA, zeros):
            assert int((moved[one.name].astype(object) ** 2).sum()) <= one.of.row_squared
            assert np.abs(moved[one.name]).max() <= one.of.bound


def test_the_stated_length_is_almost_reached() -> None:
    whole = specification(replace(ODDS, rounds=2))
    corner = {"age": [120], "bmi": [600], "sex": [1], "died": [0], "days": [0]}
    moved = count(whole, SCHEMA, 1, {name: np.array(code) for name, code in corner.items()})
    gradient, information = whole.asked(SCHEMA)
    assert int((moved[gradient.name] ** 2).sum()) == gradient.of.row_squared // 4
    assert int((moved[information.name] ** 2).sum()) == information.of.row_squared


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 62))
def test_whatever_noise_makes_of_the_sums_there_are_finite_numbers_or_a_reason(seed: int, magnitude: int) -> None:
    drawn = np.random.default_rng(seed)
    whole = specification(replace(ODDS, rounds=3), replace(HAZARD, rounds=3, grid=GRID[:5]))
    opened = [
        {one.name: drawn.integers(-(2**magnitude), 2**magnitude, one.of.cells).tolist() for one in asked}
        for asked in whole.schedule(SCHEMA)
    ]
    noise = [dict.fromkeys(sums, 4.0**magnitude) for sums in opened]
    for found in (*whole.results(SCHEMA, opened), *whole.results(SCHEMA, opened, noise)):
        assert found.rows >= found.events >= 0
        assert (found.terms is None) != (found.reason is None)
        for term in found.terms or ():
            assert math.isfinite(term.coefficient) and term.standard_error > 0 and 0 <= term.p <= 1


def test_a_step_from_an_indefinite_information_is_short_and_finite() -> None:
    lost = Likelihood([1e6, -1e6], [[-5.0, 3.0], [3.0, 1.0]], [[0.0] * 2] * 2, 1.0, 0.0)
    assert sum(map(abs, lost.step())) <= newton.LONGEST_STEP
    assert lost.last_step() == newton.TOO_NOISY
    drowned = Likelihood([1.0, 1.0], [[100.0, 0.0], [0.0, 100.0]], [[0.0] * 2] * 2, 1_000.0, 0.0)
    assert drowned.last_step() == newton.TOO_NOISY
    assert not isinstance(replace(drowned, gradient=[0.01, 0.01], information_noise=1.0).last_step(), str)
    flat = Likelihood([0.0, 0.0], [[0.0, 0.0], [0.0, 0.0]], [[0.0] * 2] * 2, 0.0, 0.0)
    assert flat.step() == [0.0, 0.0] and flat.last_step() == newton.DEPENDENT


def test_with_much_rho_noise_moves_coefficients_by_less_than_their_errors() -> None:
    codes = patients(5, 20_000)
    for asked in (
        replace(ODDS, rounds=5, bits=16),
        replace(HAZARD, rounds=5, bits=12, doublings=1, grid=GRID[::6], predictors=("sex",)),
    ):
        whole = specification(asked)
        parts = shares(whole.schedule(SCHEMA), 5_000_000, 1, 3, 1)
        (noisy,), (exact,) = (
            pooled(whole, SCHEMA, codes, parts),
            pooled(specification(replace(asked, rounds=8)), SCHEMA, codes),
        )
        assert noisy.terms is not None and exact.terms is not None
        for one, other in zip(noisy.terms, exact.terms, strict=True):
            assert abs(one.coefficient - other.coefficient) < 4 * one.standard_error
            assert one.standard_error > other.standard_error
