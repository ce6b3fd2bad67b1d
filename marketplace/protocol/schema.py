"""A dataset's schema: what its provider declares about the records, and nothing measured from them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import InvalidOperation
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol import constraints as declared
from marketplace.protocol.columns import (
    LARGEST_CATEGORIES,
    LARGEST_SIZE,
    MOST_DECIMALS,
    Category,
    Column,
    Number,
    cell_bytes,
    column_of,
)
from marketplace.protocol.constraints import Constraint

__all__ = [
    "LARGEST_CATEGORIES",
    "LARGEST_SIZE",
    "MAIN",
    "MOST_DECIMALS",
    "Category",
    "Column",
    "Number",
    "Schema",
    "Table",
    "Timeline",
]

LARGEST_COLUMNS = 200
LARGEST_CONSTRAINTS = 100
LARGEST_TABLES = 8
LONGEST_LINKED_NAME = 100
OWN_PREFIX = "agora:"
TABLE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)
MAIN = "synthetic"
"""What the main table is called in a result, and so no further table."""


@dataclass(frozen=True)
class Timeline:
    """The number, never missing, that puts the rows of one person in order.

    `strict`: no two rows of a person are at the same time. Of more rows than the bound the first in time are used.
    """

    column: str
    strict: bool

    def document(self) -> dict[str, Any]:
        return {"column": self.column, "strict": self.strict}


@dataclass(frozen=True)
class Table:
    """A further table under the persons of the main one, with columns, bound, timeline and constraints of its own.

    A person may have no row in it. In a result it is the file `NAME.csv`.
    """

    name: str
    schema: "Schema"

    def document(self) -> dict[str, Any]:
        return {"name": self.name, **self.schema.document()}


@dataclass(frozen=True)
class Schema:
    """The declared columns in order, the person column, the bound on rows per person, and what holds in every row.

    `person` names the column of the records that tells persons apart; what stands in it never appears in a result. None
    says: one row is one person, and then `rows_per_person` is 1. `timeline`: where rows of a person follow each other in
    time; `fixed`: the columns in which they are then all alike. `tables`: further tables under the same person column.
    """

    columns: tuple[Column, ...]
    person: str | None
    rows_per_person: int
    constraints: tuple[Constraint, ...] = ()
    timeline: Timeline | None = None
    fixed: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if not names or len(names) > LARGEST_COLUMNS or len(set(names)) != len(names):
            raise Invalid(f"expected 1 to {LARGEST_COLUMNS} columns with different names, got {len(names)}")
        if self.person in names:
            raise Invalid(f"expected the person column {self.person!r} outside the columns that a result may have")
        if not 1 <= self.rows_per_person <= 1_000:
            raise Invalid(f"expected a bound of 1 to 1000 rows per person, got {self.rows_per_person}")
        if self.person is None and self.rows_per_person != 1:
            raise Invalid("expected 1 row per person where no person column is declared; name the person column")
        if len(self.constraints) > LARGEST_CONSTRAINTS:
            raise Invalid(f"expected at most {LARGEST_CONSTRAINTS} constraints, got {len(self.constraints)}")
        for constraint in self.constraints:
            declared.check(constraint, self.by_name)
        if self.timeline is not None:
            _check_timeline(self, self.timeline)
        elif self.fixed:
            raise Invalid("expected columns fixed within a person only beside a timeline; declare the timeline")
        if self.is_linked:
            _check_linked(self)

    @property
    def is_linked(self) -> bool:
        """Whether rows hang together under persons, in time or over several tables, so that a result numbers persons."""
        return self.timeline is not None or bool(self.tables)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def by_name(self) -> dict[str, Column]:
        """The columns under their names, in order."""
        return {column.name: column for column in self.columns}

    def column(self, name: str) -> Column:
        """The column of this name. Raises `Invalid` if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise Invalid(f"expected one of the columns {', '.join(self.names)}; got {name!r}")

    def place(self, name: str) -> tuple[str, str]:
        """The table and its column that a wish means: `column` of the main table, or `table/column` of a further one.

        Raises `Invalid` if there is none.
        """
        table = next((each for each in self.tables if name.startswith(f"{each.name}/")), None)
        if table is None or name in self.names:
            return MAIN, self.column(name).name
        return table.name, table.schema.column(name.removeprefix(f"{table.name}/")).name

    @property
    def unit(self) -> str:
        """Whom the guarantee protects, in words for the buyer."""
        if self.person is None:
            return "one row is one person"
        if self.is_linked:
            tables = (self, *(table.schema for table in self.tables))
            named = ("", *(f" of {table.name}" for table in self.tables))
            used = (f"{_first_rows(schema)}{name}" for schema, name in zip(tables, named, strict=True))
            return f"one person, of whom no more is used than {' and '.join(used)}"
        if self.rows_per_person == 1:
            return "one person, of whom one row at most is used"
        return f"one person, of whom {self.rows_per_person} rows at most are used"

    @property
    def row_bytes(self) -> int:
        """The most bytes that one line of CSV can take under this schema, from the declaration alone."""
        return sum(cell_bytes(column) + 1 for column in self.columns) + 1

    def document(self) -> dict[str, Any]:
        """The schema as a value for canonical JSON; constraints, timeline and tables stand in it where there are any."""
        document: dict[str, Any] = {
            "columns": [column.document() for column in self.columns],
            "person": self.person,
            "rows_per_person": self.rows_per_person,
        }
        if self.constraints:
            document["constraints"] = [constraint.document() for constraint in self.constraints]
        if self.timeline is not None:
            document["timeline"] = self.timeline.document()
        if self.fixed:
            document["fixed"] = list(self.fixed)
        if self.tables:
            document["tables"] = [table.document() for table in self.tables]
        return document

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Schema":
        """The schema that `document` declares. Raises `Corrupt` where a part is missing, of another kind, or one too many."""
        try:
            if set(document) - _OPTIONAL != {"columns", "person", "rows_per_person"}:
                raise KeyError
            if not all(document[name] for name in _OPTIONAL & set(document)):
                raise KeyError
            columns = tuple(column_of(column) for column in document["columns"])
            person, rows = document["person"], document["rows_per_person"]
            if not (person is None or isinstance(person, str)) or type(rows) is not int:
                raise TypeError
            constraints = tuple(declared.of_document(each) for each in document.get("constraints", ()))
            timeline = _timeline_of(document["timeline"]) if "timeline" in document else None
            fixed = tuple(canonical.text(name) for name in _list(document.get("fixed", [])))
            tables = tuple(_table_of(each) for each in _list(document.get("tables", [])))
        except (KeyError, TypeError, InvalidOperation, AttributeError):
            raise Corrupt("expected a schema with columns, person and rows_per_person; got other parts") from None
        return cls(columns, person, rows, constraints, timeline, fixed, tables)


