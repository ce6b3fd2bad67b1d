"""What one party's node hands in of its own persons for the twin of a split table: the one module of it that sees records."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.crossing import Side
from node.evaluation.codes import frame_of
from node.synthesis.columns import Question
from node.synthesis.records import MISSING, Records
from node.twin.rounds import CellRound, MarginalRound, RowRound, ScoreRound, SketchRound
from node.twin.split import Split
from node.twin.vertical import VerticalTwin

Integers = NDArray[np.int64]


def marks(
    twin: VerticalTwin, side: Side, table: pa.Table, placed: tuple[Integers, Integers], opened: Opened = ()
) -> Integers:
    """What a party of a `side` hands in for the next round, without noise: for its own process alone, shape (parts, buckets).

    `table`: coded, a row for each person; `placed`: the bucket and the sign of each. 0 where a bucket has none of its persons
    or several, or its person no cell of a part; else the cell, counted from 1, with the person's sign. For scores, who does not
    meet the order's conditions on these columns is nobody. Raises `Invalid`, naming the column, for a table of another schema.
    """
    split = twin.split
    step = twin.next_round(opened)
    if step is None:
        return np.zeros((0, split.buckets), np.int64)
    (buckets, signs), records = placed, Records.of_table(table, split.schema(side))
    if isinstance(step, ScoreRound):
        frame = frame_of(table, split.schema(side))
        met = step.scoring.meeting(frame)
        (buckets, signs), codes = (buckets[met], signs[met]), _as_scored(step, frame[met])
    else:
        codes = _codes(step, split, side, records)
    alone = np.bincount(buckets, minlength=split.buckets)[buckets] == 1
    parts = split.layout(step).parts[side]
    found = np.zeros((len(parts), split.buckets), np.int64)
    for row, part in zip(found, parts, strict=True):
        cell, there = np.zeros(len(buckets), np.int64), alone.copy()
        for axis in part:
            cell = cell * axis.size + codes[axis.of] // axis.divisor % axis.size
            there &= codes[axis.of] >= 0
        row[buckets[there]] = signs[there] * (cell[there] + 1)
    return found


def _as_scored(step: ScoreRound, frame: pd.DataFrame) -> dict[int, Integers]:
    """Of each column of `frame` as it is scored the cell of every person, -1 for none."""
    cuts = enumerate(step.cuts)
    return {number: cut.cells(frame[cut.column].to_numpy()) for number, cut in cuts if cut.column in frame}


def _codes(step: RowRound, split: Split, side: Side, records: Records) -> dict[int, Integers]:
    """Of each question or column at this side the cell of every person, -1 for none."""
    places = split.places(side)
    own = slice(places.start, places.stop)
    match step:
        case CellRound(questions=questions):
            return {
                axis: _in_cells(records, replace(one, place=one.place - places.start))
                for axis, one in enumerate(questions)
                if one.place in places
            }
        case SketchRound(sketch=sketch):
            binned = records.binned(sketch.columns.cells[own], sketch.columns.bins[own])
            grouped = zip(places, sketch.groups[own], binned.columns, strict=True)
            return {place: of_bin[bins].astype(np.int64) for place, of_bin, bins in grouped}
        case MarginalRound(columns=columns):
            binned = records.binned(columns.cells[own], columns.bins[own])
            return {place: bins.astype(np.int64) for place, bins in zip(places, binned.columns, strict=True)}


def _in_cells(records: Records, asked: Question) -> Integers:
    """The cell of each person in a column of `records`, -1 for none; missing is the one after the last, where it is asked for."""
    codes = records.columns[asked.place].fill_null(MISSING).to_numpy()
    found = np.searchsorted(asked.starts, codes, side="right") - 1
    inside = (found >= 0) & (codes < np.asarray(asked.ends)[found])
    missing = len(asked.starts) if asked.with_missing else -1
    return np.where(codes == MISSING, missing, np.where(inside, found, -1)).astype(np.int64)
