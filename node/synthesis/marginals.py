"""The first generator, private marginals: noisy low-dimensional histograms, and a graphical model fitted to them."""

from collections.abc import Sequence

import pyarrow as pa

from marketplace.errors import Corrupt
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.noise.stream import NoiseStream
from node.synthesis.budget import budget_of, marginals_of
from node.synthesis.generator import Cancelled, Measured, Progress
from node.synthesis.measurements import Measurements
from node.synthesis.measuring import Measuring
from node.synthesis.records import Records
from node.synthesis.rows import check_wishes, rows_from

NAME = "private-marginals/2"


class PrivateMarginals:
    """A `generator.Generator`: see there for what its methods take, give and raise."""

    def check(self, schema: Schema, specification: Specification, rho_micro: int) -> None:
        check_wishes(schema, specification)
        budget_of(schema, specification.workload, rho_micro)

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
        self.check(schema, specification, rho_micro)
        budget = budget_of(schema, specification.workload, rho_micro)
        measuring = Measuring(schema, Records.of_table(table, schema), budget, noise, progress, cancelled)
        measuring.run(marginals_of(schema, specification.workload))
        return Measurements(NAME, tuple(measuring.choices), tuple(measuring.histograms))

    def decode(self, data: bytes) -> Measurements:
        measurements = Measurements.decode(data)
        _own(measurements)
        return measurements

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
        histograms = _own(measurements).histograms
        return rows_from(NAME, histograms, schema, rows, seed, progress, cancelled, only)


def _own(measurements: Measured) -> Measurements:
    if not isinstance(measurements, Measurements) or measurements.generator != NAME:
        raise Corrupt(
            f"expected measurements of {NAME}, got {measurements.generator[:60]!r}; use the generator that made them"
        )
    return measurements
