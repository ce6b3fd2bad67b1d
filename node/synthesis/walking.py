"""Rows of a strand drawn person by person in time: each from the one before, none that breaks what is declared."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.schema import MAIN, Schema
from marketplace.scores.constraints import MISSING, keep_all
from node.nesting import Codes, Rows, Strand
from node.noise.stream import NoiseStream
from node.synthesis.columns import Columns
from node.synthesis.conditional import Bins, Conditional
from node.synthesis.drawing import codes_within
from node.synthesis.generator import Cancelled, stop_if
from node.synthesis.mending import add_up
from node.synthesis.transitions import Layout, records_of

TURNS = 12

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Crowd:
    """The synthetic persons as a strand sees them. `given`: codes of `Layout.person_names`, shape (persons, columns).

    `fixed`: codes of the main table's columns that stand beside the strand's own in its rows, by name.
    """

    given: Codes
    fixed: dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Model:
    """How rows follow each other: the columns of a transition and what is drawn of them given the rest."""

    layout: Layout
    columns: Columns
    conditional: Conditional


def walked(
    strand: Strand,
    schema: Schema,
    model: Model | None,
    crowd: Crowd,
    counts: NDArray[np.int64],
    first: Codes,
    noise: NoiseStream,
    cancelled: Cancelled,
) -> Rows:
    """The rows of all persons, of person i `counts[i]` of them or, where none is found that can follow, fewer.

    `schema`: the linked one. `model`: None where no row can follow another. `first`: each person's first row. Times rise
    as the timeline declares, and every row keeps the constraints. Raises `Stopped` if cancelled.
    """
    counts, first = _begun(strand, schema, crowd, counts, first, noise)
    alive = np.flatnonzero(counts > 0)
    current, owners, codes = first[alive], [alive], [first[alive]]
    for step in range(1, strand.schema.rows_per_person if model is not None else 1):
        stop_if(cancelled)
        stay = counts[alive] > step
        alive, current = alive[stay], current[stay]
        if model is None or not alive.size:
            break
        following, found = _next(model, schema, crowd, alive, current, noise.part(f"step/{step}"))
        alive, current = alive[found], following[found]
        owners.append(alive)
        codes.append(current)
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return Rows(np.concatenate(codes)[order], np.bincount(owner, minlength=len(counts)).astype(np.int64))


def _begun(
    strand: Strand, schema: Schema, crowd: Crowd, counts: NDArray[np.int64], first: Codes, noise: NoiseStream
) -> tuple[NDArray[np.int64], Codes]:
    """Counts and first rows, those that break what is declared replaced by others' that do not; none where there is none."""
    some = np.flatnonzero(counts > 0)
    good = _keeps(strand, schema, crowd, some, first[some])
    wrong, right = some[~good], some[good]
    counts, first = counts.copy(), first.copy()
    if wrong.size and right.size:
        first[wrong] = first[right[noise.stage("first").integers_below(right.size, wrong.size)]]
        wrong = wrong[~_keeps(strand, schema, crowd, wrong, first[wrong])]
    counts[wrong] = 0
    return counts, first


def _next(
    model: Model, schema: Schema, crowd: Crowd, alive: NDArray[np.intp], current: Codes, noise: NoiseStream
) -> tuple[Codes, Flags]:
    """The row that follows `current` of each person `alive`, and where one was found that keeps what is declared."""
    layout = model.layout
    known = np.concatenate([crowd.given[alive], current], axis=1)
    records = records_of(known, 1)
    given = records.binned(
        [model.columns.cells[i] for i in layout.given], [model.columns.bins[i] for i in layout.given]
    )
    following, left = current.copy(), np.arange(len(alive))
    for turn in range(TURNS):
        part = noise.part(f"turn/{turn}")
        bins = {place: given.columns[place][left] for place in layout.given}
        drawn = model.conditional.draw(bins, len(left), part.stage("bins"))
        made, in_time = _coded(model, current[left], drawn, part)
        made = _summed(layout.strand, schema, crowd, alive[left], made)
        good = in_time & _keeps(layout.strand, schema, crowd, alive[left], made)
        following[left[good]] = made[good]
        left = left[~good]
        if not left.size:
            break
    found = np.ones(len(alive), np.bool_)
    found[left] = False
    return following, found


def _coded(model: Model, current: Codes, drawn: dict[int, Bins], noise: NoiseStream) -> tuple[Codes, Flags]:
    """Rows with codes within the drawn bins, their time that of `current` and the gap, and which are within the bounds."""
    layout, made = model.layout, current.copy()

    def codes(target: int) -> NDArray[np.int64]:
        cells, bins = model.columns.cells[target], model.columns.bins[target]
        return codes_within(cells, bins, drawn[target].astype(np.int16), noise.stage(f"codes/{target}"))

    gap, *others = layout.targets
    reached = current[:, layout.time] + codes(gap) + layout.least_gap
    last = layout.strand.schema.columns[layout.time].size - 1
    made[:, layout.time] = np.minimum(reached, last)
    for place, target in zip(layout.kept, others, strict=True):
        made[:, place] = codes(target)
    return made, reached <= last


def _beside(strand: Strand, crowd: Crowd, who: NDArray[np.intp], rows: Codes) -> dict[str, NDArray[np.int64]]:
    own = {name: rows[:, place].astype(np.int64) for place, name in enumerate(strand.schema.names)}
    return {**{name: codes[who] for name, codes in crowd.fixed.items()}, **own}


def _declared(strand: Strand, schema: Schema) -> Schema:
    """Whose constraints hold of the strand's rows."""
    return schema if strand.name == MAIN else strand.schema


def _keeps(strand: Strand, schema: Schema, crowd: Crowd, who: NDArray[np.intp], rows: Codes) -> Flags:
    """Which rows have a value wherever one is declared, and keep the constraints."""
    never = [place for place, column in enumerate(strand.schema.columns) if not column.missing]
    there = (rows[:, never] != MISSING).all(axis=1)
    return np.asarray(there & keep_all(_declared(strand, schema), (), _beside(strand, crowd, who, rows)))


def _summed(strand: Strand, schema: Schema, crowd: Crowd, who: NDArray[np.intp], rows: Codes) -> Codes:
    """The rows with totals that are sums of their parts, but for their time."""
    codes = _beside(strand, crowd, who, rows)
    add_up(_declared(strand, schema), codes)
    assert strand.schema.timeline is not None
    summed = rows.copy()
    for place, name in enumerate(strand.schema.names):
        if name != strand.schema.timeline.column:
            summed[:, place] = codes[name]
    return summed


def restricted(columns: Columns, places: Sequence[int]) -> Columns:
    """The columns at these places."""
    cells, bins = (tuple(parts[place] for place in places) for parts in (columns.cells, columns.bins))
    return Columns(cells, bins, columns.total)  # type: ignore[arg-type]
