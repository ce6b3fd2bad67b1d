"""Regressions for people: a plot and a table of a fit's terms, as HTML."""

import math
from collections.abc import Iterator, Sequence

from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_curves import NORMAL_TIMES
from marketplace.protocol.analysis_design import INTERCEPT, Term
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_newton import LikelihoodFit
from marketplace.protocol.analysis_regression import Fit, LinearRegression
from marketplace.protocol.analysis_tails import student_tail
from marketplace.protocol.closing_hazards import ClosedHazards
from node.evaluation import joint_plots, page
from node.evaluation.drawing import number, p_text

LARGEST_LOG = 700.0


def least_squares(asked: LinearRegression, found: Fit) -> Iterator[str]:
    """The terms of a linear regression."""
    if found.terms is None:
        yield page.paragraph(
            f"No fit: the sums over {found.rows:,} rows determine none. Predictors may depend on each other, rows may be "
            "too few, or the noise larger than what is measured."
        )
        return
    share = "" if found.r_squared is None else f" R squared is {number(found.r_squared)}."
    yield page.paragraph(f"Least squares over {found.rows:,} rows.{share}")
    times = _student_times(found.rows - len(found.terms))
    yield from _terms(found.terms, times, f"change of {asked.outcome} for one unit, with its 95 % interval")


def greatest_likelihood(asked: LogisticRegression | CoxRegression, found: LikelihoodFit) -> Iterator[str]:
    """The terms of a logistic or a Cox regression, with odds or hazard ratios."""
    if isinstance(found, ClosedHazards):
        points = ", ".join(map(str, found.intervals))
        yield page.paragraph(
            f"Times are moved up to the next of {points}, between which enough rows leave; who is there longer counts as watched "
            "until the last of them."
        )
    if found.terms is None:
        yield page.paragraph(f"No fit over {found.rows:,} rows, {found.events:,} with the event: {found.reason}.")
        return
    yield page.paragraph(f"Greatest likelihood over {found.rows:,} rows, {found.events:,} of them with the event.")
    what = "odds" if isinstance(asked, LogisticRegression) else "hazard"
    told = f"change of the log {what} for one unit, with its 95 % interval"
    yield from _terms(found.terms, NORMAL_TIMES, told, f"{what.capitalize()} ratio")


def _terms(terms: Sequence[Term], times: float, what: str, ratio: str = "") -> Iterator[str]:
    """A plot and a table of a fit's terms. `ratio`: what the exponential of a coefficient is called, where it means something."""
    estimates = [
        joint_plots.Estimate(
            term.name,
            term.coefficient,
            term.coefficient - times * term.standard_error,
            term.coefficient + times * term.standard_error,
        )
        for term in terms
    ]
    yield joint_plots.forest_plot([one for one in estimates if one.name != INTERCEPT], what)
    rows = [
        [
            page.text(term.name),
            number(term.coefficient),
            f"{number(one.low)} to {number(one.high)}",
            number(term.standard_error),
            page.text(p_text(term.p)),
            *([_ratio(one)] if ratio else []),
        ]
        for term, one in zip(terms, estimates, strict=True)
    ]
    heads = ["Term", "Coefficient", "95 % interval", "Standard error", "It is 0", *([ratio] if ratio else [])]
    yield page.table(heads, rows, numbers=range(1, len(heads)))


def _ratio(one: joint_plots.Estimate) -> str:
    """The exponential of an estimate with its interval, nothing for an intercept."""
    if one.name == INTERCEPT:
        return ""
    value, low, high = (number(math.exp(min(LARGEST_LOG, each))) for each in (one.value, one.low, one.high))
    return f"{value} ({low} to {high})"


def _student_times(freedom: int) -> float:
    """How many standard errors a 95 % interval reaches to each side, by bisection."""
    low, high = 1.9, 13.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, freedom) > 0.05 else (low, middle)
    return high
