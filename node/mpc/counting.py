"""What a party counts of its own rows for a joint analysis: the one module of it that computes from records."""

from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import Invalid, Refused
from marketplace.protocol.analysis import Analysis, AnalysisSpecification
from marketplace.protocol.analysis_comparisons import MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_counts import Contingency, Count, Histogram
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_genetics import AlleleFrequencies, CaseControl
from marketplace.protocol.analysis_linkage import Linkage
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_moments import Mean
from marketplace.protocol.analysis_quantile import Quantile
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_statistic import LARGEST_PARTY_ROWS, Opened
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.closing import ClosedSpecification, coarser_of
from marketplace.protocol.closing_cells import taken_together
from marketplace.protocol.closing_groups import RANKS
from marketplace.protocol.pool import Answered
from marketplace.protocol.schema import Schema
from marketplace.scores.constraints import meet
from node.mpc.codes import MISSING, Codes, Integers
from node.mpc.groups import compared, genotypes
from node.mpc.steps import cox_sums, fit_inputs, hazard_inputs, logistic_sums


def count(
    questions: Answered, schema: Schema, rows: int, codes: Mapping[str, Codes], opened: Opened = ()
) -> dict[str, Integers]:
    """Every statistic of the next round, flat, by its name: exact, not noisy, for the provider's own process alone.

    `questions`: a specification, or as it is answered in the closed lane. `codes`: of each column that it names, -1 for
    missing, each of `rows` rows. `opened`: the sums of all rounds before. Sensitivities stand at each `Statistic`.
    Raises `Invalid`, naming the column, where a code is none of the schema; `Refused` for more rows than sums can hold, and
    for a linkage count, which `node.mpc.persons` makes from what codes do not tell.
    """
    if rows > LARGEST_PARTY_ROWS:
        raise Refused(f"expected at most {LARGEST_PARTY_ROWS} rows at a party, got more; narrow the analysis")
    asked = questions.asked(schema, opened)
    closed = questions if isinstance(questions, ClosedSpecification) else None
    specification = questions.specification if isinstance(questions, ClosedSpecification) else questions
    names = {name for analysis in specification.analyses for name in analysis.columns}
    names |= {condition.column for condition in specification.only}
    checked = {name: _checked(schema, name, rows, codes[name]) for name in sorted(names)}
    kept = meeting(specification, schema, checked) if specification.only else np.ones(rows, np.bool_)
    used = {name: column[kept] for name, column in checked.items()}
    places = {one.place for one in asked}
    found = {}
    for place in sorted(places):
        analysis, before = specification.analyses[place], specification.part(place, opened)
        if closed is not None and isinstance(analysis, LinearRegression | LogisticRegression | CoxRegression):
            parts = [{name.removeprefix("0/"): sums for name, sums in each.items()} for each in opened]
            if isinstance(analysis, CoxRegression):
                found[place] = hazard_inputs(analysis, schema, used, parts)
            else:
                found[place] = fit_inputs(analysis, schema, used, parts)
        elif closed is None or not isinstance(analysis, Contingency | MannWhitney):
            found[place] = _counted(analysis, schema, int(kept.sum()), used, before)
        else:
            cells = _counted(analysis, schema, int(kept.sum()), used, before)
            found[place] = _closed(closed, schema, cells, opened)
    return {one.name: found[one.place][one.of.name] for one in asked}


def _closed(
    asked: ClosedSpecification, schema: Schema, counted: Mapping[str, Integers], opened: Opened
) -> dict[str, Integers]:
    """What is handed in for the closed lane, from what is counted for the other: a table's coarser one in the second round."""
    if "bins" in counted:
        return {"ranks": np.append(counted["bins"], np.zeros(RANKS, np.int64))}
    if not opened:
        return dict(counted)
    schedule, merged = asked.schedule(schema), np.zeros_like(counted["cells"])
    if way := coarser_of(opened[0]["0/cells"], schedule):
        table = counted["cells"].reshape(schedule[0][0].of.shape)
        flat = [number for row in taken_together(table.tolist(), way) for number in row]
        merged[: len(flat)] = flat
    return {"merged": merged}


def meeting(specification: AnalysisSpecification, schema: Schema, codes: Mapping[str, Codes]) -> NDArray[np.bool_]:
    """Which rows meet the conditions of `specification`. `codes`: at least one column, each of as many rows."""
    kept = np.ones(len(next(iter(codes.values()))), np.bool_)
    for condition in specification.only:
        kept &= meet(condition, schema, codes[condition.column])
    return kept


