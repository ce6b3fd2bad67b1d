"""Two generators with one network: `PrivateNeural` pays for every gradient, `ExactNeural` promises nothing."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
import pyarrow as pa

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.noise.stream import KEY_BYTES, NoiseStream
from node.synthesis.budget import budget_of
from node.synthesis.cells import Codes
from node.synthesis.columns import columns_of
from node.synthesis.generator import Cancelled, Measured, Progress, stop_if
from node.synthesis.measurements import Histogram, spent_rho_micro
from node.synthesis.neural.measured import NeuralMeasurements
from node.synthesis.neural.plan import fitting_width, plan_of
from node.synthesis.records import Counts, Records
from node.synthesis.release import noisy_histogram
from node.synthesis.rows import find_rows

PRIVATE_NAME, EXACT_NAME = "neural/1", "neural-exact/1"
MOST_PRIVATE, PRIVATE_WIDTH = 20_000, 8
MOST_EXACT, EXACT_WIDTH = 4_000_000, 64
SMALLEST_CELL = 5
SMALLEST_SIGMA2 = Fraction(SMALLEST_CELL, 3) ** 2


class _Neural:
    """What the two have in common. `device`: of torch, as in `cpu`; None for a GPU where torch sees one."""

    name: str
    most_parameters: int
    most_width: int

    def __init__(self, device: str | None = None) -> None:
        self._device = device

    def decode(self, data: bytes) -> NeuralMeasurements:
        return self._own(NeuralMeasurements.decode(data))

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
        from node.synthesis.neural.making import rows_from  # torch takes seconds to load

        if rows < 1:
            raise Invalid(f"expected at least 1 row, got {rows}")
        if len(seed) != KEY_BYTES:
            raise ValueError(f"expected a seed of {KEY_BYTES} bytes, got {len(seed)}")
        own = self._own(measurements)
        stop_if(cancelled)
        progress("drawing rows", 0.0)
        return rows_from(own, schema, rows, NoiseStream(seed, self.name.encode()), cancelled, only, self._device)

    def _check(self, schema: Schema, specification: Specification) -> None:
        specification.check(schema)
        if find_spec("torch") is None:
            raise Refused(
                "expected the library torch in this node's environment, it is not installed; ask for another generator"
            )
        if not self._width(schema):
            raise Invalid(
                f"expected columns and categories that a network of {self.most_parameters} numbers can hold, got too many; "
                "ask for another generator"
            )
        if schema.constraints or specification.only:
            find_rows(schema, specification.only)

    def _width(self, schema: Schema) -> int:
        return min(self.most_width, fitting_width(schema, self.most_parameters))

    def _own(self, measurements: Measured) -> NeuralMeasurements:
        if not isinstance(measurements, NeuralMeasurements) or measurements.generator != self.name:
            raise Corrupt(
                f"expected measurements of {self.name}, got {measurements.generator[:60]!r}; use the generator that made them"
            )
        return measurements


class PrivateNeural(_Neural):
    """A `generator.Generator`: noisy cells of every column, then a network trained with noisy gradients."""

    name, most_parameters, most_width = PRIVATE_NAME, MOST_PRIVATE, PRIVATE_WIDTH

    def check(self, schema: Schema, specification: Specification, rho_micro: int) -> None:
        self._check(schema, specification)
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
    ) -> NeuralMeasurements:
        from node.synthesis.neural.making import train

        self.check(schema, specification, rho_micro)
        records, cells = Records.of_table(table, schema), list[Histogram]()
        prices = budget_of(schema, specification.workload, rho_micro).cells_micro

        def release(stage: str, place: int, level: int, counts: Counts) -> Histogram:
            stop_if(cancelled)
            names = (schema.names[place],)
            return noisy_histogram(noise, stage, names, counts, records.bound, prices[place][level])

        columns = columns_of(schema, _counting(records, schema, cells, release))
        plan = plan_of(schema, specification, columns.sizes, self._width(schema))
        left_micro = rho_micro - spent_rho_micro(cells)
        weights, steps = train(records, columns, plan, left_micro, noise, self._device, progress, cancelled)
        return NeuralMeasurements(self.name, tuple(cells), steps, plan, weights)


class ExactNeural(_Neural):
    """A `generator.Generator` without any privacy: cells as they are, none of fewer than `SMALLEST_CELL` rows, and a
    network fitted to the records. Its measurements have no stage, and cost nothing that rho could count."""

    name, most_parameters, most_width = EXACT_NAME, MOST_EXACT, EXACT_WIDTH

    def check(self, schema: Schema, specification: Specification, rho_micro: int) -> None:
        self._check(schema, specification)

    def measure(
        self,
        table: pa.Table,
        schema: Schema,
        specification: Specification,
        rho_micro: int,
        noise: NoiseStream,
        progress: Progress,
        cancelled: Cancelled,
    ) -> NeuralMeasurements:
        from node.synthesis.neural.making import fit

        self.check(schema, specification, rho_micro)
        records, cells = Records.of_table(table, schema), list[Histogram]()

        def keep(stage: str, place: int, level: int, counts: Counts) -> Histogram:
            stop_if(cancelled)
            large = np.where(counts < SMALLEST_CELL, 0, counts)
            return Histogram(stage, (schema.names[place],), 0, records.bound, SMALLEST_SIGMA2, tuple(large.tolist()))

        columns = columns_of(schema, _counting(records, schema, cells, keep))
        plan = plan_of(schema, specification, columns.sizes, self._width(schema))
        weights = fit(records, columns, plan, noise.stage("fit"), self._device, progress, cancelled)
        return NeuralMeasurements(self.name, tuple(cells), (), plan, weights)


def _counting(
    records: Records, schema: Schema, kept: list[Histogram], release: Callable[[str, int, int, Counts], Histogram]
) -> Callable[[int, int, Codes, Codes], Histogram]:
    """A `columns.CellCounter` over the records, each of whose answers passes `release` and is kept."""

    def count(place: int, level: int, starts: Codes, ends: Codes) -> Histogram:
        with_missing = level == 0 and schema.columns[place].missing
        counts = records.in_cells(place, starts, ends, with_missing=with_missing)
        kept.append(release(f"cells/{place}/{level}", place, level, counts))
        return kept[-1]

    return count
