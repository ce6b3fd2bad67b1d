"""What every generator promises: one part that sees records and pays for it, one that sees only what was paid for."""

from collections.abc import Callable, Sequence
from typing import Protocol

import pyarrow as pa

from marketplace.errors import Refused
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.noise.stream import NoiseStream
from node.synthesis.measurements import Measurements

CodedTable = pa.Table
"""Exactly the schema's columns, in order, each int32, null for missing."""

Progress = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0 to 1."""

Cancelled = Callable[[], bool]
"""Answers whether the work is to stop now."""


class Stopped(Refused):
    """The work was cancelled from outside before it was done."""


def stop_if(cancelled: Cancelled) -> None:
    """Raises `Stopped` if `cancelled` answers yes."""
    if cancelled():
        raise Stopped("expected to finish, was cancelled; the order is not delivered from here")


class Generator(Protocol):
    """A way to make a private synthetic table.

    A coded table has exactly `schema.names` as columns, in order, each int32, null for missing; a code counts within
    the column's declared categories or grid.
    """

    def check(self, schema: Schema, specification: Specification, rho_micro: int) -> None:
        """Whether this order could be measured at all, told from public facts alone, before any record is opened.

        Raises `Invalid` for a wish that the schema cannot meet, `Refused` if `rho_micro` cannot pay for every stage.
        """

    def measure(
        self,
        table: pa.Table,
        schema: Schema,
        specification: Specification,
        rho_micro: int,
        noise: NoiseStream,
        progress: Progress,
        cancelled: Cancelled,
    ) -> Measurements:
        """Noisy measurements of `table` that cost at most `rho_micro` in zCDP: the only part that sees records.

        `table`: coded, at most `schema.rows_per_person` rows of each person. Neighbours differ by all rows of one
        person. The same table and noise give the same measurements, byte for byte. Raises as `check`, `Invalid` for a
        table that is not of the schema, `Stopped` when cancelled.
        """

    def synthesise(
        self,
        measurements: Measurements,
        schema: Schema,
        rows: int,
        seed: bytes,
        progress: Progress,
        cancelled: Cancelled,
        only: Sequence[Condition] = (),
    ) -> pa.Table:
        """A coded table of `rows` (>= 1) synthetic rows, made from nothing but these arguments.

        Every row keeps the schema's constraints and meets all conditions of `only`, whose support is judged on schema
        and measurements alone.
        `seed`: 32 secret bytes of a stage of their own. The same arguments give the same table on the same machine.
        Raises `Invalid` for rows below 1, `Corrupt` for measurements of another schema, `Stopped` when cancelled.
        """
