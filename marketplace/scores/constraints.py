"""Which rows of codes keep what a provider declared, and meet what a buyer asked for: many rows at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.constraints import Condition, Constraint, Implies
from marketplace.protocol.schema import Schema

MISSING = -1

Codes = NDArray[np.signedinteger[Any]]
Flags = NDArray[np.bool_]


def keep(constraint: Constraint, schema: Schema, codes: Mapping[str, Codes]) -> Flags:
    """Which rows keep the constraint, shape (rows,). `codes`: of each column that it names, -1 for missing.

    The same answer as `marketplace.protocol.constraints.is_kept`, row by row.
    """
    if isinstance(constraint, Implies):
        when, then = constraint.when, constraint.then
        return np.asarray(~meet(when, schema, codes[when.column]) | meet(then, schema, codes[then.column]))
    linear = constraint.linear(schema.by_name)
    some_missing = np.zeros(len(codes[constraint.columns[0]]), np.bool_)
    reached = np.full(len(some_missing), linear.offset, np.int64)
    for name, weight in linear.weights:
        some_missing |= codes[name] == MISSING
        reached += weight * codes[name].astype(np.int64)
    return np.asarray(some_missing | (reached == 0 if linear.equal else reached <= 0))


def meet(condition: Condition, schema: Schema, codes: Codes) -> Flags:
    """Which rows meet the condition, shape (rows,). `codes`: of its column, -1 for missing."""
    column = schema.column(condition.column)
    found: Flags = (codes == MISSING) & condition.admits_missing(column)
    for first, end in condition.spans(column):
        found |= (codes >= first) & (codes < end)
    return found


def keep_all(schema: Schema, only: Sequence[Condition], codes: Mapping[str, Codes]) -> Flags:
    """Which rows keep every constraint of the schema and meet every condition, shape (rows,)."""
    kept = np.ones(len(next(iter(codes.values()))), np.bool_)
    for constraint in schema.constraints:
        kept &= keep(constraint, schema, codes)
    for condition in only:
        kept &= meet(condition, schema, codes[condition.column])
    return kept