def _counted(
    analysis: Analysis, schema: Schema, rows: int, codes: Mapping[str, Codes], opened: Opened
) -> dict[str, Integers]:
    match analysis:
        case Count():
            return {"rows": np.array([rows], np.int64)}
        case Histogram(column=name):
            return {"bins": _in_bins(analysis, schema, codes[name])}
        case Contingency(first=first, second=second):
            width = schema.column(second).size
            there = (codes[first] != MISSING) & (codes[second] != MISSING)
            cells = codes[first][there].astype(np.int64) * width + codes[second][there]
            return {"cells": np.bincount(cells, minlength=schema.column(first).size * width).astype(np.int64)}
        case Mean(column=name):
            return _powers(codes[name], schema.column(name).size)
        case Quantile():
            return _signs(analysis, schema, codes[analysis.column], opened)
        case LinearRegression():
            return _products(analysis, schema, codes)
        case Survival():
            return {"leaving": _leaving(analysis, schema, codes)}
        case Welch() | MannWhitney() | Proportions():
            return compared(analysis, schema, codes)
        case AlleleFrequencies() | CaseControl():
            return {"genotypes": genotypes(analysis, schema, codes)}
        case LogisticRegression():
            return logistic_sums(analysis, schema, codes, opened)
        case CoxRegression():
            return cox_sums(analysis, schema, codes, opened)
        case Linkage():
            raise Refused("expected identifiers to match persons of several parties by, got codes; ask another way")


def _in_bins(analysis: Histogram, schema: Schema, codes: Codes) -> Integers:
    starts = np.array(analysis.starts(schema))
    bins = np.searchsorted(starts, codes[codes != MISSING], side="right") - 1
    counts = np.bincount(bins, minlength=len(starts) - 1)
    if schema.column(analysis.column).missing:
        counts = np.append(counts, np.count_nonzero(codes == MISSING))
    return counts.astype(np.int64)


def _powers(codes: Codes, size: int) -> dict[str, Integers]:
    centred = 2 * codes[codes != MISSING].astype(np.int64) - (size - 1)
    powers = {"present": len(centred), "sum": centred.sum(), "squares": (centred**2).sum()}
    return {name: np.array([power], np.int64) for name, power in powers.items()}


def _signs(analysis: Quantile, schema: Schema, codes: Codes, opened: Opened) -> dict[str, Integers]:
    there = codes[codes != MISSING]
    pairs = zip(analysis.points(schema, opened), analysis.weights, strict=True)
    below = [(int(np.count_nonzero(there <= point)), pair) for point, pair in pairs]
    signs = [adds * count - takes * (len(there) - count) for count, (adds, takes) in below]
    return {"present": np.array([len(there)], np.int64), "signs": np.array(signs, np.int64)}


def _products(analysis: LinearRegression, schema: Schema, codes: Mapping[str, Codes]) -> dict[str, Integers]:
    there = np.logical_and.reduce([codes[name] != MISSING for name in analysis.columns])
    centred = [2 * codes[n][there].astype(np.int64) - (schema.column(n).size - 1) for n in analysis.columns]
    columns = [np.ones(int(there.sum()), np.int64), *centred]
    pairs = combinations_with_replacement(range(len(columns)), 2)
    return {f"{a},{b}": np.array([columns[a] @ columns[b]], np.int64) for a, b in pairs}


def _leaving(analysis: Survival, schema: Schema, codes: Mapping[str, Codes]) -> Integers:
    there = np.logical_and.reduce([codes[name] != MISSING for name in analysis.columns])
    points = len(analysis.grid) + 1
    point = np.searchsorted(np.array(analysis.ends(schema)), codes[analysis.time][there], side="right")
    event = codes[analysis.event][there] == analysis.event_code(schema)
    group = 0 if analysis.by is None else codes[analysis.by][there].astype(np.int64)
    cells = (group * points + point) * 2 + event
    return np.bincount(cells, minlength=len(analysis.groups(schema)) * points * 2).astype(np.int64)


def _checked(schema: Schema, name: str, rows: int, codes: Codes) -> Codes:
    column = schema.column(name)
    lowest = MISSING if column.missing else 0
    if codes.shape != (rows,) or (rows and not lowest <= codes.min() <= codes.max() < column.size):
        raise Invalid(f"column {name!r}: expected its declared values in every row, got others; revise the dataset")
    return codes
