"""Rows from released counts alone, and whether wishes for rows can be met: no record is within reach of this."""

from collections.abc import Sequence
from math import prod

import numpy as np
import pyarrow as pa

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.noise.stream import KEY_BYTES, NoiseStream
from node.synthesis.barriers import barriers_of, narrowed
from node.synthesis.bins import bins_of, most_bins
from node.synthesis.budget import marginals_of
from node.synthesis.cells import cell_count, first_cells
from node.synthesis.columns import Columns, NoisyMarginal, columns_of
from node.synthesis.drawing import draw_table
from node.synthesis.estimation import estimate
from node.synthesis.generator import Cancelled, Progress, stop_if
from node.synthesis.junction import JunctionTree
from node.synthesis.measurements import Histogram
from node.synthesis.replay import Replay
from node.synthesis.structure import junction_cells

WORKLOAD_CELLS = 4_000_000
TRIED_ROWS = 256


def check_wishes(schema: Schema, specification: Specification) -> None:
    """Raises `Invalid` unless rows of `schema` can be as asked, and one model can hold the workload."""
    specification.check(schema)
    workload = marginals_of(schema, specification.workload)
    most = [most_bins(column) for column in schema.columns]
    if junction_cells(most, workload) > WORKLOAD_CELLS:
        raise Invalid(
            "expected a workload that one model can hold, got too many marginals that share columns; ask for fewer"
        )
    if schema.constraints or specification.only:
        find_rows(schema, specification.only)


def rows_from(
    name: str,
    histograms: Sequence[Histogram],
    schema: Schema,
    rows: int,
    seed: bytes,
    progress: Progress,
    cancelled: Cancelled,
    only: Sequence[Condition] = (),
) -> pa.Table:
    """A coded table of `rows` rows from released counts alone: of the columns' cells and of marginals over their bins.

    `name`: of who measured them. The other arguments, and what it raises, as in `Generator.synthesise`.
    """
    if rows < 1:
        raise Invalid(f"expected at least 1 row, got {rows}")
    if len(seed) != KEY_BYTES:
        raise ValueError(f"expected a seed of {KEY_BYTES} bytes, got {len(seed)}")
    columns = columns_of(schema, Replay(histograms, schema).count_cells)
    marginals = _marginals_of(histograms, schema, columns)
    stop_if(cancelled)
    model = estimate(columns, marginals, barriers_of(schema, columns), progress, cancelled)
    left, narrowing = narrowed(schema, columns, only)
    noise = NoiseStream(seed, name.encode())
    return draw_table(model.steps(narrowing), left, schema, only, rows, noise, cancelled)


def find_rows(schema: Schema, only: Sequence[Condition]) -> None:
    """Raises `Invalid` unless rows drawn from nothing but the schema can keep all constraints and meet `only`."""
    cells = [
        first_cells(column, np.ones(cell_count(column)), 0.0, float(cell_count(column))) for column in schema.columns
    ]
    bins = tuple(bins_of(column, found) for column, found in zip(schema.columns, cells, strict=True))
    columns, narrowing = narrowed(schema, Columns(tuple(cells), bins, 1.0), only)
    barriers = barriers_of(schema, columns)
    singles = [(place,) for place in range(len(bins))]
    tree = JunctionTree(columns.sizes, [*singles, *(barrier.columns for barrier in barriers)])
    potentials = tree.arranged([*(np.zeros(size) for size in columns.sizes), *(barrier.logs for barrier in barriers)])
    potentials[: len(narrowing)] += narrowing
    noise = NoiseStream(bytes(KEY_BYTES), b"rows of the schema")
    draw_table(tree.steps(potentials), columns, schema, only, TRIED_ROWS, noise, lambda: False)


def _marginals_of(histograms: Sequence[Histogram], schema: Schema, columns: Columns) -> list[NoisyMarginal]:
    marginals = []
    for histogram in histograms:
        if not histogram.stage.startswith("marginal/"):
            continue
        places = tuple(schema.names.index(name) for name in histogram.columns if name in schema.names)
        shape = [columns.sizes[place] for place in places]
        if len(places) != len(histogram.columns) or prod(shape) != len(histogram.counts):
            raise Corrupt("expected marginals of this schema in the measurements; use the schema they were made with")
        marginals.append(NoisyMarginal(places, np.array(histogram.counts, np.float64), histogram.stddev))
    return marginals
