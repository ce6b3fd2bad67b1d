"""The synthetic twin of pooled records beside the central mechanism and beside each hospital alone, at epsilon 1.

The records are dealt to hospitals at random. Unit: one person at one provider, unless a line says that a person may be at
every one. `central`: private marginals of all records in one place, at the same rho and at the rho whose noise has as much
more variance as the parties' noise has together, parties / honest ones. `alone`: private marginals of one hospital's
records at the same rho, judged against all. The first key of each data set and number of parties runs between real party
processes over mutual TLS, the further ones are summed in one process; the sums are the same.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification
from marketplace.protocol.unit import PrivacyUnit
from node.mpc.local import answer_here
from node.mpc.noise import add
from node.noise.stream import NoiseStream
from node.twin.counting import count
from node.twin.pooled import PooledTwin
from scripts.benchmarks.entrants import DELTA, Setting, bounds
from scripts.benchmarks.generate import NO_WORKLOAD, Judge, timed_twin
from scripts.benchmarks.lines import Line
from scripts.benchmarks.mpc_runs import DISTANCE, Runs, released
from scripts.benchmarks.tables import Table, load

MODULES = ("node.twin.counting", "node.mpc.noise", "marketplace.scores.summed")
CASES = (
    ("prostate", 3, 1, 10),
    ("flchain", 3, 1, 3),
    ("adult", 3, 1, 1),
    ("prostate", 5, 2, 3),
    ("prostate", 8, 3, 3),
    ("flchain", 5, 2, 1),
    ("flchain", 8, 3, 1),
    ("adult", 5, 2, 1),
    ("adult", 8, 3, 1),
)
"""Data, parties, threshold, and keys at most."""


@dataclass(frozen=True)
class Pool:
    """Hospitals of one benchmark. `rho_micro`: what the sums may cost the privacy unit."""

    table: Table
    parts: tuple[pd.DataFrame, ...]
    threshold: int
    rho_micro: int
    unit: PrivacyUnit = PrivacyUnit.PERSON_AT_PROVIDER

    @classmethod
    def dealt(cls, table: Table, parties: int, threshold: int) -> "Pool":
        place = np.random.default_rng(0).integers(0, parties, len(table.real))
        parts = tuple(table.real[place == number] for number in range(parties))
        return cls(table, parts, threshold, largest_rho_micro(1.0, DELTA))

    @property
    def schema(self) -> Schema:
        return self.table.schema

    @property
    def twin(self) -> PooledTwin:
        wishes = Specification(bytes(32), len(self.table.real), NO_WORKLOAD, 60, bytes(SEALING_KEY_BYTES), bytes(32))
        rows = self.unit.rows([self.schema.rows_per_person] * len(self.parts))
        return PooledTwin(wishes, self.rho_micro, rows, len(self.parts), self.threshold)

    def counts(self, seed: int) -> list[Callable[[Opened], Mapping[str, Any]]]:
        """For each hospital what it counts in a round, with its noise inside."""
        streams = [NoiseStream(bytes([seed, number]) * 16, b"benchmark") for number in range(len(self.parts))]
        return [partial(_noisy, self, coded(part), stream) for part, stream in zip(self.parts, streams, strict=True)]

    def opened(self, seed: int) -> Opened:
        """The sums of all rounds, made in this process."""
        opened: tuple[Mapping[str, Sequence[int]], ...] = ()
        counts = self.counts(seed)
        while asked := self.twin.asked(self.schema, opened):
            parts = [counted(opened) for counted in counts]
            opened = (*opened, {one.name: tuple(sum(p[one.name] for p in parts).tolist()) for one in asked})
        return opened

    def judged(self, opened: Opened, made: pd.DataFrame) -> dict[str, float]:
        """As `released`."""
        scored = self.twin.scored(self.schema, opened, made)
        return released(scored, self.twin.scoring(self.schema, opened), self.table.real, made)

    def rows(self, opened: Opened) -> pd.DataFrame:
        made = self.twin.table(self.schema, opened, lambda *_: None, lambda: False)
        return pd.DataFrame({name: made.column(name).fill_null(-1).to_numpy() for name in self.schema.names})


def _noisy(pool: Pool, table: pa.Table, noise: NoiseStream, opened: Opened) -> Mapping[str, Any]:
    counts = count(pool.twin, pool.schema, table, opened)
    return add(counts, pool.twin.shares(pool.schema, opened), noise, len(opened))


def coded(frame: pd.DataFrame) -> pa.Table:
    """The rows as a coded table."""
    return pa.table({name: pa.array(codes, pa.int32(), mask=codes < 0) for name, codes in frame.items()})


def lines(setting: Setting) -> Iterator[Line]:
    """Every line of the part; those that are kept, and as many others as there is time for."""
    judges: dict[str, tuple[Table, Judge]] = {}
    for name, parties, threshold, keys in CASES:
        if name not in judges:
            table = load(name, setting.data)
            judges[name] = table, Judge(table.schema, table.real)
            yield from bounds(name, table.real, lambda made, judge=judges[name][1]: {DISTANCE: judge.distance(made)})
        table, judge = judges[name]
        yield from _of_pool(setting, Pool.dealt(table, parties, threshold), judge, min(keys, setting.seeds))


def _of_pool(setting: Setting, pool: Pool, judge: Judge, seeds: int) -> Iterator[Line]:
    parties, honest = len(pool.parts), len(pool.parts) - pool.threshold
    where = f"{pool.table.name}, {parties} parties, {pool.threshold} dishonest"
    least = pool.rho_micro * honest // parties
    real = pool.table.real
    runs = Runs(setting, "mpc twin", MODULES, where, real)

    def central(rho_micro: int, frame: pd.DataFrame, seed: int) -> Mapping[str, Any]:
        return {"distance": judge.distance(timed_twin(frame, pool.schema, rho_micro, seed)[0])}

    def pooled(made: Pool, seed: int) -> Mapping[str, Any]:
        return (
            _between_processes(made, judge, seed)
            if seed == 1
            else _as_judged(made, judge, opened := made.opened(seed), made.rows(opened))
        )

    def alone(seed: int) -> Mapping[str, Any]:
        found = [central(pool.rho_micro, part, seed)["distance"] for part in pool.parts]
        return {"distance": float(np.mean(found)), "note": f"{min(found):.3f} to {max(found):.3f}" if seed == 1 else ""}

    yield from runs.lines("pooled twin", seeds, partial(pooled, pool))
    yield from runs.lines(f"central at {parties}/{honest} of the variance", seeds, partial(central, least, real))
    yield from runs.lines("central at the same rho", seeds, partial(central, pool.rho_micro, real))
    yield from runs.lines("each hospital alone, mean", min(seeds, 3), alone)
    if parties == 3:
        everywhere = Pool(pool.table, pool.parts, pool.threshold, pool.rho_micro, PrivacyUnit.PERSON)
        yield from runs.lines("pooled twin, a person may be at every one", min(seeds, 3), partial(pooled, everywhere))


def _as_judged(pool: Pool, judge: Judge, opened: Opened, made: pd.DataFrame) -> dict[str, Any]:
    return {"distance": judge.distance(made), **pool.judged(opened, made)}


def _between_processes(pool: Pool, judge: Judge, seed: int) -> Mapping[str, Any]:
    """The twin as real parties make it, each with a process of its own."""
    with tempfile.TemporaryDirectory(prefix="agora-twin-") as folder:
        answers = answer_here(pool.twin, pool.schema, bytes(32), pool.counts(seed), Path(folder), pool.threshold)
    if any(one.opened != answers[0].opened for one in answers):
        raise SystemExit("expected the same sums at every party")
    start_s = time.monotonic()
    made = pool.rows(answers[0].opened)
    rows_s = time.monotonic() - start_s
    cells = sum(len(sums) for opened in answers[0].opened for sums in opened.values())
    closing = answers[0].closing
    note = (
        f"{len(answers[0].opened)} rounds, {cells:,} numbers, {max(one.seconds for one in answers):.1f} s between "
        f"processes and {rows_s:.1f} s for rows, {closing.moved_bytes / 1e6:.2f} MB and {closing.peak_kib // 1024} MiB a party"
    )
    return {**_as_judged(pool, judge, answers[0].opened, made), "note": note}
