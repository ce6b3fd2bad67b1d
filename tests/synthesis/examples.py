"""Small schemas, tables and people for the generator's tests."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa

from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from node.noise.stream import NoiseStream
from node.synthesis.marginals import PrivateMarginals
from node.synthesis.measurements import Measurements

KEY = bytes(range(32))
RHO_MICRO = 30_000

ROW = tuple[int, ...]

WIDE = Schema(
    columns=(
        Category("stage", ("I", "II", "III"), missing=True),
        Number("age", Decimal(0), Decimal(200), Decimal("0.5"), missing=False),
        Number("visits", Decimal(0), Decimal(10), Decimal(1), missing=False),
        Category("clinic", tuple(f"clinic {i}" for i in range(40)), missing=False),
    ),
    person="patient",
    rows_per_person=2,
)
"""Wide enough that pairs are chosen, and with one column of two levels."""

BROAD = Schema(
    columns=(
        Category("code", tuple(f"code {i}" for i in range(1000)), missing=False),
        Number("start", Decimal(0), Decimal(400), Decimal(1), missing=True),
        Number("end", Decimal(0), Decimal(300), Decimal(1), missing=False),
        Category("clinic", tuple(f"clinic {i}" for i in range(40)), missing=False),
    ),
    person="patient",
    rows_per_person=1,
)
"""So many cells that few runs give many draws of noise."""

FEW = Schema(
    columns=(
        Category("sex", ("female", "male"), missing=False),
        Number("grade", Decimal(1), Decimal(4), Decimal(1), missing=True),
        Category("arm", ("a", "b", "c"), missing=False),
    ),
    person=None,
    rows_per_person=1,
)
"""So few cells that every marginal is measured."""


def rows_of(schema: Schema, count: int, seed: int = 1) -> list[ROW]:
    """Coded rows, -1 for missing, whose columns depend on each other."""
    rng = np.random.default_rng(seed)
    hidden = rng.beta(2, 3, count)
    columns = []
    for column in schema.columns:
        codes = np.clip((hidden + rng.normal(0, 0.08, count)) * column.size, 0, column.size - 1).astype(int)
        if column.missing:
            codes = np.where(rng.random(count) < 0.2, -1, codes)
        columns.append(codes)
    return [tuple(int(code) for code in row) for row in zip(*columns, strict=True)]


def table_of(schema: Schema, rows: Sequence[ROW]) -> pa.Table:
    """The coded table of these rows."""
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in schema.columns]
    arrays = [pa.array([None if code < 0 else code for code in codes], pa.int32()) for codes in columns]
    return pa.table(arrays, names=list(schema.names))


def specification(*marginals: tuple[str, ...], rows: int = 100) -> Specification:
    """A specification with this workload."""
    return Specification(bytes(32), rows, Workload(marginals), 60, bytes(SEALING_KEY_BYTES), bytes(32))


def stream(number: int = 0) -> NoiseStream:
    """A noise stream; another number, another key."""
    return NoiseStream(number.to_bytes(32, "big"), b"example")


def measured(schema: Schema, rows: Sequence[ROW], number: int = 0, rho_micro: int = RHO_MICRO) -> Measurements:
    """The measurements of these rows under the key of this number."""
    return PrivateMarginals().measure(
        table_of(schema, rows), schema, specification(), rho_micro, stream(number), ignore, never
    )


def ignore(_: str, __: float) -> None:
    """Progress that nobody watches."""


def never() -> bool:
    """Work that is not cancelled."""
    return False


def bounded(schema: Schema, rows_per_person: int) -> Schema:
    """The schema with another bound on rows per person."""
    return replace(schema, person="patient", rows_per_person=rows_per_person)
