"""Who is attacked where rows hang together under persons: a target is a person with all rows in all tables.

What an attacker compares is one wide row for each person: what is fixed, how many rows each strand has, and the first of
them side by side. So every attack on plain tables is one on persons.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.protocol.schema import Column, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from node.nesting import MISSING, person_columns, persons_of, rows_of, strands_of
from node.noise.stream import NoiseStream
from node.synthesis.generators import generator_of
from scripts.benchmarks.attacks_population import OUTLIERS, RANDOM_TARGETS, REFERENCE, Codes, Population
from scripts.benchmarks.longitudinal import CASES, within_bounds

FIRST_ROWS = 3
SECRETS = {"muscatine": "obese 2", "nafld": "status"}


@dataclass(frozen=True)
class Persons(Population):
    """A population whose records are wide rows. `nested`: the same persons, line by line, under the `linked` schema."""

    linked: Schema
    nested: pa.Table


def persons(name: str) -> Persons:
    """The persons of this data set, in an order that follows from what is in them and a fixed seed."""
    case = CASES[name]
    table = within_bounds(case)
    wide = wide_frame(table, case.schema)
    places = np.lexsort(wide.to_numpy().T)[np.random.default_rng(0).permutation(len(wide))]
    records, table = wide.iloc[places].reset_index(drop=True), table.take(pa.array(places))
    rarest = np.argsort(_commonness(records), kind="stable")
    outliers, others = rarest[:OUTLIERS], np.sort(rarest[OUTLIERS:])
    targets = np.concatenate([others[:RANDOM_TARGETS], outliers])
    known = RANDOM_TARGETS + REFERENCE
    return Persons(
        name, wide_schema(case.schema), records, targets, others[RANDOM_TARGETS:known], others[known:], SECRETS[name],
        case.schema, table,
    )  # fmt: skip


def wide_schema(schema: Schema) -> Schema:
    """The columns of wide rows: `days 2` is the second row's, missing where there is none."""
    columns: list[Column] = list(person_columns(schema))
    for strand in strands_of(schema):
        bound = strand.schema.rows_per_person
        columns.append(Number(f"{strand.name} rows", Decimal(0), Decimal(bound), Decimal(1), missing=False))
        columns += [
            replace(column, name=f"{column.name} {rank + 1}", missing=True)
            for rank in range(min(bound, FIRST_ROWS))
            for column in strand.schema.columns
        ]
    return Schema(tuple(columns), None, 1)


def wide_frame(table: pa.Table, schema: Schema) -> pd.DataFrame:
    """A nested table as wide rows: codes, -1 for missing."""
    parts = [persons_of(table, schema)]
    for strand in strands_of(schema):
        rows = rows_of(table, strand)
        starts = np.cumsum(rows.counts) - rows.counts
        parts.append(rows.counts[:, None])
        for rank in range(min(strand.schema.rows_per_person, FIRST_ROWS)):
            there = rows.counts > rank
            part = np.full((len(there), rows.codes.shape[1]), MISSING)
            part[there] = rows.codes[starts[there] + rank]
            parts.append(part)
    return pd.DataFrame(np.concatenate(parts, axis=1).astype(np.int64), columns=list(wide_schema(schema).names))


def synthetic_persons(
    generator_name: str, population: Persons, members: Codes, rho_micro: int, count: int, key: bytes
) -> pd.DataFrame:
    """`count` synthetic persons as wide rows. `members`: places of those trained on; `key`: 32 bytes of this benchmark."""
    generator, noise = generator_of(generator_name), NoiseStream(key, b"attacks")
    wishes = Specification(bytes(32), count, Workload(), 60, bytes(SEALING_KEY_BYTES), bytes(32))
    training = population.nested.take(pa.array(members))
    measured = generator.measure(training, population.linked, wishes, rho_micro, noise, _ignored, _never)
    made = generator.synthesise(measured, population.linked, count, key, _ignored, _never)
    return wide_frame(made, population.linked)


def _commonness(records: pd.DataFrame) -> NDArray[np.float64]:
    """The sum over columns of the log share of persons with the same value."""
    shares = [records[name].map(records[name].value_counts(normalize=True)) for name in records]
    return np.asarray(np.log(shares).sum(axis=0))


def _ignored(_: str, __: float) -> None:
    pass


def _never() -> bool:
    return False
