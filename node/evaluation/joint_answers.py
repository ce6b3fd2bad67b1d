"""The answers of a joint analysis for people: for each kind a sentence, a plot and a table, as HTML."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from marketplace.protocol.analysis import Analysis
from marketplace.protocol.analysis_comparisons import Difference, MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_counts import Contingency, Count, Distribution, Histogram, Rows, Table
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_genetics import AlleleFrequencies, CaseControl
from marketplace.protocol.analysis_linkage import KnownTo, Linkage, Linked
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean, Moments, Variance
from marketplace.protocol.analysis_newton import LikelihoodFit
from marketplace.protocol.analysis_quantile import Quantile, Quantiles
from marketplace.protocol.analysis_regression import Fit, LinearRegression
from marketplace.protocol.analysis_survival import Survival, SurvivalCurves
from marketplace.protocol.closing import ClosedDistribution
from marketplace.protocol.closing_cells import ClosedTable
from marketplace.protocol.schema import Number, Schema
from marketplace.protocol.spelling import Spelling
from node.evaluation import joint_fits, joint_genetics, joint_plots, page
from node.evaluation.drawing import COLOURS, number, p_text
from node.evaluation.joint_survival import survival_parts
from node.evaluation.joint_tables import HIDDEN_TEST, NO_TEST, elsewhere, noise_of_counts, some

MOST_BARS = 40
CLOSED = "closed"
ALL_CLOSED = "Every number stayed closed: each is of too few persons, or such a number would follow from it."


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
            parts = list(joint_fits.least_squares(analysis, answer))
        case Welch() | MannWhitney() | Proportions(), Difference():
            parts = list(joint_genetics.difference(analysis, answer))
        case AlleleFrequencies(), tuple():
            parts = list(joint_genetics.frequencies(answer))
        case CaseControl(), tuple():
            parts = list(joint_genetics.associations(answer))
        case LogisticRegression() | CoxRegression(), LikelihoodFit():
            parts = list(joint_fits.greatest_likelihood(analysis, answer))
        case Survival(), SurvivalCurves():
            parts = list(survival_parts(analysis, answer))
        case Linkage(), Linked():
            parts = list(_linked(analysis, answer))
        case Histogram(), ClosedDistribution():
            parts = list(_closed_histogram(analysis, answer))
        case Contingency(), ClosedTable():
            parts = list(_closed_table(analysis, schema, answer))
        case Quantile(), Quantiles():
            parts = list(_quantiles(analysis, schema, answer))
        case _, None:
            parts = [page.paragraph(ALL_CLOSED)]
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
        case Variance():
            return f"The mean and the variance of {analysis.column}"
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
        case Linkage():
            known_to = "two or more" if analysis.known_to is KnownTo.TWO else "all"
            return f"How many persons {known_to} of {analysis.parties} providers know"
        case LinearRegression():
            return f"How {analysis.outcome} depends on {', '.join(analysis.predictors)}"
        case Quantile():
            return f"Quantiles of {analysis.column}"
        case Survival():
            by = f", by {analysis.by}" if analysis.by else ""
            return f"Survival: {analysis.time} until {analysis.event} is {analysis.happened}{by}"
        case _:
            document = analysis.document()
            return f"{document.pop('kind').capitalize()}: {', '.join(analysis.columns)}"


def _error(error: float | None) -> list[tuple[str, str]]:
    return [("standard error", number(error))] if error else []


_SPELT = {
    Spelling.TRIMMED: "are the same text, white space around it aside",
    Spelling.LETTERS_AND_DIGITS: "have the same letters, large or small, and digits",
}


def _linked(asked: Linkage, found: Linked) -> Iterator[str]:
    shown = [("buckets that they share", f"{found.shared:,}")]
    if found.persons is None or found.low is None or found.high is None or found.by_chance is None:
        yield page.paragraph(f"No number of persons: {found.reason}.")
        yield page.facts(shown)
        return
    shown += [("of these by chance, about", f"{found.by_chance:,}"), ("persons", f"{found.persons:,}")]
    yield page.facts([*shown, ("95 % interval", f"{found.low:,} to {found.high:,}"), *_error(found.error)])
    yield page.paragraph(
        f"Persons are the same where their identifiers {_SPELT[asked.spelling]}. What different persons share by chance is taken "
        "off in expectation; the interval counts it in, and the noise."
    )


def _histogram(asked: Histogram, schema: Schema, found: Distribution) -> Iterator[str]:
    column = schema.column(asked.column)
    yield from noise_of_counts(found.error)
    names = [first if first == last else f"{first} to {last}" for first, last in found.texts]
    if isinstance(column, Number):
        yield joint_plots.histogram_plot(found, column)
    elif len(names) <= MOST_BARS:
        yield joint_plots.bars_plot(names, found.counts, "rows")
    rows = [[page.text(name), f"{count:,}"] for name, count in zip(names, found.counts, strict=True)]
    if found.missing is not None:
        rows.append(["no value", f"{found.missing:,}"])
    yield from some([asked.column, "Rows"], rows, (1,))


def _closed_histogram(asked: Histogram, found: ClosedDistribution) -> Iterator[str]:
    counts = [*found.counts, *([] if found.missing is None else [found.missing])]
    texts = [first if first == last else f"{first} to {last}" for first, last in found.texts]
    names = [*texts, *(["no value"] if found.missing is not None else [])]
    if len(names) <= MOST_BARS:
        yield joint_plots.bars_plot(names, [count or 0 for count in counts], "rows; a closed cell has no bar")
    rows = [[page.text(name), _count(count)] for name, count in zip(names, counts, strict=True)]
    yield from some([asked.column, "Rows"], rows, (1,))


def _closed_table(asked: Contingency, schema: Schema, found: ClosedTable) -> Iterator[str]:
    first, second = (schema.column(name) for name in asked.columns)
    rows, columns = ([column.text(code) for code in range(column.size)] for column in (first, second))
    yield from _closed_test(asked, found, rows, columns)
    if len(rows) <= MOST_BARS and len(columns) <= len(COLOURS):
        opened = tuple(tuple(count or 0 for count in counts) for counts in found.counts)
        yield joint_plots.shares_plot(opened, rows, columns, f"{asked.second}, of the cells that are open")
    if len(columns) > MOST_BARS:
        yield elsewhere(len(columns), "columns")
        return
    cells = [[page.text(name), *map(_count, counts)] for name, counts in zip(rows, found.counts, strict=True)]
    yield from some([f"{asked.first} \\ {asked.second}", *columns], cells, tuple(range(1, len(columns) + 1)))


def _closed_test(asked: Contingency, found: ClosedTable, rows: list[str], columns: list[str]) -> Iterator[str]:
    """The test of the coarser table that nothing is closed in, and which values went together for it."""
    if found.merged is None or found.p is None:
        yield page.paragraph("Cells stay closed, and no table without them is left to test.")
        return
    yield page.paragraph(
        f"Pearson's test of the table below, in which values are taken together so that no closed cell is left: chi-square "
        f"{number(found.statistic)} on {found.freedom} degrees of freedom, {p_text(found.p)}."
    )
    heads, sides = (
        [" or ".join(names[place] for place in group) for group in groups]
        for names, groups in ((columns, found.columns), (rows, found.rows))
    )
    if len(heads) <= MOST_BARS:
        cells = [
            [page.text(name), *(f"{count:,}" for count in counts)]
            for name, counts in zip(sides, found.merged, strict=True)
        ]
        yield from some([f"{asked.first} \\ {asked.second}", *heads], cells, tuple(range(1, len(heads) + 1)))


def _quantiles(asked: Quantile, schema: Schema, found: Quantiles) -> Iterator[str]:
    yield page.facts([("rows with a value", f"{found.rows:,}")])
    column = schema.column(asked.column)
    values = [value for value in found.values if value is not None]
    if isinstance(column, Number) and values:
        yield joint_plots.marks_plot(column, values)
    rows = [
        [str(level), "none" if value is None else number(value)]
        for level, value in zip(found.levels, found.values, strict=True)
    ]
    label = column.label if isinstance(column, Number) else asked.column
    yield page.table(["Share that does not exceed it", label], rows, numbers=(0, 1))


def _count(count: int | None) -> str:
    return CLOSED if count is None else f"{count:,}"


def _table(asked: Contingency, schema: Schema, found: Table) -> Iterator[str]:
    first, second = (schema.column(name) for name in asked.columns)
    rows, columns = ([column.text(code) for code in range(column.size)] for column in (first, second))
    yield from noise_of_counts(found.error)
    if found.p is None:
        yield page.paragraph(HIDDEN_TEST if found.error else NO_TEST)
    else:
        yield page.paragraph(
            f"Pearson's test that the two have nothing to do with each other: chi-square {number(found.statistic)} on "
            f"{found.freedom} degrees of freedom, {p_text(found.p)}."
        )
    if len(rows) <= MOST_BARS and len(columns) <= len(COLOURS):
        yield joint_plots.shares_plot(found.counts, rows, columns, asked.second)
    cells = [
        [page.text(name), *(f"{count:,}" for count in counts)] for name, counts in zip(rows, found.counts, strict=True)
    ]
    if len(columns) <= MOST_BARS:
        yield from some([f"{asked.first} \\ {asked.second}", *columns], cells, tuple(range(1, len(columns) + 1)))
    else:
        yield elsewhere(len(columns), "columns")


def _moments(asked: Mean, schema: Schema, found: Moments) -> Iterator[str]:
    shown = [("rows with a value", f"{found.rows:,}")]
    if found.mean is None:
        yield page.facts(shown)
        return
    column = schema.column(asked.column)
    assert isinstance(column, Number)
    spread = None if found.variance is None else found.variance**0.5
    shown += [(f"mean of {column.label}", number(found.mean)), *_error(found.error)]
    if spread is not None and found.variance is not None:
        shown += [("variance", number(found.variance)), ("standard deviation", number(spread))]
    yield page.facts(shown)
    yield joint_plots.mean_plot(column, found.mean, spread)


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
