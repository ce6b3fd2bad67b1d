"""Pools of records for the twin's tests, and their sums as the parties would have them, in one process."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from node.mpc.noise import add
from node.noise.stream import NoiseStream
from node.twin.counting import count
from node.twin.pooled import PooledTwin
from tests.synthesis.examples import FEW, WIDE, rows_of, specification, table_of

PARTIES = 3
RHO_MICRO = 60_000
WIDE_ROWS, FEW_ROWS = rows_of(WIDE, 900), rows_of(FEW, 600)


def dealt(schema: Schema, rows: Sequence[tuple[int, ...]], parties: int = PARTIES) -> list[pa.Table]:
    """The rows, one after the other to the parties in turn."""
    return [table_of(schema, rows[number::parties]) for number in range(parties)]


def twin_of(
    schema: Schema, rho_micro: int = RHO_MICRO, parties: int = PARTIES, asked: Specification | None = None
) -> PooledTwin:
    """The twin of a pool in which one person may be at every party."""
    return PooledTwin(asked or specification(rows=900), rho_micro, schema.rows_per_person * parties, parties, 1)


def keys(number: int, parties: int = PARTIES) -> list[NoiseStream]:
    """Each party's own noise; another number, other keys."""
    return [NoiseStream(bytes([number, party]) * 16, b"a pool of tests") for party in range(parties)]


def opened_by(
    twin: PooledTwin, schema: Schema, tables: Sequence[pa.Table], noise: Sequence[NoiseStream] = ()
) -> Opened:
    """The sums of all rounds, each party with its noise; without any where no `noise` is given."""
    opened: tuple[dict[str, tuple[int, ...]], ...] = ()
    while asked := twin.asked(schema, opened):
        parts = []
        for number, table in enumerate(tables):
            counts = count(twin, schema, table, opened)
            parts.append(add(counts, twin.shares(schema, opened), noise[number], len(opened)) if noise else counts)
        opened = (*opened, {one.name: tuple(sum(part[one.name] for part in parts).tolist()) for one in asked})
    return opened


def distance(schema: Schema, real: Sequence[tuple[int, ...]], made: pa.Table, columns: tuple[int, int]) -> float:
    """The L1 distance of the shares of pairs of codes, in eighths of each column's grid."""
    shares = []
    coded = np.stack([made.column(name).fill_null(-1).to_numpy() for name in schema.names], axis=1)
    for codes in (np.array(real), coded):
        eighths = [np.where(codes[:, c] < 0, 8, codes[:, c] * 8 // schema.columns[c].size) for c in columns]
        shares.append(np.bincount(eighths[0] * 9 + eighths[1], minlength=81) / len(codes))
    return float(np.abs(shares[0] - shares[1]).sum())
