"""An analysis of many statistics a long way apart: summed one after the other, and round by round, beside what a quote says.

The statistics are as many, and in as many rounds, as those of the twin of flchain: 36 with 5,338 numbers in five rounds.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from marketplace.protocol.analysis_cost import FAR_MS, cost_of_cells
from node.mpc.gate import Gate
from node.mpc.masks import Batch, Tensor
from node.mpc.plan import Plan
from node.mpc.running import PartyProcess
from scripts.benchmarks.mpc_sums import PARTIES, PASSWORD, at_each

CELLS = ((20,) * 11, (15,) * 2, (15,) * 1, (1_983,), (145,) * 20 + (190,))
"""The numbers of each statistic, round by round."""


@dataclass(frozen=True)
class RoundFigures:
    """All `rounds` between three parties that are connected. `quoted_s`, `quoted_mb`: what a quote says of the whole order, whose
    `whole_s` count from the start of the processes to everybody's signature. Seconds and bytes of the slowest party."""

    statistics: int
    rounds: int
    cells: int
    together: bool
    delay_ms: int
    seconds: float
    whole_s: float
    quoted_s: int
    moved_mb: float
    quoted_mb: float


def measure(delay_ms: int, together: bool) -> RoundFigures:
    """`together`: whether a round's statistics are one message."""
    batches = [
        batch
        for number, cells in enumerate(CELLS)
        for tensors in [tuple(Tensor(number, f"{place}/counts", size) for place, size in enumerate(cells))]
        for batch in ([Batch(tensors)] if together else [Batch((tensor,)) for tensor in tensors])
    ]
    taken = at_each(partial(_take_part, batches), PARTIES, delay_ms)
    quoted = cost_of_cells(len(CELLS), sum(map(sum, CELLS)), PARTIES)
    return RoundFigures(
        statistics=sum(map(len, CELLS)),
        rounds=len(CELLS),
        cells=sum(map(sum, CELLS)),
        together=together,
        delay_ms=delay_ms,
        seconds=max(seconds for seconds, _, _ in taken),
        whole_s=max(whole_s for _, whole_s, _ in taken),
        quoted_s=quoted.far_seconds if delay_ms == FAR_MS else quoted.seconds,
        moved_mb=max(moved for _, _, moved in taken) / 1e6,
        quoted_mb=quoted.bytes / 1e6,
    )


def _take_part(batches: Sequence[Batch], plan: Plan, folder: Path, listener: socket.socket) -> tuple[float, float, int]:
    """Seconds for the sums, for everything, and bytes."""
    started = time.perf_counter()
    with Gate(listener).expecting(plan.order) as arrivals, PartyProcess(plan, folder, PASSWORD, arrivals) as process:
        process.ready()
        begun = time.perf_counter()
        for batch in batches:
            process.sum(batch, [np.ones(tensor.cells, np.int64) for tensor in batch.tensors])
        seconds = time.perf_counter() - begun
        closing = process.finish()
    return seconds, time.perf_counter() - started, closing.moved_bytes
