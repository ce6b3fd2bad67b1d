"""What a provider declares about rows as a whole: conditions on a column, and constraints that hold in every row."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import lcm
from typing import Any, Protocol

from marketplace.errors import Invalid
from marketplace.protocol import canonical
from marketplace.protocol.columns import MOST_DECIMALS, is_plain

LARGEST_PARTS = 10
MOST_BITS = 58

Span = tuple[int, int]
"""Codes from the first, the second not included."""


class Coded(Protocol):
    """A column as far as a condition needs it: `schema.Category` or `schema.Number`."""

    @property
    def name(self) -> str: ...
    @property
    def missing(self) -> bool: ...
    @property
    def size(self) -> int: ...


@dataclass(frozen=True)
class Condition:
    """What one column has to be: one of `values`, or between `lower` and `upper` (both included), or there or not.

    Exactly one of the three is given. A missing value meets only `present` False.
    """

    column: str
    values: tuple[str, ...] = ()
    lower: Decimal | None = None
    upper: Decimal | None = None
    present: bool | None = None

    def __post_init__(self) -> None:
        bounds = self.lower is not None or self.upper is not None
        if bool(self.values) + bounds + (self.present is not None) != 1:
            raise Invalid(
                f"condition on {self.column!r}: expected one of values, bounds or presence, got none or several; give one"
            )
        given = [bound for bound in (self.lower, self.upper) if bound is not None]
        if not all(map(is_plain, given)):
            raise Invalid(
                f"condition on {self.column!r}: expected bounds below 10^{MOST_DECIMALS} with at most {MOST_DECIMALS} decimals; "
                "give other numbers"
            )

    def spans(self, column: Coded) -> tuple[Span, ...]:
        """The codes that meet the condition, as spans in order that do not touch.

        Raises `Invalid` where the condition does not fit the column, or nothing of the column can meet it.
        """
        values, lower, step = (getattr(column, name, None) for name in ("values", "lower", "step"))
        found: tuple[Span, ...]
        if self.present is not None:
            found = ((0, column.size),) if self.present else ()
        elif self.values:
            if values is None or not set(self.values) <= set(values):
                raise Invalid(f"condition on {self.column!r}: expected categories from its list; name declared ones")
            found = _runs(sorted(values.index(value) for value in self.values))
        else:
            if lower is None or step is None:
                raise Invalid(
                    f"condition on {self.column!r}: expected bounds on a number, it is a category; name values"
                )
            first = 0 if self.lower is None else max(0, -int((lower - self.lower) // step))
            last = column.size - 1 if self.upper is None else min(column.size - 1, int((self.upper - lower) // step))
            if self.lower is not None and self.lower > lower + first * step:
                first += 1
            found = ((first, last + 1),) if first <= last and (self.upper is None or self.upper >= lower) else ()
        if not found and not self.admits_missing(column):
            raise Invalid(f"condition on {self.column!r}: expected one that a declared value can meet; widen it")
        return found

    def admits_missing(self, column: Coded) -> bool:
        """Whether a row without a value in the column meets the condition."""
        return self.present is False and column.missing

    def is_met(self, column: Coded, code: int | None) -> bool:
        """Whether a row with this code, None for missing, meets the condition."""
        if code is None:
            return self.admits_missing(column)
        return any(first <= code < end for first, end in self.spans(column))

    def document(self) -> dict[str, Any]:
        """The condition as a value for canonical JSON."""
        if self.present is not None:
            return {"column": self.column, "present": self.present}
        if self.values:
            return {"column": self.column, "in": list(self.values)}
        bounds = {"from": self.lower, "to": self.upper}
        return {"column": self.column, **{name: str(bound) for name, bound in bounds.items() if bound is not None}}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Condition":
        """The condition in `document`. Raises `KeyError`, `TypeError` or `InvalidOperation` where it is none."""
        name, keys = canonical.text(document["column"]), set(document) - {"column"}
        if keys == {"present"} and isinstance(document["present"], bool):
            return cls(name, present=document["present"])
        if keys == {"in"} and isinstance(document["in"], list):
            return cls(name, values=tuple(canonical.text(value) for value in document["in"]))
        if keys and keys <= {"from", "to"}:
            lower, upper = (Decimal(canonical.text(document[key])) if key in keys else None for key in ("from", "to"))
            return cls(name, lower=lower, upper=upper)
        raise KeyError


@dataclass(frozen=True)
class Linear:
    """In codes: a row keeps it where `offset` + the sum of weight times code is <= 0, or = 0 if `equal`.

    Rows in which one of the columns is missing keep it.
    """

    weights: tuple[tuple[str, int], ...]
    offset: int
    equal: bool


@dataclass(frozen=True)
class Order:
    """`earlier` is at most `later` wherever both have a value."""

    earlier: str
    later: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return (self.earlier, self.later)

    def document(self) -> dict[str, Any]:
        """The constraint as a value for canonical JSON."""
        return {"kind": "order", "columns": [self.earlier, self.later]}

    def linear(self, columns: Mapping[str, Coded]) -> Linear:
        """The constraint in codes."""
        return _linear(columns, {self.earlier: 1, self.later: -1}, equal=False)


@dataclass(frozen=True)
class Sum:
    """The `parts` add up to `total` wherever all of them have a value."""

    parts: tuple[str, ...]
    total: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return (*self.parts, self.total)

    def document(self) -> dict[str, Any]:
        """The constraint as a value for canonical JSON."""
        return {"kind": "sum", "parts": list(self.parts), "total": self.total}

    def linear(self, columns: Mapping[str, Coded]) -> Linear:
        """The constraint in codes."""
        return _linear(columns, {**dict.fromkeys(self.parts, 1), self.total: -1}, equal=True)


@dataclass(frozen=True)
class Implies:
    """Where `when` is met, `then` is."""

    when: Condition
    then: Condition

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return tuple(dict.fromkeys((self.when.column, self.then.column)))

    def document(self) -> dict[str, Any]:
        """The constraint as a value for canonical JSON."""
        return {"kind": "implies", "when": self.when.document(), "then": self.then.document()}


Constraint = Order | Sum | Implies


def check(constraint: Constraint, columns: Mapping[str, Coded]) -> None:
    """Raises `Invalid` unless the constraint fits the `columns` (by name) and some row can keep it."""
    for name in constraint.columns:
        if name not in columns:
            raise Invalid(f"constraint on {name!r}: expected one of the columns {', '.join(columns)}; name one of them")
    if isinstance(constraint, Implies):
        constraint.when.spans(columns[constraint.when.column])
        constraint.then.spans(columns[constraint.then.column])
        return
    shown = ", ".join(constraint.columns)
    if len(set(constraint.columns)) != len(constraint.columns) or not 2 <= len(constraint.columns) <= LARGEST_PARTS + 1:
        raise Invalid(f"constraint on {shown}: expected 2 to {LARGEST_PARTS + 1} different columns")
    if any(not hasattr(columns[name], "step") for name in constraint.columns):
        raise Invalid(f"constraint on {shown}: expected numbers, got a category; a category needs a condition")
    linear = constraint.linear(columns)
    ends = [sorted((0, weight * (columns[name].size - 1))) for name, weight in linear.weights]
    least, most = (linear.offset + sum(end[side] for end in ends) for side in (0, 1))
    if least > 0 or (linear.equal and most < 0):
        raise Invalid(
            f"constraint on {shown}: expected one that a row can keep, no declared values do; widen the bounds"
        )
    if max(abs(linear.offset), *(abs(bound) for end in ends for bound in end)) >= 1 << MOST_BITS:
        raise Invalid(f"constraint on {shown}: expected steps that are not so far apart; declare them more alike")
    if isinstance(constraint, Sum):
        unit = -dict(linear.weights)[constraint.total]
        if linear.offset % unit or any(weight % unit for _, weight in linear.weights):
            raise Invalid(
                f"constraint on {shown}: expected every sum of parts on the total's grid; declare a finer step for it"
            )


def of_document(document: Mapping[str, Any]) -> Constraint:
    """The constraint in `document`. Raises `KeyError`, `TypeError` or `InvalidOperation` where it is none."""
    kind, keys = document["kind"], set(document)
    if kind == "order" and keys == {"kind", "columns"} and isinstance(document["columns"], list):
        earlier, later = document["columns"] if len(document["columns"]) == 2 else (None, None)
        return Order(canonical.text(earlier), canonical.text(later))
    if kind == "sum" and keys == {"kind", "parts", "total"} and isinstance(document["parts"], list):
        return Sum(tuple(canonical.text(name) for name in document["parts"]), canonical.text(document["total"]))
    if kind == "implies" and keys == {"kind", "when", "then"}:
        return Implies(Condition.of_document(document["when"]), Condition.of_document(document["then"]))
    raise KeyError


def is_kept(constraint: Constraint, columns: Mapping[str, Coded], row: Mapping[str, int | None]) -> bool:
    """Whether a row of codes, None for missing, keeps the constraint."""
    if isinstance(constraint, Implies):
        when, then = constraint.when, constraint.then
        return not when.is_met(columns[when.column], row[when.column]) or then.is_met(
            columns[then.column], row[then.column]
        )
    codes = {name: row[name] for name in constraint.columns}
    linear, reached = constraint.linear(columns), 0
    for name, weight in linear.weights:
        code = codes[name]
        if code is None:
            return True
        reached += weight * code
    return reached + linear.offset == 0 if linear.equal else reached + linear.offset <= 0


def _linear(columns: Mapping[str, Any], signs: Mapping[str, int], *, equal: bool) -> Linear:
    numbers = [(name, sign, Decimal(columns[name].lower), Decimal(columns[name].step)) for name, sign in signs.items()]
    unit = lcm(*(part.as_integer_ratio()[1] for _, _, lower, step in numbers for part in (lower, step)))
    weights = tuple((name, sign * int(step * unit)) for name, sign, _, step in numbers)
    return Linear(weights, sum(sign * int(lower * unit) for _, sign, lower, _ in numbers), equal)


def _runs(codes: list[int]) -> tuple[Span, ...]:
    runs: list[Span] = []
    for code in codes:
        runs[-1:] = [(runs[-1][0], code + 1)] if runs and runs[-1][1] == code else [*runs[-1:], (code, code + 1)]
    return tuple(runs)
