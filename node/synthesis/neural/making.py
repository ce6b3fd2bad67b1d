"""What both neural generators share: bins of records, the network's first weights, and rows from a fitted network."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import torch

from marketplace.errors import Corrupt
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Schema
from node.noise.stream import NoiseStream, Stage
from node.synthesis.barriers import FORBIDDEN, narrowed
from node.synthesis.cells import Floats
from node.synthesis.columns import Columns, columns_of
from node.synthesis.drawing import Drawn, finished_table
from node.synthesis.generator import Cancelled, Progress
from node.synthesis.neural.descent import Descent
from node.synthesis.neural.drawing import draw_network_bins
from node.synthesis.neural.fitting import fitted
from node.synthesis.neural.measured import Floats32, NeuralMeasurements, Step
from node.synthesis.neural.network import Weights, device_of, first_weights, one_thread
from node.synthesis.neural.plan import Plan
from node.synthesis.records import Records
from node.synthesis.replay import Replay

PUBLIC_SEED = 4_242


def fit(
    records: Records, columns: Columns, plan: Plan, stage: Stage, device: str | None, progress: Progress, cancelled: Cancelled
) -> Floats32:  # fmt: skip
    """The weights of a network fitted to the records as they are. Raises `Stopped` if cancelled."""
    with one_thread():
        start, rows = _start(columns, plan, device), _rows(records, columns, plan, device)
        return _flat(fitted(start, plan, rows, stage, progress, cancelled), plan)


def train(
    records: Records, columns: Columns, plan: Plan, rho_micro: int, noise: NoiseStream, device: str | None,
    progress: Progress, cancelled: Cancelled,
) -> tuple[Floats32, tuple[Step, ...]]:  # fmt: skip
    """The weights of a network trained with noise that costs at most `rho_micro`, and its stages. Raises as `fit`."""
    with one_thread():
        rows = _rows(records, columns, plan, device)
        descent = Descent(plan, rows, records.bound, columns.total, noise, progress, cancelled)
        return _flat(descent.run(_start(columns, plan, device), rho_micro), plan), tuple(descent.steps)


def rows_from(
    measured: NeuralMeasurements,
    schema: Schema,
    rows: int,
    noise: NoiseStream,
    cancelled: Cancelled,
    only: Sequence[Condition],
    device: str | None,
) -> pa.Table:
    """A table of `rows` rows of the network. Raises `Corrupt` for measurements of another schema, else as `finished_table`."""
    columns, plan = columns_of(schema, Replay(measured.cells, schema).count_cells), measured.plan
    if tuple(columns.sizes[place] for place in plan.order) != plan.sizes:
        raise Corrupt("expected a network of this schema in the measurements; use the schema they were made with")
    left, logs = narrowed(schema, columns, only)
    parts = np.split(np.where(logs <= FORBIDDEN, 0.0, np.exp(logs)), np.cumsum(columns.sizes)[:-1])
    allowed = [parts[place] for place in plan.order]
    where = device_of(device)
    weights = {name: torch.from_numpy(array.copy()).to(where) for name, array in measured.arrays.items()}

    def draw(count: int, part: NoiseStream) -> dict[int, Drawn]:
        return draw_network_bins(weights, plan, allowed, count, part, cancelled)

    with one_thread():
        return finished_table(draw, left, schema, only, rows, noise)


def _rows(records: Records, columns: Columns, plan: Plan, device: str | None) -> torch.Tensor:
    binned = records.binned(columns.cells, columns.bins)
    bins = np.stack([binned.columns[place] for place in plan.order], axis=1)
    return torch.from_numpy(bins.astype(np.int64)).to(device_of(device))


def _start(columns: Columns, plan: Plan, device: str | None) -> dict[str, torch.Tensor]:
    masses: Floats = np.concatenate([columns.bins[place].masses for place in plan.order])
    return first_weights(plan, masses, PUBLIC_SEED, device_of(device))


def _flat(weights: Weights, plan: Plan) -> Floats32:
    found: Floats32 = torch.cat([weights[name].detach().cpu().reshape(-1) for name in plan.shapes]).numpy()
    return found
