"""Runs of the generator on parts of public tables: what it scored there, beside the shuffle of the records."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from marketplace.protocol.rho import delta_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from marketplace.scores.cells import Bins
from marketplace.scores.measure import measures
from marketplace.scores.reference import ceiling, shuffle
from node.noise.stream import NoiseStream
from node.spending import spending_of
from node.synthesis.marginals import NAME, PrivateMarginals
from scripts.benchmarks.peers.kept import remembered
from scripts.benchmarks.public import NAMES, public_table
from scripts.benchmarks.tables import Table

LEAST_ROWS, MOST_ROWS = 150, 40_000
EPSILONS = (0.1, 10.0)
ALL_COLUMNS, OTHER_ROWS, WITH_WORKLOAD = 0.35, 0.3, 0.5


@dataclass(frozen=True)
class Setting:
    """One run: `table` cut to `columns` and `rows` records, of which `asked` synthetic rows are made."""

    table: str
    columns: tuple[str, ...]
    rows: int
    asked: int
    epsilon: float
    workload: tuple[tuple[str, ...], ...]
    seed: int

    @property
    def rho_micro(self) -> int:
        """The rho of the order."""
        return largest_rho_micro(self.epsilon, delta_of(largest_delta_atto(self.rows)))

    def schema(self, whole: Schema) -> Schema:
        """What is declared about these columns; one row is one person."""
        return Schema(tuple(whole.column(name) for name in self.columns), None, 1)

    @property
    def specification(self) -> Specification:
        """The wishes of the run's order."""
        return Specification(
            bytes(32), self.asked, Workload(self.workload), 60, bytes(SEALING_KEY_BYTES), self.seed.to_bytes(32, "big")
        )


@dataclass(frozen=True)
class Rehearsal:
    """What a run gave. `scores`, `floors`, `ceilings`: exact, by name. `seconds`: of one processor."""

    setting: Setting
    scores: dict[str, float]
    floors: dict[str, float]
    ceilings: dict[str, float]
    seconds: float


def settings(per_table: int, folder: Path) -> Iterator[Setting]:
    """Which runs are made, the same every time, tables by turns."""
    for turn in range(per_table):
        for place, name in enumerate(NAMES):
            yield _setting(table_of(name, folder), turn, np.random.default_rng((turn, place)))


def rehearse(setting: Setting, folder: Path) -> Rehearsal:
    """The run's outcome, kept from an earlier time where the generator was of the same version."""
    task = {"rehearsal": 1, "generator": NAME, **asdict(setting)}
    found, _ = remembered(task, lambda: run(setting, table_of(setting.table, folder)))
    return Rehearsal(setting, **found)


@cache
def table_of(name: str, folder: Path) -> Table:
    """The whole table."""
    return public_table(name, folder)


def _setting(table: Table, turn: int, rng: np.random.Generator) -> Setting:
    names, most = table.schema.names, min(MOST_ROWS, len(table.real))
    count = len(names) if rng.random() < ALL_COLUMNS else int(rng.integers(2, len(names) + 1))
    columns = tuple(names[place] for place in sorted(rng.permutation(len(names))[:count]))
    rows = int(np.exp(rng.uniform(np.log(min(LEAST_ROWS, most)), np.log(most))))
    asked = int(rows * rng.choice((0.3, 3.0))) if rng.random() < OTHER_ROWS else rows
    epsilon = float(np.round(np.exp(rng.uniform(*np.log(EPSILONS))), 3))
    workload = []
    if rng.random() < WITH_WORKLOAD and count >= 3:
        for _ in range(int(rng.integers(1, 5))):
            width = int(rng.integers(2, 4))
            workload.append(tuple(columns[place] for place in sorted(rng.permutation(count)[:width])))
    return Setting(table.name, columns, rows, asked, epsilon, tuple(dict.fromkeys(workload)), turn)


def run(setting: Setting, table: Table) -> dict[str, Any]:
    """The outcome of a run, made now."""
    rng = np.random.default_rng(setting.seed)
    real = table.real.iloc[rng.permutation(len(table.real))[: setting.rows]][list(setting.columns)]
    real = real.astype(np.int32).reset_index(drop=True)
    schema, specification = setting.schema(table.schema), setting.specification
    start_s = time.process_time()
    made = twin_of(real, schema, specification, spending_of(setting.rho_micro).generate_micro, setting.seed)
    seconds = time.process_time() - start_s
    bins, seed = Bins.of(made, schema), bytes(32)
    twin, records = bins.cut(made), bins.cut(real)
    cells = Bins.of(real, schema).cut(real)
    wanted = measures(schema, specification.workload, seed)
    return {
        "scores": {one.name: float(one.distance(twin, records)) for one in wanted},
        "floors": {one.name: float(one.distance(shuffle(cells, seed, 0), cells)) for one in wanted},
        "ceilings": {one.name: float(ceiling(one, cells, setting.rows)) for one in wanted},
        "seconds": seconds,
    }


def twin_of(
    real: pd.DataFrame, schema: Schema, specification: Specification, rho_micro: int, seed: int
) -> pd.DataFrame:
    """The synthetic table that an order with these wishes would give of `real`, for `rho_micro` of the generator."""
    table = pa.table({name: pa.array(codes, pa.int32(), mask=codes < 0) for name, codes in real.items()})
    key = seed.to_bytes(32, "big")
    generator, noise = PrivateMarginals(), NoiseStream(key, b"rehearsal")
    measured = generator.measure(table, schema, specification, rho_micro, noise, lambda *_: None, lambda: False)
    twin = generator.synthesise(measured, schema, specification.rows, key, lambda *_: None, lambda: False)
    return pd.DataFrame({name: twin.column(name).fill_null(-1).to_numpy().astype(np.int32) for name in schema.names})
