"""Small tables that the tests of evaluation share."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa

from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from marketplace.protocol.threshold import Threshold
from node.noise.stream import NoiseStream

COLUMNS = (
    Number("age", Decimal(0), Decimal(99), Decimal(1), missing=True),
    Category("stage", ("I", "II", "III", "IV"), missing=False),
    Category("ward", tuple(f"ward {letter}" for letter in "ABCDEFGHIJKL"), missing=True),
    Number("dose", Decimal("0.0"), Decimal("50.0"), Decimal("0.1"), missing=False),
)
SCHEMA = Schema(COLUMNS, "patient", 2)


def arrow(table: pd.DataFrame) -> pa.Table:
    """The coded Arrow table of a coded frame."""
    return pa.table({name: pa.array(table[name].to_numpy(), mask=(table[name] < 0).to_numpy()) for name in table})


def records(rows: int, seed: int) -> pd.DataFrame:
    """A coded frame of `SCHEMA` in which every column hangs on the stage."""
    random = np.random.default_rng(seed)
    stage = random.choice(4, rows, p=(0.4, 0.3, 0.2, 0.1))
    age = np.clip(random.normal(35 + 10 * stage, 9, rows).round(), 0, 99)
    ward = np.clip(random.poisson(1 + 2 * stage), 0, 11)
    dose = np.clip(random.gamma(2 + stage, 30).round(), 0, 500)
    table = pd.DataFrame({"age": age, "stage": stage, "ward": ward, "dose": dose}).astype(np.int32)
    table.loc[random.random(rows) < 0.1 * (stage + 1), "ward"] = -1
    table.loc[random.random(rows) < 0.05, "age"] = -1
    return table


def shuffled(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """`table` with every column in an order of its own."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({name: random.permutation(table[name].to_numpy()) for name in table})


def specification(
    workload: Workload | None = None, rows: int = 1_000, subgroups: str | None = None, *thresholds: Threshold
) -> Specification:
    """Some buyer's specification."""
    sealing_key = bytes(SEALING_KEY_BYTES)
    return Specification(
        bytes(32), rows, workload or Workload(), 60, sealing_key, bytes(32), subgroups=subgroups, thresholds=thresholds
    )


def noise(context: int | bytes = 0) -> NoiseStream:
    """A noise stream of a test key."""
    return NoiseStream(b"k" * 32, context if isinstance(context, bytes) else context.to_bytes(8, "big"))


def silent(_: str, __: float) -> None:
    """Progress that nobody sees."""


def never() -> bool:
    """Never cancelled."""
    return False
