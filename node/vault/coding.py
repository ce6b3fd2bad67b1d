"""From texts to the codes of a declared schema, and every way in which records can contradict it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol.schema import Category, Column, Number, Schema
from marketplace.scores.constraints import keep
from node.vault.cells import MISSING, is_infinite, is_number
from node.vault.identifiers import looks_like_identifier
from node.vault.records import Records

Codes = NDArray[np.int32]

_EXACT = Context(prec=4_000)
_REMEMBERED = 200_000


class Fault(IntEnum):
    """What a cell says against the schema, in place of its code."""

    UNEXPECTED_MISSING = -2
    UNDECLARED = -3
    NOT_A_NUMBER = -4
    INFINITE = -5
    OUTSIDE = -6


MISSING_CODE = -1

_WORDS = {
    Fault.UNEXPECTED_MISSING: "missing cells where the schema allows none",
    Fault.UNDECLARED: "cells outside the declared categories",
    Fault.NOT_A_NUMBER: "cells that are no numbers",
    Fault.INFINITE: "infinite numbers",
    Fault.OUTSIDE: "cells outside the declared bounds",
}


@dataclass(frozen=True)
class Coded:
    """Records as codes. `rows`: one line per record, one column per declared column, -1 for missing.

    `identities`: what `identify` made of each record's person, in the same order; None without a person column.
    """

    rows: Codes
    identities: list[bytes] | None


def code(records: Records, schema: Schema, identify: Callable[[str], bytes]) -> Coded:
    """All records of the declared columns as codes; columns that the schema does not declare are not read.

    `identify` turns the text in the person column into what stands for that person from here on.
    Raises `Invalid` with counts and columns, never values, where the records contradict the schema, where a column
    is all missing, and where a declared column looks like a direct identifier.
    """
    names = _wanted(records, schema)
    coders = [_Coder(column) for column in schema.columns]
    persons = _Persons(identify)
    parts, identities = list[Codes](), list[bytes]()
    faults = _Faults(schema)
    for batch in records.batches(names):
        lines = len(batch.columns[0])
        part = np.empty((lines, len(coders)), dtype=np.int32)
        for place, coder in enumerate(coders):
            part[:, place] = np.fromiter(map(coder.__getitem__, batch.columns[place]), dtype=np.int32, count=lines)
        faults.note(part, batch.first)
        parts.append(part)
        if schema.person is not None:
            identities.extend(map(persons.__getitem__, batch.columns[-1]))
    faults.check(persons.missing)
    rows = np.concatenate(parts)
    _check_columns(rows, schema)
    _check_constraints(rows, schema)
    return Coded(rows, identities if schema.person is not None else None)


def code_of(column: Column, text: str) -> int:
    """The code that `column` declares for the cell `text`: 0 or more, -1 for missing, or a `Fault`.

    A number goes to the nearest point of the grid, exactly, a tie to the even code.
    """
    if text in MISSING:
        return MISSING_CODE if column.missing else Fault.UNEXPECTED_MISSING
    if isinstance(column, Category):
        return column.values.index(text) if text in column.values else Fault.UNDECLARED
    return _number_code(column, text)


def _number_code(column: Number, text: str) -> int:
    if not is_number(text):
        return Fault.INFINITE if is_infinite(text) else Fault.NOT_A_NUMBER
    value = Decimal(text)
    if not column.lower <= value <= column.upper:
        return Fault.OUTSIDE
    quotient, rest = _EXACT.divmod(_EXACT.subtract(value, column.lower), column.step)
    below, twice = int(quotient), _EXACT.add(rest, rest)
    nearer_above = twice > column.step or (twice == column.step and below % 2 == 1)
    return below + 1 if nearer_above else below


class _Coder(dict[str, int]):
    """Remembers the codes of texts of one column, so that each different text is worked out once."""

    def __init__(self, column: Column) -> None:
        super().__init__(
            {value: place for place, value in enumerate(column.values)} if isinstance(column, Category) else {}
        )
        self._column = column

    def __missing__(self, text: str) -> int:
        found = code_of(self._column, text)
        if len(self) < _REMEMBERED:
            self[text] = found
        return found


class _Persons(dict[str, bytes]):
    """Remembers what stands for each person, and counts the cells that name none."""

    def __init__(self, identify: Callable[[str], bytes]) -> None:
        super().__init__()
        self._identify = identify
        self.missing = 0

    def __missing__(self, text: str) -> bytes:
        if text in MISSING:
            self.missing += 1
            return b""
        self[text] = identity = self._identify(text)
        return identity


class _Faults:
    """Counts the cells that contradict the schema, by column and kind, with the first record of each."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._counts: dict[tuple[int, Fault], int] = {}
        self._first: dict[tuple[int, Fault], int] = {}

    def note(self, part: Codes, first: int) -> None:
        if part.min() >= MISSING_CODE:
            return
        for place in range(part.shape[1]):
            for fault in Fault:
                found = np.flatnonzero(part[:, place] == fault)
                if len(found):
                    self._counts[place, fault] = self._counts.get((place, fault), 0) + len(found)
                    self._first.setdefault((place, fault), first + int(found[0]))

    def check(self, persons_missing: int) -> None:
        complaints = [
            f"column {self._schema.names[place]!r}: {count} {_WORDS[fault]}, "
            f"the first in record {self._first[place, fault]}"
            for (place, fault), count in sorted(self._counts.items())
        ]
        if persons_missing:
            complaints.append(f"person column {self._schema.person!r}: {persons_missing} missing cells")
        if complaints:
            more = f"; {len(complaints) - 5} complaints more" if len(complaints) > 5 else ""
            raise Invalid(
                f"expected records as the schema declares them, got {'; '.join(complaints[:5])}{more}; "
                "correct the records or declare another schema"
            )


def _wanted(records: Records, schema: Schema) -> Sequence[str]:
    if len(schema.columns) < 2:
        raise Invalid("expected at least 2 declared columns, got 1; one column alone has no relations to learn")
    names = [*schema.names, *([schema.person] if schema.person is not None else [])]
    lacking = [name for name in names if name not in records.names]
    if lacking:
        what = "person column" if lacking == [schema.person] else "declared columns"
        raise Invalid(
            f"expected the {what} {', '.join(map(repr, lacking))} in the file, got none of that name; check it"
        )
    for column in schema.columns:
        if isinstance(column, Category) and not MISSING.isdisjoint(column.values):
            raise Invalid(
                f"column {column.name!r}: expected categories that do not read as missing; rename that category in the "
                "records and in the schema"
            )
    return names


def _check_constraints(rows: Codes, schema: Schema) -> None:
    codes = {name: rows[:, place] for place, name in enumerate(schema.names)}
    for constraint in schema.constraints:
        broken = int((~keep(constraint, schema, codes)).sum())
        if broken:
            raise Invalid(
                f"constraint on {', '.join(constraint.columns)}: expected it to hold in every record, {broken} do not keep "
                "it; correct them or declare what is true"
            )


def _check_columns(rows: Codes, schema: Schema) -> None:
    for place, column in enumerate(schema.columns):
        known = rows[:, place][rows[:, place] >= 0]
        if not len(known):
            raise Invalid(f"column {column.name!r}: expected values, got a column that is all missing; exclude it")
        if looks_like_identifier(column.name, len(np.unique(known)), len(known)):
            raise Invalid(
                f"column {column.name!r}: expected no direct identifiers, got one by its name and its many different "
                "values; leave it out of the schema or declare it as the person column"
            )
