"""The columns that a schema declares: categories from a list and numbers on a grid, each value with its code."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketplace.errors import Invalid

LARGEST_SIZE = 1_000_000
LARGEST_CATEGORIES = 1_000
MOST_DECIMALS = 12
LONGEST_UNIT = 40


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

    A value is rounded to the nearest point of the grid; one outside the bounds contradicts the schema. `unit`: that of its
    values, a UCUM code such as mg/dL, or nothing where none is declared.
    """

    name: str
    lower: Decimal
    upper: Decimal
    step: Decimal
    missing: bool
    unit: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not all("!" <= letter <= "~" for letter in self.unit) or len(self.unit) > LONGEST_UNIT:
            raise Invalid(
                f"column {self.name!r}: expected a unit as a UCUM code of at most {LONGEST_UNIT} letters, such as mg/dL"
            )
        if not all(bound.is_finite() for bound in (self.lower, self.upper, self.step)):
            raise Invalid(f"column {self.name!r}: expected finite bounds and step; give numbers")
        if not all(is_plain(bound) for bound in (self.lower, self.upper, self.step)):
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

    @property
    def label(self) -> str:
        """Its name, with its unit where there is one."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

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
            **({"unit": self.unit} if self.unit else {}),
        }


Column = Category | Number


def column_of(document: Mapping[str, Any]) -> Column:
    """The column that `document` declares. Raises `KeyError`, `TypeError` or `InvalidOperation` where it declares none."""
    name, missing = document["name"], document["missing"]
    if not isinstance(name, str) or not isinstance(missing, bool):
        raise TypeError
    if document["kind"] == "category" and set(document) == {"name", "kind", "values", "missing"}:
        values = document["values"]
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise TypeError
        return Category(name, tuple(values), missing)
    if document["kind"] == "number" and set(document) - {"unit"} == {
        "name",
        "kind",
        "lower",
        "upper",
        "step",
        "missing",
    }:
        bounds = (document["lower"], document["upper"], document["step"])
        if not all(isinstance(bound, str) for bound in bounds):
            raise TypeError
        lower, upper, step = (Decimal(bound) for bound in bounds)
        return Number(name, lower, upper, step, missing, _unit(document))
    raise KeyError


def _unit(document: Mapping[str, Any]) -> str:
    unit = document.get("unit", "")
    if not isinstance(unit, str) or ("unit" in document and not unit):
        raise TypeError
    return unit


def _check_name(name: str) -> None:
    if not name or name != name.strip() or len(name) > 200 or not name.isprintable():
        raise Invalid("expected a column name of 1 to 200 printable characters without spaces around it; rename it")


def is_plain(number: Decimal) -> bool:
    """Whether `number` is finite, below 10^12, and has at most 12 decimals: whatever is done with it is short and exact."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DECIMALS and number.adjusted() < MOST_DECIMALS


def cell_bytes(column: Column) -> int:
    """The most bytes that a cell can take in a CSV, from the declaration alone."""
    if isinstance(column, Category):
        return max(len(value.encode()) + 2 + value.count('"') for value in column.values)
    return max(len(column.text(0)), len(column.text(column.size - 1)), len(column.text(column.size // 2))) + 1
