"""What a party counts of its own rows in one round of a regression by Newton steps: fixed-point sums of products."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_statistic import Opened
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
        design = np.column_stack([np.ones(len(rows)), _within_one(rows, asked, schema, codes)])
        chance = 1 / (1 + np.exp(-np.clip(design @ tried, -700, 700)))
        happened = codes[asked.outcome][rows] == event
        gradient += _whole((happened - chance)[:, None] * design, asked.bits).sum(axis=0)
        weighed = (chance * (1 - chance))[:, None] * design
        information += _whole(weighed[:, upper[0]] * design[:, upper[1]], asked.bits).sum(axis=0)
    return {"gradient": gradient, "information": information}


def cox_sums(asked: CoxRegression, schema: Schema, codes: Mapping[str, Codes], opened: Opened) -> dict[str, Integers]:
    """The statistics of `CoxRegression.statistics`, flat, in the round after `opened`."""
    tried, middle = np.array(asked.iterate(schema, opened)), np.array(asked.middle(schema, opened))
    size, points = len(tried), len(asked.grid)
    upper = np.triu_indices(size)
    ends, event = np.array(asked.survival.ends(schema)), asked.survival.event_code(schema)
    risk = np.zeros((points + 1, 1 + size + len(upper[0])), np.int64)
    events, with_event, beyond = np.zeros(points, np.int64), np.zeros(size, np.int64), np.zeros(1, np.int64)
    for rows in _pieces(codes, asked.columns):
        design = _within_one(rows, asked, schema, codes)
        doublings = (design - middle) @ tried / np.log(2)
        beyond += np.count_nonzero(np.abs(doublings) > asked.doublings)
        hazard = np.exp2(np.clip(doublings, -asked.doublings, asked.doublings))[:, None]
        point = np.searchsorted(ends, codes[asked.time][rows], side="right")
        weighed = hazard * design
        added = _whole(np.hstack([hazard, weighed, weighed[:, upper[0]] * design[:, upper[1]]]), asked.bits)
        np.add.at(risk, point, added)
        happened = (codes[asked.event][rows] == event) & (point < points)
        events += np.bincount(point[happened], minlength=points)
        with_event += _whole(design[happened], asked.bits).sum(axis=0)
    first = {"events": events, "with event": with_event} if not opened else {}
    last = {"beyond": beyond} if len(opened) == asked.rounds - 1 else {}
    return {"risk": risk.ravel(), **first, **last}


def _pieces(codes: Mapping[str, Codes], names: Sequence[str]) -> Iterator[NDArray[np.intp]]:
    """The numbers of the rows in which nothing is missing, a bounded number at a time."""
    there = np.flatnonzero(np.logical_and.reduce([codes[name] != MISSING for name in names]))
    for start in range(0, len(there), PIECE_ROWS):
        yield there[start : start + PIECE_ROWS]


def _within_one(
    rows: NDArray[np.intp], asked: LogisticRegression | CoxRegression, schema: Schema, codes: Mapping[str, Codes]
) -> Floats:
    """The predictors, each within [-1, 1] over its declared range; shape (rows, predictors)."""
    return np.column_stack(
        [
            (2 * codes[name][rows].astype(np.int64) - (schema.column(name).size - 1)) / most
            for name, most in zip(asked.predictors, asked.reaches(schema), strict=True)
        ]
    )


def _whole(values: Floats, bits: int) -> Integers:
    """The nearest whole numbers of 2^-bits."""
    return np.rint(np.ldexp(values, bits)).astype(np.int64)
