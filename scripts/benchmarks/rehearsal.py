"""Runs of the generator on parts of public tables: what it scored there, beside the shuffle of the records."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.cells import Bins
from marketplace.scores.curve import CURVE, Grid, NoisyCurve
from marketplace.scores.measure import measures
from marketplace.scores.reference import ceiling, shuffle
from marketplace.scores.score import Score
from node.evaluation.released import release
from node.evaluation.stages import shares_of
from node.noise.stream import NoiseStream
from node.spending import spending_of
from node.synthesis.marginals import NAME, PrivateMarginals
from scripts.benchmarks.peers.kept import remembered
from scripts.benchmarks.rehearsal_settings import Setting, met, table_of
from scripts.benchmarks.tables import Table


@dataclass(frozen=True)
class Rehearsal:
    """What a run gave. `scores`, `floors`, `ceilings`: by name, exact but for curves, which are as they are released.

    `seconds`: of one processor.
    """

    setting: Setting
    scores: dict[str, float]
    floors: dict[str, float]
    ceilings: dict[str, float]
    seconds: float


def rehearse(setting: Setting, folder: Path) -> Rehearsal:
    """The run's outcome, kept from an earlier time where the generator was of the same version."""
    found, _ = remembered(task_of(setting), lambda: run(setting, table_of(setting.table, folder)))
    return Rehearsal(setting, **found)


def task_of(setting: Setting) -> dict[str, Any]:
    """What the run's outcome is kept under."""
    return {"rehearsal": 1, "generator": NAME, **setting.task}


def run(setting: Setting, table: Table) -> dict[str, Any]:
    """The outcome of a run, made now."""
    real, schema, specification = setting.drawn(table), setting.schema(table.schema), setting.specification
    start_s = time.process_time()
    made = twin_of(real, schema, specification, spending_of(setting.rho_micro).generate_micro, setting.seed)
    seconds = time.process_time() - start_s
    real = met(setting.only, schema, real)
    bins, seed = Bins.of(made, schema), bytes(32)
    twin, records = bins.cut(made), bins.cut(real)
    cells = Bins.of(real, schema).cut(real)
    wanted = measures(schema, specification.workload, seed)
    curves = released_curves(setting, real, made, schema)
    return {
        "scores": {one.name: float(one.distance(twin, records)) for one in wanted}
        | {one.name: float(one.value) for one in curves},
        "floors": {one.name: float(one.distance(shuffle(cells, seed, 0), cells)) for one in wanted}
        | {one.name: float(one.floor) for one in curves},
        "ceilings": {one.name: float(ceiling(one, cells, len(real))) for one in wanted}
        | {one.name: float(one.ceiling) for one in curves},
        "seconds": seconds,
    }


def released_curves(setting: Setting, real: pd.DataFrame, made: pd.DataFrame, schema: Schema) -> list[Score]:
    """The scores of the curves as the run's order would release them."""
    specification, noise = setting.specification, NoiseStream(setting.seed.to_bytes(32, "big"), b"rehearsal of curves")
    shares = shares_of(schema, specification, spending_of(setting.rho_micro).evaluate_micro) if setting.curves else {}
    found = []
    for index, curve in enumerate(setting.curves):
        grid, name = Grid.of(curve, schema), f"{CURVE}{index}"
        cells, charge = release(grid.count(real).ravel().tolist(), 1, name, shares[name], noise)
        noisy = NoisyCurve(tuple(cells), charge.sigma2)
        found.append(noisy.judged(index, grid, made, specification.digest, setting.rows).score)
    return found


def twin_of(
    real: pd.DataFrame, schema: Schema, specification: Specification, rho_micro: int, seed: int
) -> pd.DataFrame:
    """The synthetic table that an order with these wishes would give of `real`, for `rho_micro` of the generator."""
    table = pa.table({name: pa.array(codes, pa.int32(), mask=codes < 0) for name, codes in real.items()})
    key = seed.to_bytes(32, "big")
    generator, noise = PrivateMarginals(), NoiseStream(key, b"rehearsal")
    measured = generator.measure(table, schema, specification, rho_micro, noise, lambda *_: None, lambda: False)
    twin = generator.synthesise(
        measured, schema, specification.rows, key, lambda *_: None, lambda: False, specification.only
    )
    return pd.DataFrame({name: twin.column(name).fill_null(-1).to_numpy().astype(np.int32) for name in schema.names})
