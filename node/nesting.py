"""Rows that hang together under persons, as one table with a line for each person: what vault, generators and scores share.

A nested table has the columns in which a person is one and the same as int32, null for missing; after them, for each
strand, a list of the person's rows in time. So whatever is done to whole persons is done to all their tables at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.protocol.result import sheets
from marketplace.protocol.schema import MAIN, OWN_PREFIX, Column, Schema

MISSING = -1

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Strand:
    """A table of which a person may have several rows: a further one, or the visits in the main one.

    `schema`: what is declared of it, without the columns that are fixed within a person. `least_rows`: of a person.
    """

    name: str
    schema: Schema
    least_rows: int

    @property
    def field(self) -> str:
        """The name of its column in a nested table."""
        return OWN_PREFIX + self.name


@dataclass(frozen=True)
class Rows:
    """The rows of one strand. `codes`: shape (rows, columns), -1 for missing, person by person, in time.

    `counts`: how many each person has.
    """

    codes: Codes
    counts: NDArray[np.int64]


def person_columns(schema: Schema) -> tuple[Column, ...]:
    """The columns in which a person is one and the same, in the main table's order."""
    return tuple(column for column in schema.columns if schema.timeline is None or column.name in schema.fixed)


def strands_of(schema: Schema) -> tuple[Strand, ...]:
    """The strands of a linked schema: the visits in the main table, where it has a timeline, and the further tables."""
    found = [Strand(table.name, table.schema, 0) for table in schema.tables]
    if schema.timeline is not None:
        visits = tuple(column for column in schema.columns if column.name not in schema.fixed)
        found.insert(0, Strand(MAIN, replace(schema, columns=visits, constraints=(), fixed=(), tables=()), 1))
    return tuple(found)


def nested_type(schema: Schema) -> pa.Schema:
    """The columns of a nested table and their types."""
    flat = [pa.field(column.name, pa.int32()) for column in person_columns(schema)]
    lists = [pa.field(strand.field, pa.list_(_row_type(strand))) for strand in strands_of(schema)]
    return pa.schema([*flat, *lists])


def nest(schema: Schema, persons: Codes, strands: Sequence[Rows]) -> pa.Table:
    """A nested table. `persons`: codes of the person columns, shape (persons, columns); `strands`: in order."""
    columns = [_array(persons[:, place]) for place in range(persons.shape[1])]
    for strand, rows in zip(strands_of(schema), strands, strict=True):
        fields = [_array(rows.codes[:, place]) for place in range(rows.codes.shape[1])]
        inner = pa.StructArray.from_arrays(fields, fields=list(_row_type(strand)))
        offsets = pa.array(np.concatenate([[0], np.cumsum(rows.counts)]).astype(np.int32))
        columns.append(pa.ListArray.from_arrays(offsets, inner))
    return pa.Table.from_arrays(columns, schema=nested_type(schema))


def persons_of(table: pa.Table, schema: Schema) -> Codes:
    """The codes of the person columns, shape (persons, columns)."""
    columns = [_codes(table.column(column.name).combine_chunks()) for column in person_columns(schema)]
    return np.stack(columns, axis=1) if columns else np.empty((table.num_rows, 0), np.int32)


def rows_of(table: pa.Table, strand: Strand) -> Rows:
    """The rows of one strand of a nested table."""
    lists = table.column(strand.field).combine_chunks()
    inner = lists.flatten()
    fields = [_codes(inner.field(place)) for place in range(len(strand.schema.columns))]
    counts = lists.value_lengths().fill_null(MISSING).to_numpy(zero_copy_only=False).astype(np.int64)
    return Rows(np.stack(fields, axis=1), counts)


def flat_tables(table: pa.Table, schema: Schema) -> tuple[pa.Table, ...]:
    """The tables of a result in the order of its sheets, coded, the person number first: person i of the nested table has
    code i."""
    persons = persons_of(table, schema)
    found = {strand.name: (strand, rows_of(table, strand)) for strand in strands_of(schema)}
    whole = np.arange(table.num_rows)
    tables = []
    for sheet, name in zip(sheets(schema), (MAIN, *(each.name for each in schema.tables)), strict=True):
        strand, rows = found.get(name, (None, None))
        numbers = whole if rows is None else np.repeat(whole, rows.counts)
        codes: dict[str, Codes] = {}
        if name == MAIN:
            columns = person_columns(schema)
            codes = {column.name: persons[numbers, place] for place, column in enumerate(columns)}
        if strand is not None and rows is not None:
            codes |= {column.name: rows.codes[:, place] for place, column in enumerate(strand.schema.columns)}
        arrays = [_array(numbers.astype(np.int32)), *(_array(codes[part]) for part in sheet.schema.names[1:])]
        tables.append(pa.Table.from_arrays(arrays, names=list(sheet.schema.names)))
    return tuple(tables)


def main_table(table: pa.Table, schema: Schema) -> pa.Table:
    """The main table's rows, coded, without person numbers; a table of a schema without persons as it is."""
    return flat_tables(table, schema)[0].select(list(schema.names)) if schema.is_linked else table


def main_codes(tables: Sequence[pa.Table], schema: Schema) -> dict[str, Codes]:
    """The codes of the main rows of all `tables` together, by column, -1 for missing."""
    rows = main_table(pa.concat_tables(tables), schema)
    return {name: rows.column(name).fill_null(MISSING).to_numpy() for name in schema.names}


def main_lines(table: pa.Table, schema: Schema) -> NDArray[np.int64]:
    """Of each row of the main table, in the order of `main_codes`, the line of `table` that it comes from."""
    if not schema.is_linked:
        return np.arange(table.num_rows)
    lines: NDArray[np.int64] = flat_tables(table, schema)[0].column(0).to_numpy().astype(np.int64)
    return lines


def _row_type(strand: Strand) -> pa.StructType:
    return pa.struct([pa.field(column.name, pa.int32()) for column in strand.schema.columns])


def _array(codes: Codes) -> pa.Array:
    return pa.array(np.ascontiguousarray(codes), mask=codes < 0)


def _codes(array: pa.Array) -> Codes:
    codes: Codes = array.fill_null(MISSING).to_numpy(zero_copy_only=False).astype(np.int32)
    return codes
