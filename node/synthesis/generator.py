"""What every generator promises: one part that sees records and pays for it, one that sees only what was paid for."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Protocol

import pyarrow as pa

from marketplace.errors import Refused
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.noise.stream import NoiseStream
from node.synthesis.measurements import Choice, Histogram

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


class Gaussian(Protocol):
    """A stage that released whole numbers with discrete Gaussian noise: its price, and why that is the price.

    `sensitivity`: the L2 distance that one person can move the numbers. `sigma2`: the noise's variance parameter.
    """

    @property
    def stage(self) -> str: ...
    @property
    def rho_micro(self) -> int: ...
    @property
    def sensitivity(self) -> int: ...
    @property
    def sigma2(self) -> Fraction: ...


class Measured(Protocol):
    """What a generator took from the records: paid for, kept, and all that the making of rows sees.

    `generator`: the generator's name and version. `stages`: every stage that touched records. `histograms`: noisy counts
    of the columns' own cells, where there are any. `parameters`: names and values, for the certificate.
    """

    @property
    def generator(self) -> str: ...
    @property
    def stages(self) -> Sequence[Choice | Gaussian]: ...
    @property
    def histograms(self) -> Sequence[Histogram]: ...
    @property
    def parameters(self) -> tuple[tuple[str, str], ...]: ...
    def encode(self) -> bytes:
        """The canonical bytes, for the node's journal; they hold no number that was not paid for."""


class Generator(Protocol):
    """A way to make a synthetic table.

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
    ) -> Measured:
        """Noisy measurements of `table` that cost at most `rho_micro` in zCDP: the only part that sees records.

        `table`: coded, at most `schema.rows_per_person` rows of each person. Neighbours differ by all rows of one
        person. The same table and noise give the same measurements, byte for byte. Raises as `check`, `Invalid` for a
        table that is not of the schema, `Stopped` when cancelled.
        """

    def decode(self, data: bytes) -> Measured:
        """What `measure` gave, from its bytes. Raises `Corrupt` where they are not of this generator's version."""

    def synthesise(
        self,
        measurements: Measured,
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
