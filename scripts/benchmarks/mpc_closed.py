"""The closed lane near and far: what waits for what, and how long it takes, beside what a quote says."""

import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_cost import FAR_MS, MEETING_WAITS
from marketplace.protocol.analysis_counts import Contingency
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.closing_cost import cost_of_closed
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.counting import count
from node.mpc.gate import Gate
from node.mpc.joint import take_part
from node.mpc.plan import Plan
from node.mpc.running import ClosedProcess
from scripts.benchmarks import mpc_regressions, mpc_survival, mpc_waits
from scripts.benchmarks.mpc_regressions import used_s
from scripts.benchmarks.mpc_sums import PARTIES, PASSWORD, at_each
from scripts.story.lung import LUNG

CELL = 10
GREETING = 1
"""Of the messages that a party waits for until all agree, those that are counted: connections come before."""

Codes = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class ClosedFigures:
    """One analysis of three parties in the closed lane. `waits`: how many messages wait for each other, one after the other.

    `seconds`: from the start of the processes to everybody's signature, of the slowest party; `processor_s`: of all nodes and
    processes together; bytes of one party. `quoted`: what a quote says of the same.
    """

    analysis: str
    delay_ms: int
    waits: int
    quoted_waits: int
    seconds: float
    quoted_s: int
    processor_s: float
    moved_mb: float
    quoted_mb: float


@dataclass(frozen=True)
class Taken:
    """What one party measured."""

    seconds: float
    moved_bytes: int
    waits: int


def lung() -> tuple[Schema, list[Codes]]:
    return LUNG, mpc_survival.parts()


def patients() -> tuple[Schema, list[Codes]]:
    codes = mpc_regressions.patients(1)
    places = np.array_split(np.arange(mpc_regressions.ROWS), PARTIES)
    return mpc_regressions.SCHEMA, [{name: column[at] for name, column in codes.items()} for at in places]


ASKED: dict[str, tuple[Any, Callable[[], tuple[Schema, list[Codes]]]]] = {
    "table with chi-square": (Contingency("sex", "status"), lung),
    "survival with log-rank, 36 points": (mpc_survival.ASKED.analyses[0], lung),
    "logistic regression of 5": (mpc_regressions.ASKED["closed logistic of 5"], patients),
    "Cox regression of 5, 36 points": (mpc_regressions.ASKED["closed cox of 5"], patients),
}


def measure(name: str, delay_ms: int) -> ClosedFigures:
    """One of `ASKED`."""
    analysis, records = ASKED[name]
    schema, parts = records()
    plain = AnalysisSpecification(bytes(32), (analysis,), 1, bytes(SEALING_KEY_BYTES), secrets.token_bytes(32))
    asked = ClosedSpecification(plain, CELL)
    busy = used_s()
    taken: list[Taken] = at_each(partial(take_closed, asked, schema, parts), PARTIES, delay_ms)
    quoted = cost_of_closed(asked, schema, PARTIES)
    return ClosedFigures(
        analysis=name,
        delay_ms=delay_ms,
        waits=max(one.waits for one in taken) + MEETING_WAITS - GREETING,
        quoted_waits=quoted.waits,
        seconds=max(one.seconds for one in taken),
        quoted_s=quoted.far_seconds if delay_ms == FAR_MS else quoted.seconds,
        processor_s=used_s() - busy,
        moved_mb=max(one.moved_bytes for one in taken) / 1e6,
        quoted_mb=quoted.bytes / 1e6,
    )


def take_closed(
    asked: ClosedSpecification,
    schema: Schema,
    parts: Sequence[Codes],
    plan: Plan,
    folder: Path,
    listener: socket.socket,
) -> Taken:
    """One hospital's node."""
    own, started = parts[plan.own], time.perf_counter()
    rows = len(next(iter(own.values())))
    with (
        Gate(listener).expecting(plan.order) as arrivals,
        ClosedProcess(plan, folder, PASSWORD, arrivals, asked.openings(schema), mpc_waits.COMMAND) as process,
    ):
        answer = take_part(process, asked, schema, lambda opened: count(asked, schema, rows, own, opened))
        seconds = time.perf_counter() - started
        waits = int((folder / mpc_waits.COUNTED).read_text(encoding="utf-8"))
    return Taken(seconds, answer.closing.moved_bytes, waits)
