"""A linked schema's persons as a plain table of a row each: what is fixed, how many rows follow, and the first of them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa

from marketplace.errors import Invalid
from marketplace.protocol.constraints import Condition, Constraint, Implies, Order, Sum
from marketplace.protocol.schema import LARGEST_CONSTRAINTS, MAIN, Column, Number, Schema
from node.nesting import MISSING, Codes, Strand, person_columns, persons_of, rows_of, strands_of


def persons_schema(schema: Schema) -> Schema:
    """The columns of persons: those in which one is one and the same; for each strand the number of rows and the first row.

    A first row's columns of the main table keep their names; those of a further one are missing where there is no row.
    Constraints hold of them as far as so many can be declared. Raises `Invalid` for too many columns.
    """
    columns = list(person_columns(schema))
    constraints: list[Constraint] = list(schema.constraints)
    presence: list[Constraint] = []
    for strand in strands_of(schema):
        bound = strand.schema.rows_per_person
        columns.append(Number(strand.field, Decimal(strand.least_rows), Decimal(bound), Decimal(1), missing=False))
        columns += first_columns(strand)
        constraints += [_renamed(one, strand) for one in strand.schema.constraints if _holds_of_no_row(one)]
        presence += _presence(strand) if strand.least_rows == 0 else []
    every = (*constraints, *presence)[: max(LARGEST_CONSTRAINTS, len(schema.constraints))]
    return Schema(tuple(columns), schema.person, 1, every)


def check_persons(only: Sequence[Condition], schema: Schema) -> None:
    """Raises `Invalid` unless every condition is on a column in which a person is one and the same."""
    names = {column.name for column in person_columns(schema)}
    for condition in only:
        if condition.column not in names:
            raise Invalid(
                f"condition on {condition.column!r}: expected a column that is the same in all rows of a person; ask for "
                "persons"
            )


def first_columns(strand: Strand) -> tuple[Column, ...]:
    """The columns that a strand's first row has among those of persons."""
    if strand.name == MAIN:
        return strand.schema.columns
    return tuple(replace(column, name=_name(strand, column.name), missing=True) for column in strand.schema.columns)


def persons_table(table: pa.Table, schema: Schema) -> pa.Table:
    """The persons of a nested table as a coded table of `persons_schema`: one row for each."""
    parts = [persons_of(table, schema)]
    for strand in strands_of(schema):
        rows = rows_of(table, strand)
        first = np.full((len(rows.counts), rows.codes.shape[1]), MISSING, np.int32)
        some = rows.counts > 0
        first[some] = rows.codes[(np.cumsum(rows.counts) - rows.counts)[some]]
        parts += [(rows.counts - strand.least_rows).astype(np.int32)[:, None], first]
    codes: Codes = np.concatenate(parts, axis=1)
    names = list(persons_schema(schema).names)
    arrays = [pa.array(np.ascontiguousarray(codes[:, place]), mask=codes[:, place] < 0) for place in range(len(names))]
    return pa.table(arrays, names=names)


def _name(strand: Strand, column: str) -> str:
    return f"{strand.field}/{column}"


def _holds_of_no_row(constraint: Constraint) -> bool:
    """Whether a constraint is kept where every column is missing."""
    return not (isinstance(constraint, Implies) and constraint.when.present is False)


def _renamed(constraint: Constraint, strand: Strand) -> Constraint:
    def name(column: str) -> str:
        return _name(strand, column)

    match constraint:
        case Order(earlier, later):
            return Order(name(earlier), name(later))
        case Sum(parts, total):
            return Sum(tuple(map(name, parts)), name(total))
        case Implies(when, then):
            return Implies(replace(when, column=name(when.column)), replace(then, column=name(then.column)))


def _presence(strand: Strand) -> list[Constraint]:
    """A first row is there just where rows are."""
    none, some = Condition(strand.field, upper=Decimal(0)), Condition(strand.field, lower=Decimal(1))
    found: list[Constraint] = []
    for column in strand.schema.columns:
        found.append(Implies(none, Condition(_name(strand, column.name), present=False)))
        if not column.missing:
            found.append(Implies(some, Condition(_name(strand, column.name), present=True)))
    return found
