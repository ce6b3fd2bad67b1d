"""Coded tables brought together under their persons: rules that look at one person's rows alone.

Of a person's rows in a table with a timeline the first in time are used; rows at the same time are put in order by their
codes, so that the order of the file has no say.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol.schema import MAIN, Schema, Timeline
from node.nesting import Rows, Strand, nest, person_columns, strands_of
from node.vault.bounding import Bounded, Tags, bound, bytes_of, tags_of
from node.vault.coding import Coded, Codes

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Linked:
    """A nested table, its persons in an order that the dataset's secret decides, and which of them are held out.

    `rows`: how many rows of the main table are within the bound, `holdout_rows` of them in the holdout.
    """

    table: pa.Table
    persons: Bounded
    rows: int
    holdout_rows: int


def link(coded: Sequence[Coded], schema: Schema, secret: bytes, *, holdout_percent: int) -> Linked:
    """The main table (first of `coded`) and the further ones, in the schema's order, under their persons.

    Raises `Invalid` with counts, never values, where a person's rows differ in a fixed column, two rows of a person are at
    one time of a strict timeline, a person is twice in a table without a timeline, or a further table has rows of persons
    that the main one lacks.
    """
    main = coded[0]
    if schema.timeline is None:
        _check_once(MAIN, len(main.rows), len(np.unique(_tags(main), axis=0)))
    persons = main if schema.timeline is None else _persons(main, schema)
    used = bound(persons, secret, rows_per_person=1, holdout_percent=holdout_percent)
    number = {identity: place for place, identity in enumerate(bytes_of(used.identity))}
    strands = strands_of(schema)
    tables = coded if schema.timeline is not None else coded[1:]
    rows = [_rows(strand, table, schema, number) for strand, table in zip(strands, tables, strict=True)]
    counts = np.ones(len(used.places), np.int64) if schema.timeline is None else rows[0].counts
    table = nest(schema, persons.rows[used.places], rows)
    return Linked(table, used, int(counts.sum()), int(counts[used.held_out].sum()))


def _persons(main: Coded, schema: Schema) -> Coded:
    """Each person once, with the columns that are fixed."""
    places = [schema.names.index(column.name) for column in person_columns(schema)]
    codes, tags = main.rows[:, places], _tags(main)
    different, first, person = np.unique(tags, axis=0, return_index=True, return_inverse=True)
    unlike = (codes != codes[first][person.ravel()]).any(axis=0)
    if unlike.any():
        named = ", ".join(repr(schema.names[place]) for place, each in zip(places, unlike, strict=True) if each)
        raise Invalid(
            f"expected {named} to be alike in all rows of a person, got persons in whom they differ; correct the records or "
            "do not declare them as fixed"
        )
    return Coded(codes[first], bytes_of(different))


def _rows(strand: Strand, table: Coded, schema: Schema, number: dict[bytes, int]) -> Rows:
    person = np.array([number.get(identity, -1) for identity in table.identities or ()], np.int64)
    lost = int((person < 0).sum())
    if lost:
        raise Invalid(
            f"table {strand.name!r}: expected every row under a person of the main table, {lost} rows are under none; "
            "complete the main table or leave them out"
        )
    declared = schema.names if strand.name == MAIN else strand.schema.names
    codes = table.rows[:, [declared.index(name) for name in strand.schema.names]]
    order = _in_time(codes, person, strand.schema)
    codes, person = codes[order], person[order]
    rank = np.arange(len(person)) - np.searchsorted(person, person)
    kept = rank < strand.schema.rows_per_person
    if strand.schema.timeline is None:
        _check_once(strand.name, len(person), len(np.unique(person)))
    elif strand.schema.timeline.strict:
        _check_strict(strand, strand.schema.timeline, codes, person)
    return Rows(codes[kept], np.bincount(person[kept], minlength=len(number)).astype(np.int64))


def _in_time(codes: Codes, person: Places, schema: Schema) -> Places:
    columns = [codes[:, place] for place in range(codes.shape[1])]
    if schema.timeline is not None:
        columns.insert(0, columns.pop(schema.names.index(schema.timeline.column)))
    return np.lexsort(np.stack([*reversed(columns), person]))


def _check_once(table: str, rows: int, persons: int) -> None:
    if rows > persons:
        raise Invalid(
            f"table {table!r}: expected every person once where rows have no timeline, {rows - persons} rows are of a person "
            "that has one already; leave them out, or declare a timeline"
        )


def _check_strict(strand: Strand, timeline: Timeline, codes: Codes, person: Places) -> None:
    at = codes[:, strand.schema.names.index(timeline.column)]
    twice = int(((person[1:] == person[:-1]) & (at[1:] == at[:-1])).sum())
    if twice:
        raise Invalid(
            f"table {strand.name!r}, column {timeline.column!r}: expected no two rows of a person at one time, "
            f"{twice} rows are at the time of another; correct them, or declare a timeline that is not strict"
        )


def _tags(coded: Coded) -> Tags:
    return tags_of(coded.identities or [])