_OPTIONAL = {"constraints", "timeline", "fixed", "tables"}


def _timeline_of(document: Mapping[str, Any]) -> Timeline:
    if set(document) != {"column", "strict"} or not isinstance(document["strict"], bool):
        raise KeyError
    return Timeline(canonical.text(document["column"]), document["strict"])


def _table_of(document: Mapping[str, Any]) -> Table:
    if {"fixed", "tables"} & set(document):
        raise KeyError  # told here too, so that no document goes deeper than one table
    schema = {name: part for name, part in document.items() if name != "name"}
    return Table(canonical.text(document["name"]), Schema.of_document(schema))


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _check_timeline(schema: Schema, timeline: Timeline) -> None:
    column = schema.column(timeline.column)
    if schema.person is None:
        raise Invalid("expected a person column beside a timeline, got none; name the person column")
    if not isinstance(column, Number) or column.missing:
        raise Invalid(f"column {timeline.column!r}: expected a number that is never missing as the timeline")
    if len(set(schema.fixed)) != len(schema.fixed) or timeline.column in schema.fixed:
        raise Invalid("expected columns other than the timeline's as fixed within a person, each once")
    for name in schema.fixed:
        schema.column(name)


def _check_linked(schema: Schema) -> None:
    """Raises `Invalid` unless main and further tables can stand together under persons."""
    names = [table.name for table in schema.tables]
    if len(set(names)) != len(names) or len(names) > LARGEST_TABLES:
        raise Invalid(f"expected at most {LARGEST_TABLES} further tables with different names, got {len(names)}")
    if schema.timeline is None and schema.rows_per_person != 1:
        raise Invalid("expected 1 row per person or a timeline in the main of several tables; declare one of them")
    for table in schema.tables:
        _check_table(table, schema.person)
    for each in (schema, *(table.schema for table in schema.tables)):
        own = any(name.startswith(OWN_PREFIX) or len(name) > LONGEST_LINKED_NAME for name in each.names)
        if own or len(each.columns) >= LARGEST_COLUMNS:
            raise Invalid(
                f"expected fewer than {LARGEST_COLUMNS} columns under persons, with names of at most {LONGEST_LINKED_NAME} "
                f"characters, none of which begins with {OWN_PREFIX!r}; rename or leave out"
            )


def _check_table(table: Table, person: str | None) -> None:
    if not TABLE_NAME.fullmatch(table.name) or table.name == MAIN:
        raise Invalid(
            f"expected a further table's name of 1 to 40 small letters, digits, - and _, and not {MAIN!r}; rename the table"
        )
    if person is None or table.schema.person != person:
        raise Invalid(
            f"table {table.name!r}: expected the person column of the main table; name it in all tables alike"
        )
    if table.schema.tables or table.schema.fixed:
        raise Invalid(f"table {table.name!r}: expected neither tables nor fixed columns in a further table")
    if table.schema.timeline is None and table.schema.rows_per_person != 1:
        raise Invalid(f"table {table.name!r}: expected 1 row per person or a timeline; declare one of them")


def _first_rows(schema: Schema) -> str:
    return "one row" if schema.rows_per_person == 1 else f"the first {schema.rows_per_person} rows in time"
