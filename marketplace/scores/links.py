"""The tables of a result read together: whether person numbers, times and counts of rows are as a linked schema declares."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketplace.protocol.result import Sheet, sheets
from marketplace.protocol.schema import Schema
from marketplace.scores.codes import read_codes
from marketplace.scores.constraints import keep_all


def read_tables(files: Mapping[str, Path], schema: Schema) -> tuple[pd.DataFrame, ...]:
    """The codes of each sheet's file, in order, with person numbers where there are any. Raises `Corrupt` as `read_codes`."""
    tables = []
    for sheet in sheets(schema):
        with files[sheet.file].open("rb") as source:
            tables.append(read_codes(source, sheet.schema, least_rows=sheet.least_rows))
    return tuple(tables)


def main_codes(tables: Sequence[pd.DataFrame], schema: Schema) -> pd.DataFrame:
    """The main table's codes without person numbers."""
    return tables[0].loc[:, list(schema.names)]


def further_codes(tables: Sequence[pd.DataFrame], schema: Schema) -> tuple[pd.DataFrame, ...]:
    """The further tables' codes without person numbers."""
    return tuple(each.loc[:, list(table.schema.names)] for each, table in zip(tables[1:], schema.tables, strict=True))


def asked_rows(tables: Sequence[pd.DataFrame], schema: Schema) -> int:
    """How many of what a specification asks for are there: persons of a linked schema, rows of another."""
    return int(tables[0].iloc[:, 0].nunique()) if schema.is_linked else len(tables[0])


def link_faults(tables: Sequence[pd.DataFrame], schema: Schema) -> Iterator[str]:
    """Where the tables of a linked schema do not hang together; nothing for another schema.

    Person numbers are 1 to the number of persons, each one's rows together and within the bounds; times do not fall, and
    rise where the timeline is strict; what is fixed stays as it is within a person; further tables keep their constraints.
    """
    if not schema.is_linked:
        return
    persons = asked_rows(tables, schema)
    declared = (schema, *(table.schema for table in schema.tables))
    for sheet, table, each in zip(sheets(schema), tables, declared, strict=True):
        numbers = table.iloc[:, 0].to_numpy()
        if (np.diff(numbers) < 0).any() or (len(numbers) and numbers.max() >= persons):
            yield f"{sheet.file}: rows of a person are apart, or their number is none from 1 to {persons:,}"
            continue
        yield from _row_faults(sheet, table, each, np.bincount(numbers, minlength=persons))


def _row_faults(sheet: Sheet, table: pd.DataFrame, schema: Schema, counts: NDArray[np.intp]) -> Iterator[str]:
    if counts.min(initial=sheet.most_rows) < sheet.least_rows or counts.max(initial=0) > sheet.most_rows:
        yield f"{sheet.file}: a person has not {sheet.least_rows} to {sheet.most_rows} rows"
    same = np.diff(table.iloc[:, 0].to_numpy()) == 0
    if schema.timeline is not None:
        later = np.diff(table[schema.timeline.column].to_numpy())[same]
        if (later < int(schema.timeline.strict)).any():
            yield f"{sheet.file}: rows of a person are not in the order of {schema.timeline.column!r}"
    if sheet.least_rows == 0:
        broken = int((~keep_all(schema, (), {name: table[name].to_numpy() for name in schema.names})).sum())
        if broken:
            yield f"{sheet.file}: {broken:,} rows break a constraint"
    for name in schema.fixed:
        if np.diff(table[name].to_numpy())[same].any():
            yield f"{sheet.file}: {name!r} is not the same in all rows of a person"
