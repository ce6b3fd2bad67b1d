"""What declared constraints and conditions say about bins: which combinations no row can have, and how much of a bin is
left. Told from the schema and from released cells alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import prod

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.constraints import Condition, Implies, Linear
from marketplace.protocol.schema import Schema
from marketplace.scores.constraints import MISSING, meet
from node.synthesis.bins import Bins
from node.synthesis.cells import Cells, Floats
from node.synthesis.columns import Columns
from node.synthesis.structure import Marginal

FORBIDDEN = -1_000.0
BARRIER_CELLS = 20_000


@dataclass(frozen=True)
class Barrier:
    """For each combination of bins of `columns`, one axis each: 0 where some row can have it, `FORBIDDEN` elsewhere."""

    columns: Marginal
    logs: Floats


def barriers_of(schema: Schema, columns: Columns) -> list[Barrier]:
    """One barrier for each constraint; none for one over so many bins that a table of them would be too large.

    Rows can break a constraint within the bins that a barrier allows, and where there is none.
    """
    found = []
    for constraint in schema.constraints:
        places = tuple(sorted({schema.names.index(name) for name in constraint.columns}))
        if prod(columns.sizes[place] for place in places) > BARRIER_CELLS:
            continue
        if isinstance(constraint, Implies):
            possible = _of_implication(constraint, places, schema, columns)
        else:
            possible = _of_linear(constraint.linear(schema.by_name), places, schema, columns)
        if not possible.all():
            found.append(Barrier(places, np.where(possible, 0.0, FORBIDDEN)))
    return found


def narrowed(schema: Schema, columns: Columns, only: Sequence[Condition]) -> tuple[Columns, Floats]:
    """The columns with what the conditions leave of each cell, and the logarithm of what they leave of each bin's mass.

    The second has the bins of all columns one after the other; `FORBIDDEN` where nothing is left.
    """
    cells, logs = list(columns.cells), [np.zeros(size) for size in columns.sizes]
    for place, column in enumerate(schema.columns):
        conditions = [condition for condition in only if condition.column == column.name]
        if not conditions:
            continue
        codes = np.arange(-1, column.size)
        met = reduce(np.logical_and, [meet(condition, schema, codes) for condition in conditions])
        before, bins = columns.cells[place], columns.bins[place]
        cells[place] = _clipped(before, met[1:])
        share = _shares(before, cells[place], bins)
        if column.missing:
            share = np.append(share, float(met[0]))
        logs[place] = np.where(share > 0, np.log(np.maximum(share, np.exp(FORBIDDEN / 2))), FORBIDDEN)
    return replace(columns, cells=tuple(cells)), np.concatenate(logs)


def _clipped(cells: Cells, met: NDArray[np.bool_]) -> Cells:
    """The cells with the codes that `met` leaves of each, which are neighbours: one code, or a span of a number."""
    passed = np.concatenate([[0], np.cumsum(met)])
    left = passed[cells.ends] - passed[cells.starts]
    first = np.searchsorted(passed, passed[cells.starts], side="right") - 1
    starts = np.where(left > 0, first, cells.starts)
    share = left / (cells.ends - cells.starts)
    return replace(cells, starts=starts, ends=starts + left, masses=cells.masses * share)


def _shares(before: Cells, after: Cells, bins: Bins) -> Floats:
    """What is left of the mass of each bin but the missing one; of its codes where it holds no mass."""
    masses = [np.bincount(bins.of_cell, weights=cells.masses) for cells in (before, after)]
    codes = [np.bincount(bins.of_cell, weights=cells.ends - cells.starts) for cells in (before, after)]
    by_codes = codes[1] / codes[0]
    by_mass = np.divide(masses[1], masses[0], out=by_codes.copy(), where=masses[0] > 0)
    return np.asarray(np.where((by_mass == 0) & (by_codes > 0), np.exp(FORBIDDEN / 4), by_mass))


def _of_linear(linear: Linear, places: Marginal, schema: Schema, columns: Columns) -> NDArray[np.bool_]:
    least, most = (np.full([1] * len(places), float(linear.offset)) for _ in range(2))
    for name, weight in linear.weights:
        place = schema.names.index(name)
        cells, bins = columns.cells[place], columns.bins[place]
        count = int(bins.of_cell.max()) + 1
        low, high = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(low, bins.of_cell, cells.starts)
        np.maximum.at(high, bins.of_cell, cells.ends - 1)
        ends = np.sort(np.stack([low * weight, high * weight]), axis=0)
        if columns.cells[place].missing is not None:
            ends = np.append(ends, [[-np.inf], [np.inf]], axis=1)
        shape = [-1 if axis == places.index(place) else 1 for axis in range(len(places))]
        least, most = least + ends[0].reshape(shape), most + ends[1].reshape(shape)
    return np.asarray((least <= 0) & (most >= 0) if linear.equal else least <= 0)


def _of_implication(constraint: Implies, places: Marginal, schema: Schema, columns: Columns) -> NDArray[np.bool_]:
    when, then = constraint.when, constraint.then
    left, right = schema.names.index(when.column), schema.names.index(then.column)
    if left == right:
        codes = _all_codes(schema, columns, left)
        return _some(~meet(when, schema, codes) | meet(then, schema, codes), columns, left, codes)
    left_codes, right_codes = _all_codes(schema, columns, left), _all_codes(schema, columns, right)
    fails = _some(~meet(when, schema, left_codes), columns, left, left_codes)
    holds = _some(meet(then, schema, right_codes), columns, right, right_codes)
    possible = fails[:, None] | holds[None, :]
    return possible if places == (left, right) else possible.T


def _all_codes(schema: Schema, columns: Columns, place: int) -> NDArray[np.int64]:
    first = MISSING if schema.columns[place].missing else 0
    return np.arange(first, int(columns.cells[place].ends.max()))


def _some(flags: NDArray[np.bool_], columns: Columns, place: int, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each bin whether one of its codes has the flag."""
    cells, bins = columns.cells[place], columns.bins[place]
    cell = np.searchsorted(cells.starts, np.maximum(codes, 0), side="right") - 1
    of_code = np.where(codes == MISSING, bins.size - 1, bins.of_cell[cell])
    return np.asarray(np.bincount(of_code, weights=flags, minlength=bins.size) > 0)
