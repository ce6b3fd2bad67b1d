"""What a party counts of its own rows in one round of a regression by Newton steps: fixed-point sums of products."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol import closing_hazards
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_design import reach
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_regression import LinearRegression
from marketplace.protocol.analysis_statistic import Opened, Sums
from marketplace.protocol.closing_fits import (
    ClosedFit,
    digits,
    fit_schedule,
    intercept_weights,
    iterate,
    pairs,
    supports,
    terms,
)
from marketplace.protocol.schema import Schema
from node.mpc.codes import MISSING, Codes, Integers

PIECE_ROWS = 1 << 14

Floats = NDArray[np.float64]


def logistic_sums(
    asked: LogisticRegression, schema: Schema, codes: Mapping[str, Codes], opened: Opened
) -> dict[str, Integers]:
    """The statistics of `LogisticRegression.statistics`, flat, in the round after `opened`."""
    tried = np.array(asked.iterate(schema, opened))
    size = len(tried)
    upper = np.triu_indices(size)
    gradient, information = np.zeros(size, np.int64), np.zeros(len(upper[0]), np.int64)
    event = asked.event_code(schema)
    for rows in _pieces(codes, asked.columns):
        design = np.column_stack([np.ones(len(rows)), _predictors(rows, asked.predictors, schema, codes)])
        chance = 1 / (1 + np.exp(-np.clip(design @ tried, -700, 700)))
        happened = codes[asked.outcome][rows] == event
        gradient += _whole((happened - chance)[:, None] * design, asked.bits).sum(axis=0)
        weighed = (chance * (1 - chance))[:, None] * design
        information += _whole(weighed[:, upper[0]] * design[:, upper[1]], asked.bits).sum(axis=0)
    return {"gradient": gradient, "information": information}


def cox_sums(asked: CoxRegression, schema: Schema, codes: Mapping[str, Codes], opened: Opened) -> dict[str, Integers]:
    """The statistics of `CoxRegression.statistics`, flat, in the round after `opened`."""
    tried, middle = asked.iterate(schema, opened), asked.middle(schema, opened)
    points = len(asked.grid)
    point, happened = _left(asked, schema, codes)
    at = _AtPoints(point, happened & (point < points), points, asked.bits)
    risk, events, with_event, beyond = _hazards(asked, schema, codes, at, tried, middle)
    first = {"events": events, "with event": with_event} if not opened else {}
    last = {"beyond": np.array([beyond], np.int64)} if len(opened) == asked.rounds - 1 else {}
    return {"risk": risk.ravel(), **first, **last}


def hazard_inputs(
    asked: CoxRegression, schema: Schema, codes: Mapping[str, Codes], opened: Sequence[Sums]
) -> dict[str, Integers]:
    """The statistic of `hazard_schedule` in the round after `opened`, flat, whose names are those of the analysis."""
    statistic, points = closing_hazards.hazard_schedule(asked, schema)[len(opened)], len(asked.grid)
    there = _complete(codes, asked.columns)
    point, happened = _left(asked, schema, codes)
    if not opened:
        handed = np.bincount(2 * point[there] + happened[there], minlength=2 * (points + 1))
        return {statistic.name: np.append(handed, np.zeros(statistic.cells, np.int64)).astype(np.int64)}
    ends = closing_hazards.interval_ends(opened)
    interval = np.searchsorted(ends, point)
    happened = happened & (interval < len(ends))
    if len(opened) == 1:
        return {statistic.name: _supports(asked, schema, codes, [there & ~happened, there & happened])}
    digits = closing_hazards.hazard_digits(asked.doublings, sum(opened[1]["support"]))
    at = _AtPoints(interval, happened, points, digits)
    tried, middle = closing_hazards.tried(asked, opened), closing_hazards.middle(asked, opened)
    risk, events, with_event, beyond = _hazards(asked, schema, codes, at, tried, middle)
    counts = [beyond, int(there.sum()), int(events.sum()), len(ends)]
    handed = np.concatenate([with_event, risk.ravel(), events, counts])
    return {statistic.name: np.append(handed, np.zeros(statistic.cells, np.int64))}


@dataclass(frozen=True)
class _AtPoints:
    """Where each row leaves, one of `points` or beyond, and whether with the event; numbers are multiples of 2^-bits."""

    place: NDArray[np.intp]
    happened: NDArray[np.bool_]
    points: int
    bits: int


def _left(
    asked: CoxRegression, schema: Schema, codes: Mapping[str, Codes]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The point of the grid to which each row's time is moved up, and whether it has the event."""
    point = np.searchsorted(np.array(asked.survival.ends(schema)), codes[asked.time], side="right")
    return point, codes[asked.event] == asked.survival.event_code(schema)


