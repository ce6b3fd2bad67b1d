"""The answers of a joint analysis for people: for each kind a sentence, a plot and a table, as HTML."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from marketplace.protocol.analysis import Analysis
from marketplace.protocol.analysis_comparisons import Difference, MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_counts import Contingency, Count, Distribution, Histogram, Rows, Table
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_curves import NORMAL_TIMES
from marketplace.protocol.analysis_design import INTERCEPT, Term
from marketplace.protocol.analysis_genetics import AlleleFrequencies, CaseControl
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean, Moments
from marketplace.protocol.analysis_newton import LikelihoodFit
from marketplace.protocol.analysis_regression import Fit, LinearRegression
from marketplace.protocol.analysis_survival import Step, Survival, SurvivalCurves
from marketplace.protocol.analysis_tails import student_tail
from marketplace.protocol.schema import Number, Schema
from node.evaluation import joint_genetics, joint_plots, page
from node.evaluation.drawing import COLOURS, number, p_text

MOST_ROWS, MOST_BARS, MOST_CELLS = 60, 40, 400
NO_TEST = "No test is possible: fewer than two groups have anybody in them."


def section_of(analysis: Analysis, schema: Schema, answer: Any) -> str:
    """One answer under its heading. `answer`: what `analysis.result` gave."""
    match analysis, answer:
        case Count(), Rows():
            parts = [page.facts([("rows", f"{answer.rows:,}"), *_error(answer.error)])]
        case Histogram(), Distribution():
            parts = list(_histogram(analysis, schema, answer))
        case Contingency(), Table():
            parts = list(_table(analysis, schema, answer))
        case Mean(), Moments():
            parts = list(_moments(analysis, schema, answer))
        case LinearRegression(), Fit():
            parts = list(_fit(analysis, answer))
        case Welch() | MannWhitney() | Proportions(), Difference():
            parts = list(joint_genetics.difference(analysis, answer))
        case AlleleFrequencies(), tuple():
            parts = list(joint_genetics.frequencies(answer))
        case CaseControl(), tuple():
            parts = list(joint_genetics.associations(answer))
        case LogisticRegression() | CoxRegression(), LikelihoodFit():
            parts = list(_likelihood_fit(analysis, answer))
        case Survival(), SurvivalCurves():
            parts = list(_survival(analysis, answer))
        case _:
            parts = [_plainly(answer)]
    return page.section(heading(analysis), *parts)


def heading(analysis: Analysis) -> str:
    """What was asked, in words."""
    match analysis:
        case Count():
            return "How many rows there are"
        case Histogram():
            return f"How the rows fall over {analysis.column}"
        case Contingency():
            return f"{analysis.first} and {analysis.second} together"
        case Mean():
            return f"The mean of {analysis.column}"
        case Welch() | MannWhitney() | Proportions():
            return f"{analysis.column} where {analysis.by} is {analysis.first} or {analysis.second}"
        case AlleleFrequencies():
            return f"How frequent the alleles of {len(analysis.variants):,} variants are"
        case CaseControl():
            return f"Whether {len(analysis.variants):,} variants go with {analysis.outcome} being {analysis.happened}"
        case LogisticRegression():
            return f"How the odds that {analysis.outcome} is {analysis.happened} depend on {', '.join(analysis.predictors)}"
        case CoxRegression():
            return f"How the hazard of {analysis.event} {analysis.happened} depends on {', '.join(analysis.predictors)}"
        case LinearRegression():
            return f"How {analysis.outcome} depends on {', '.join(analysis.predictors)}"
        case Survival():
            by = f", by {analysis.by}" if analysis.by else ""
            return f"Survival: {analysis.time} until {analysis.event} is {analysis.happened}{by}"
        case _:
            document = analysis.document()
            return f"{document.pop('kind').capitalize()}: {', '.join(analysis.columns)}"


def _error(error: float | None) -> list[tuple[str, str]]:
    return [("standard error", number(error))] if error else []


def _histogram(asked: Histogram, schema: Schema, found: Distribution) -> Iterator[str]:
    column = schema.column(asked.column)
    names = [first if first == last else f"{first} to {last}" for first, last in found.texts]
    if isinstance(column, Number):
        yield joint_plots.histogram_plot(found, column)
    elif len(names) <= MOST_BARS:
        yield joint_plots.bars_plot(names, found.counts, "rows")
    rows = [[page.text(name), f"{count:,}"] for name, count in zip(names, found.counts, strict=True)]
    if found.missing is not None:
        rows.append(["no value", f"{found.missing:,}"])
    yield from _some([asked.column, "Rows"], rows, (1,))


def _table(asked: Contingency, schema: Schema, found: Table) -> Iterator[str]:
    first, second = (schema.column(name) for name in asked.columns)
    rows, columns = ([column.text(code) for code in range(column.size)] for column in (first, second))
    if found.p is None:
        yield page.paragraph(NO_TEST)
    else:
        yield page.paragraph(
            f"Pearson's test that the two have nothing to do with each other: chi-square {number(found.statistic)} on "
            f"{found.freedom} degrees of freedom, {p_text(found.p)}."
        )
    if len(rows) <= MOST_BARS and len(columns) <= len(COLOURS):
        yield joint_plots.shares_plot(found, rows, columns, asked.second)
    cells = [
        [page.text(name), *(f"{count:,}" for count in counts)] for name, counts in zip(rows, found.counts, strict=True)
    ]
    if len(columns) <= MOST_BARS:
        yield from _some([f"{asked.first} \\ {asked.second}", *columns], cells, tuple(range(1, len(columns) + 1)))
    else:
        yield _elsewhere(len(columns), "columns")


def _moments(asked: Mean, schema: Schema, found: Moments) -> Iterator[str]:
    shown = [("rows with a value", f"{found.rows:,}")]
    if found.mean is None:
        yield page.facts(shown)
        return
    spread = None if found.variance is None else found.variance**0.5
    shown += [(f"mean of {asked.column}", number(found.mean)), *_error(found.error)]
    if spread is not None and found.variance is not None:
        shown += [("variance", number(found.variance)), ("standard deviation", number(spread))]
    yield page.facts(shown)
    column = schema.column(asked.column)
    assert isinstance(column, Number)
    yield joint_plots.mean_plot(column, found.mean, spread)


def _fit(asked: LinearRegression, found: Fit) -> Iterator[str]:
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


def _likelihood_fit(asked: LogisticRegression | CoxRegression, found: LikelihoodFit) -> Iterator[str]:
    if found.terms is None:
        yield page.paragraph(f"No fit over {found.rows:,} rows, {found.events:,} with the event: {found.reason}.")
        return
    yield page.paragraph(f"Greatest likelihood over {found.rows:,} rows, {found.events:,} of them with the event.")
    what = "log odds" if isinstance(asked, LogisticRegression) else "log hazard"
    yield from _terms(found.terms, NORMAL_TIMES, f"change of the {what} for one unit, with its 95 % interval")


def _terms(terms: Sequence[Term], times: float, what: str) -> Iterator[str]:
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
        ]
        for term, one in zip(terms, estimates, strict=True)
    ]
    yield page.table(["Term", "Coefficient", "95 % interval", "Standard error", "It is 0"], rows, numbers=(1, 2, 3, 4))


def _survival(asked: Survival, found: SurvivalCurves) -> Iterator[str]:
    if asked.by is not None:
        test = found.log_rank
        if test is None or test.p is None:
            yield page.paragraph(NO_TEST)
        else:
            yield page.paragraph(
                f"Log-rank test that all groups have the same hazard: chi-square {number(test.statistic)} on "
                f"{test.freedom} degrees of freedom, {p_text(test.p)}."
            )
    names = [f"{asked.by} {curve.group}" if asked.by else "all" for curve in found.curves]
    yield joint_plots.survival_plot(found.curves, names, asked.time)
    hidden = {name: joint_plots.hidden_from(curve) for name, curve in zip(names, found.curves, strict=True)}
    for name, time in hidden.items():
        if time is not None:
            yield page.paragraph(f"From {time} on, noise hides the curve of {name}: nothing is told of it there.")
    risks = joint_plots.at_risk(found.curves)
    heads = ["At risk just before", *(str(step.time) for step in risks[0])]
    rows = [
        [page.text(name), *(f"{step.at_risk:,}" for step in steps)] for name, steps in zip(names, risks, strict=True)
    ]
    yield page.table(heads, rows, numbers=tuple(range(1, len(heads))))
    yield page.paragraph(
        f"Each time was moved up to the next of {len(asked.grid):,} points that the buyer declared, "
        f"{asked.grid[0]} to {asked.grid[-1]}. Bands are 95 % intervals. Restricted mean: the area under a curve up to the "
        "last point."
    )
    rows = [
        [
            page.text(name),
            number(curve.restricted_mean) if hidden[name] is None else "hidden",
            _median(joint_plots.told(curve)),
            f"{sum(s.events for s in curve.steps):,}",
        ]
        for name, curve in zip(names, found.curves, strict=True)
    ]
    yield page.table(["Group", "Restricted mean", "Median survival", "Events"], rows, numbers=(1, 2, 3))
    steps = [
        [
            page.text(name),
            str(step.time),
            f"{step.at_risk:,}",
            f"{step.events:,}",
            f"{step.survival:.4f}",
            f"{step.low:.3f} to {step.high:.3f}",
        ]
        for name, curve in zip(names, found.curves, strict=True)
        for step in joint_plots.told(curve)
    ]
    heads = ["Group", "Time", "At risk", "Events", "Survival", "95 % interval"]
    yield from _some(heads, steps, (1, 2, 3, 4, 5), MOST_CELLS)


def _median(steps: Sequence[Step]) -> str:
    """The first point of the grid at which at most half survive."""
    return next((str(step.time) for step in steps if step.survival <= 0.5), "not reached")


def _some(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int], most: int = MOST_ROWS
) -> Iterator[str]:
    yield page.table(heads, rows[:most], numbers=numbers)
    if len(rows) > most:
        yield _elsewhere(len(rows), "rows")


def _elsewhere(count: int, what: str) -> str:
    return f'<p class="note">All {count:,} {what} stand in the document beside this report.</p>'


def _student_times(freedom: int) -> float:
    """How many standard errors a 95 % interval reaches to each side, by bisection."""
    low, high = 1.9, 13.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, freedom) > 0.05 else (low, middle)
    return high


def _plainly(answer: Any) -> str:
    """An answer of a kind that has no words of its own: its parts by their names."""
    parts = (
        [(part.name, getattr(answer, part.name)) for part in fields(answer)] if is_dataclass(answer) else [("", answer)]
    )
    rows = [[page.text(name.replace("_", " ")), page.text(_short(value))] for name, value in parts]
    return page.table(["Part", "Value"], rows)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    words = str(value)
    return words if len(words) <= 200 else f"{words[:199]}…"
