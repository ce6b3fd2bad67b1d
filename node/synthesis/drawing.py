"""Rows from a model: every column in turn given the ones before, with as little chance as an unbiased draw allows."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from node.noise.stream import NoiseStream, Stage
from node.synthesis.bins import Bins
from node.synthesis.cells import Cells, Floats
from node.synthesis.columns import Columns
from node.synthesis.generator import Cancelled, stop_if
from node.synthesis.junction import Step
from node.synthesis.mending import Coded, mended

LOT_BITS = 40

Drawn = NDArray[np.int16]


def draw_bins(steps: Sequence[Step], rows: int, noise: NoiseStream, cancelled: Cancelled) -> dict[int, Drawn]:
    """For each column the bins of `rows` rows. `steps`: one for each column, parents first. Raises `Stopped` if cancelled."""
    bins: dict[int, Drawn] = {}
    for step in steps:
        stop_if(cancelled)
        sizes = step.weights.shape
        group = np.zeros(rows, np.intp)
        for parent, size in zip(step.parents, sizes, strict=False):
            group *= size
            group += bins[parent]
        conditional = step.weights.reshape(-1, sizes[-1])
        bins[step.column] = spread(conditional, group, noise.stage(f"bins/{step.column}")).astype(np.int16)
    return bins


def draw_table(
    steps: Sequence[Step],
    columns: Columns,
    schema: Schema,
    only: Sequence[Condition],
    rows: int,
    noise: NoiseStream,
    cancelled: Cancelled,
) -> pa.Table:
    """A coded table of `rows` rows, each of which keeps the schema's constraints and meets `only`.

    `steps`: one for each column, parents first, of a model that knows of `only`, as `columns` do. Raises `Stopped` if
    cancelled, `Invalid` where no row keeps them all.
    """
    return finished_table(
        lambda count, part: draw_bins(steps, count, part, cancelled), columns, schema, only, rows, noise
    )


def finished_table(
    draw: Callable[[int, NoiseStream], dict[int, Drawn]],
    columns: Columns,
    schema: Schema,
    only: Sequence[Condition],
    rows: int,
    noise: NoiseStream,
) -> pa.Table:
    """As `draw_table`, of any model. `draw`: gives for each column the bins of so many rows; it is asked once for all rows
    with `noise` itself, and again with a part of it for rows that break a constraint. Raises as `draw` does."""

    def of_column(place: int, bins: dict[int, Drawn], part: NoiseStream) -> NDArray[np.int64]:
        return codes_within(columns.cells[place], columns.bins[place], bins[place], part.stage(f"codes/{place}"))

    def coded(bins: dict[int, Drawn], part: NoiseStream) -> Coded:
        return {column.name: of_column(place, bins, part) for place, column in enumerate(schema.columns)}

    def within(places: NDArray[np.intp], part: NoiseStream) -> Coded:
        return coded({place: drawn[places] for place, drawn in bins.items()}, part)

    def whole(count: int, part: NoiseStream) -> Coded:
        return coded(draw(count, part), part)

    bins = draw(rows, noise)
    kept: Coded = {}
    if schema.constraints or only:
        kept = mended(coded(bins, noise), schema, only, within, whole, noise.part("mending"))
    arrays = []
    for place, column in enumerate(schema.columns):
        codes = (kept.pop(column.name) if kept else of_column(place, bins, noise)).astype(np.int32)
        arrays.append(pa.array(codes, mask=codes < 0 if column.missing else None))
    return pa.table(arrays, names=list(schema.names))


def spread(weights: Floats, group: NDArray[np.intp], stage: Stage) -> NDArray[np.intp]:
    """For each row a value drawn by the weights of its group, the rows of one group spread evenly over them.

    `weights`: shape (groups, values), >= 0; a group without weight takes every value alike. `group`: shape (rows,).
    Each row alone has exactly the group's distribution; how often a value occurs in a group of m rows differs from
    its expectation by less than 2. Source: stratified sampling, Owen 2013, Section 8.4.
    """
    weights = np.where(weights.sum(axis=1, keepdims=True) > 0, weights, 1.0)
    cumulative = np.cumsum(weights, axis=1)
    cumulative = cumulative / cumulative[:, -1:]
    words = stage.words(2 * len(group))
    lots = group.astype(np.uint64) << np.uint64(LOT_BITS) | words[: len(group)] >> np.uint64(64 - LOT_BITS)
    shuffled = np.argsort(lots, kind="stable")
    sizes = np.bincount(group, minlength=len(weights))
    rank = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    within = (words[len(group) :][shuffled] >> np.uint64(11)).astype(np.float64) / 2.0**53
    place = group[shuffled] + np.minimum((rank + within) / sizes[group[shuffled]], 1 - 2.0**-30)
    offsets = cumulative + np.arange(len(weights))[:, None]
    found = np.searchsorted(offsets.ravel(), place, side="right") - group[shuffled] * weights.shape[1]
    values = np.empty(len(group), np.intp)
    values[shuffled] = np.minimum(found, weights.shape[1] - 1)
    return values


def codes_within(cells: Cells, bins: Bins, drawn: Drawn, stage: Stage) -> NDArray[np.int64]:
    """Codes within the drawn bins: a cell by its released mass, and any of its codes; -1 for missing."""
    codes = np.full(len(drawn), -1, np.int64)
    present = np.flatnonzero(drawn < bins.of_cell.max() + 1)
    within = np.zeros((int(bins.of_cell.max()) + 1, len(cells.masses)))
    within[bins.of_cell, np.arange(len(cells.masses))] = cells.masses
    empty = within.sum(axis=1) == 0
    member = bins.of_cell[None, :] == np.arange(len(within))[:, None]
    within = np.where(empty[:, None] & member, (cells.ends - cells.starts)[None, :], within)
    cell = spread(within, drawn[present].astype(np.intp), stage)
    place = (stage.words(len(present)) >> np.uint64(11)).astype(np.float64) / 2.0**53
    codes[present] = cells.starts[cell] + (place * (cells.ends - cells.starts)[cell]).astype(np.int64)
    return codes
