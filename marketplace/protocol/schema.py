"""A dataset's schema: what its provider declares about the records, and nothing measured from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import constraints as declared
from marketplace.protocol.constraints import Constraint

LARGEST_SIZE = 1_000_000
LARGEST_CATEGORIES = 1_000
LARGEST_COLUMNS = 200
LARGEST_CONSTRAINTS = 100
MOST_DECIMALS = 12


@dataclass(frozen=True)
class Category:
    """A column whose values stand in a declared list. Code `i` means `values[i]`."""

    name: str
    values: tuple[str, ...]
    missing: bool

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not self.values or len(set(self.values)) != len(self.values):
            raise Invalid(f"column {self.name!r}: expected a list of different categories; list each once")
        if len(self.values) > LARGEST_CATEGORIES:
            raise Invalid(
                f"column {self.name!r}: expected at most {LARGEST_CATEGORIES} categories, got {len(self.values)}; "
                "group the rare ones or exclude the column"
            )
        if any(not value or "\n" in value or "\r" in value for value in self.values):
            raise Invalid(f"column {self.name!r}: expected categories of one line that are not empty")

    @property
    def size(self) -> int:
        """How many codes there are, missing not counted."""
        return len(self.values)

    def text(self, code: int) -> str:
        """The value that `code` (0 <= code < size) stands for."""
        return self.values[code]

    def document(self) -> dict[str, Any]:
        return {"name": self.name, "kind": "category", "values": list(self.values), "missing": self.missing}


@dataclass(frozen=True)
class Number:
    """A column of numbers on a declared grid: `lower`, `lower + step`, ..., `upper`. Code `i` means `lower + i step`.

    A value is rounded to the nearest point of the grid; one outside the bounds contradicts the schema.
    """

    name: str
    lower: Decimal
    upper: Decimal
    step: Decimal
    missing: bool

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not all(bound.is_finite() for bound in (self.lower, self.upper, self.step)):
            raise Invalid(f"column {self.name!r}: expected finite bounds and step; give numbers")
        if not all(_is_exact(bound) for bound in (self.lower, self.upper, self.step)):
            raise Invalid(
                f"column {self.name!r}: expected bounds and step below 10^{MOST_DECIMALS} with at most {MOST_DECIMALS} "
                "decimals; declare a coarser grid"
            )
        if self.step <= 0 or self.upper < self.lower or (self.upper - self.lower) % self.step:
            raise Invalid(
                f"column {self.name!r}: expected a step above 0 that divides upper - lower, and upper not below lower"
            )
        if self.size > LARGEST_SIZE:
            raise Invalid(
                f"column {self.name!r}: expected at most {LARGEST_SIZE} points between the bounds, got {self.size}; "
                "declare a larger step or narrower bounds"
            )

    @property
    def size(self) -> int:
        """How many codes there are, missing not counted."""
        return int((self.upper - self.lower) / self.step) + 1

    def text(self, code: int) -> str:
        """The value that `code` (0 <= code < size) stands for, with the decimals of lower bound and step."""
        return f"{self.lower + code * self.step:f}"

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": "number",
            "lower": str(self.lower),
            "upper": str(self.upper),
            "step": str(self.step),
            "missing": self.missing,
        }


Column = Category | Number


@dataclass(frozen=True)
class Schema:
    """The declared columns in order, the person column, the bound on rows per person, and what holds in every row.

    `person` names the column of the records that tells persons apart; it never appears in a result. None says: one
    row is one person, and then `rows_per_person` is 1.
    """

    columns: tuple[Column, ...]
    person: str | None
    rows_per_person: int
    constraints: tuple[Constraint, ...] = ()

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

    @property
    def unit(self) -> str:
        """Whom the guarantee protects, in words for the buyer."""
        if self.person is None:
            return "one row is one person"
        if self.rows_per_person == 1:
            return "one person, of whom one row at most is used"
        return f"one person, of whom {self.rows_per_person} rows at most are used"

    @property
    def row_bytes(self) -> int:
        """The most bytes that one line of CSV can take under this schema, from the declaration alone."""
        return sum(_cell_bytes(column) + 1 for column in self.columns) + 1

    def document(self) -> dict[str, Any]:
        """The schema as a value for canonical JSON; constraints stand in it where there are any."""
        document = {
            "columns": [column.document() for column in self.columns],
            "person": self.person,
            "rows_per_person": self.rows_per_person,
        }
        if self.constraints:
            document["constraints"] = [constraint.document() for constraint in self.constraints]
        return document

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Schema":
        """The schema that `document` declares. Raises `Corrupt` where a part is missing, of another kind, or one too many."""
        try:
            if set(document) - {"constraints"} != {"columns", "person", "rows_per_person"}:
                raise KeyError
            columns = tuple(_column_of(column) for column in document["columns"])
            person, rows = document["person"], document["rows_per_person"]
            if not (person is None or isinstance(person, str)) or type(rows) is not int:
                raise TypeError
            constraints = tuple(declared.of_document(each) for each in document.get("constraints", ()))
            if "constraints" in document and not constraints:
                raise KeyError
        except (KeyError, TypeError, InvalidOperation, AttributeError):
            raise Corrupt("expected a schema with columns, person and rows_per_person; got other parts") from None
        return cls(columns, person, rows, constraints)


def _column_of(document: Mapping[str, Any]) -> Column:
    name, missing = document["name"], document["missing"]
    if not isinstance(name, str) or not isinstance(missing, bool):
        raise TypeError
    if document["kind"] == "category" and set(document) == {"name", "kind", "values", "missing"}:
        values = document["values"]
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise TypeError
        return Category(name, tuple(values), missing)
    if document["kind"] == "number" and set(document) == {"name", "kind", "lower", "upper", "step", "missing"}:
        bounds = (document["lower"], document["upper"], document["step"])
        if not all(isinstance(bound, str) for bound in bounds):
            raise TypeError
        lower, upper, step = (Decimal(bound) for bound in bounds)
        return Number(name, lower, upper, step, missing)
    raise KeyError


def _check_name(name: str) -> None:
    if not name or name != name.strip() or len(name) > 200 or not name.isprintable():
        raise Invalid("expected a column name of 1 to 200 printable characters without spaces around it; rename it")


def _is_exact(bound: Decimal) -> bool:
    exponent = bound.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DECIMALS and bound.adjusted() < MOST_DECIMALS


def _cell_bytes(column: Column) -> int:
    if isinstance(column, Category):
        return max(len(value.encode()) + 2 + value.count('"') for value in column.values)
    return max(len(column.text(0)), len(column.text(column.size - 1)), len(column.text(column.size // 2))) + 1