def _hazards(
    asked: CoxRegression,
    schema: Schema,
    codes: Mapping[str, Codes],
    at: _AtPoints,
    tried: Sequence[float],
    middle: Sequence[float],
) -> tuple[Integers, Integers, Integers, int]:
    """Of those who leave at each point and beyond the sums of w, w x and w x x'; events at each point; the predictors of those
    with the event; and how many rows' hazard is beyond the declared doublings."""
    size = len(tried)
    upper = np.triu_indices(size)
    risk = np.zeros((at.points + 1, 1 + size + len(upper[0])), np.int64)
    events, with_event, beyond = np.zeros(at.points, np.int64), np.zeros(size, np.int64), 0
    for rows in _pieces(codes, asked.columns):
        design = _predictors(rows, asked.predictors, schema, codes)
        doublings = (design - np.array(middle)) @ np.array(tried) / np.log(2)
        beyond += int(np.count_nonzero(np.abs(doublings) > asked.doublings))
        hazard = np.exp2(np.clip(doublings, -asked.doublings, asked.doublings))[:, None]
        weighed = hazard * design
        added = _whole(np.hstack([hazard, weighed, weighed[:, upper[0]] * design[:, upper[1]]]), at.bits)
        np.add.at(risk, at.place[rows], added)
        happened = at.happened[rows]
        events += np.bincount(at.place[rows][happened], minlength=at.points)
        with_event += _whole(design[happened], at.bits).sum(axis=0)
    return risk, events, with_event, beyond


def fit_inputs(
    asked: ClosedFit, schema: Schema, codes: Mapping[str, Codes], opened: Sequence[Sums]
) -> dict[str, Integers]:
    """The statistic of `fit_schedule` in the round after `opened`, flat, whose names are those of the analysis."""
    statistic = fit_schedule(asked, schema)[len(opened)]
    if not opened:
        there = _complete(codes, asked.columns)
        if isinstance(asked, LinearRegression):
            return {statistic.name: _supports(asked, schema, codes, [there])}
        happened = codes[asked.outcome] == asked.event_code(schema)
        return {statistic.name: _supports(asked, schema, codes, [there & ~happened, there & happened])}
    size = terms(asked)
    tried = np.array(iterate(asked, opened)) if isinstance(asked, LogisticRegression) else np.zeros(size)
    gradient, information, squares, rows = np.zeros(size), np.zeros((size, size)), 0.0, 0
    for some in _pieces(codes, asked.columns):
        design = np.column_stack([np.ones(len(some)), _predictors(some, asked.predictors, schema, codes)])
        if isinstance(asked, LogisticRegression):
            chance = 1 / (1 + np.exp(-np.clip(design @ tried, -700, 700)))
            left, weight = (codes[asked.outcome][some] == asked.event_code(schema)) - chance, chance * (1 - chance)
        else:
            left, weight = _predictors(some, (asked.outcome,), schema, codes)[:, 0], np.ones(len(some))
        gradient += left @ design
        information += (weight[:, None] * design).T @ design
        squares, rows = squares + float(left @ left), rows + len(some)
    sums = _whole(np.concatenate([gradient, information[np.triu_indices(size)]]), digits(asked))
    last = [] if isinstance(asked, LogisticRegression) else _whole(np.array([squares]), digits(asked)).tolist()
    weights, _ = intercept_weights(asked, schema)
    handed = np.array([*sums.tolist(), rows, *weights, *last], np.int64)
    return {statistic.name: np.append(handed, np.zeros(statistic.cells, np.int64))}


def _supports(
    asked: ClosedFit | CoxRegression, schema: Schema, codes: Mapping[str, Codes], of: Sequence[NDArray[np.bool_]]
) -> Integers:
    """For each class, which are the rows of `of`, of each bin of each column how many lie outside, and how many are in each cell
    of each pair; and at last how many rows each class has."""
    found = []
    for rows in of:
        for name, bins in supports(asked, schema):
            places = codes[name][rows].astype(np.int64) * bins // schema.column(name).size
            found.append(int(rows.sum()) - np.bincount(places, minlength=bins))
        for first, second in pairs(asked, schema):
            found.append(np.bincount(2 * codes[first][rows].astype(np.int64) + codes[second][rows], minlength=4))
    return np.concatenate([*found, [int(rows.sum()) for rows in of]]).astype(np.int64)


def _complete(codes: Mapping[str, Codes], names: Sequence[str]) -> NDArray[np.bool_]:
    """In which rows nothing is missing."""
    return np.asarray(np.logical_and.reduce([codes[name] != MISSING for name in names]))


def _pieces(codes: Mapping[str, Codes], names: Sequence[str]) -> Iterator[NDArray[np.intp]]:
    """The numbers of the rows in which nothing is missing, a bounded number at a time."""
    there = np.flatnonzero(_complete(codes, names))
    for start in range(0, len(there), PIECE_ROWS):
        yield there[start : start + PIECE_ROWS]


def _predictors(rows: NDArray[np.intp], names: Sequence[str], schema: Schema, codes: Mapping[str, Codes]) -> Floats:
    """Columns, each within [-1, 1] over its declared range; shape (rows, names)."""
    return np.column_stack(
        [
            (2 * codes[name][rows].astype(np.int64) - (schema.column(name).size - 1)) / reach(schema.column(name))
            for name in names
        ]
    )


def _whole(values: Floats, bits: int) -> Integers:
    """The nearest whole numbers of 2^-bits."""
    return np.rint(np.ldexp(values, bits)).astype(np.int64)
