"""The synthetic twin of a table whose columns lie at different hospitals, beside those who have all of them, at epsilon 1.

The columns of public data are dealt in turn to two sides. The left ones lie at two hospitals, persons dealt at random; the
right ones of all persons at a registry. Unit: a person, who is at one party of each side, unless a line says otherwise.
`central`: private marginals of the joined records in one place, at the same rho and at the rho whose noise has as much more
variance as the parties' noise has together. `joined at random`: private marginals of either side's columns in one place, at
the same rho each, the rows of both twins put beside each other in any order. The first key of the twin runs between real
processes over mutual TLS, all others are added up in one process; what is opened is the same.
"""

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.crossing import Side
from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification
from marketplace.protocol.split import coincidences_of
from node.mpc.local import cross_here
from node.mpc.noise import add
from node.mpc.persons import placed
from node.noise.stream import NoiseStream
from node.twin.marking import marks
from node.twin.split import Split
from node.twin.vertical import VerticalTwin
from scripts.benchmarks.entrants import DELTA, Setting, bounds
from scripts.benchmarks.generate import NO_WORKLOAD, Judge, timed_twin
from scripts.benchmarks.lines import Line
from scripts.benchmarks.mpc_crossed import crossed
from scripts.benchmarks.mpc_runs import DISTANCE, Runs, released
from scripts.benchmarks.mpc_twin import coded
from scripts.benchmarks.tables import Table, load

SIDES = (Side.LEFT, Side.LEFT, Side.RIGHT)
MODULES = (
    "node.twin.vertical",
    "node.twin.marking",
    "node.twin.split",
    "node.mpc.noise",
    "node.mpc.persons",
    "marketplace.protocol.crossing",
    "marketplace.scores.summed",
)
CASES = (("prostate", 2**16, 3), ("flchain", 2**16, 3), ("adult", 2**18, 1))
"""Data, buckets, and keys at most."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Hospitals:
    """`parts`: what each party has, a row for each person, whose number is the index."""

    twin: VerticalTwin
    parts: tuple[pd.DataFrame, ...]

    @classmethod
    def dealt(cls, table: Table, buckets: int) -> "Hospitals":
        columns = table.schema.columns
        left, right = (Schema(columns[side::2], "person", 1) for side in Side)
        place = np.random.default_rng(0).integers(0, 2, len(table.real))
        hospitals = tuple(table.real.loc[place == number, list(left.names)] for number in range(2))
        parts = (*hospitals, table.real[list(right.names)])
        split = Split(left, right, SIDES, buckets, coincidences_of(buckets, list(map(len, parts)), SIDES))
        wishes = Specification(bytes(32), len(table.real), NO_WORKLOAD, 60, bytes(SEALING_KEY_BYTES), bytes(32))
        twin = VerticalTwin(wishes, largest_rho_micro(1.0, DELTA), split, 1, at=len(Side))
        return cls(twin, parts)

    def counts(self, seed: int) -> list[Callable[[Opened, bytes], tuple[Integers, Integers]]]:
        """For each party its marks and its noise in a round, under the key that all agree on."""
        streams = [NoiseStream(bytes([seed, number]) * 16, b"benchmark") for number in range(len(self.parts))]
        return [partial(self._counted, *one) for one in zip(SIDES, self.parts, streams, strict=True)]

    def _counted(
        self, side: Side, part: pd.DataFrame, noise: NoiseStream, opened: Opened, key: bytes
    ) -> tuple[Integers, Integers]:
        places = placed([str(person) for person in part.index], key, self.twin.split.buckets)
        shares = self.twin.shares(opened)
        added = add({one.name: np.zeros(one.cells, np.int64) for one in shares}, shares, noise, len(opened))
        return marks(self.twin, side, coded(part), places, opened), np.concatenate(list(added.values()))

    def opened(self, seed: int) -> Opened:
        """What all rounds open, told in this process."""
        opened: tuple[Mapping[str, Sequence[int]], ...] = ()
        key, counts = secrets.token_bytes(32), self.counts(seed)
        while (crossing := self.twin.crossing(opened)) is not None:
            handed = [counted(opened, key) for counted in counts]
            found = crossed(crossing, [one for one, _ in handed]) + sum(noise for _, noise in handed)
            opened = (*opened, self.twin.named(opened, found))
        return opened

    def judged(self, opened: Opened, made: pd.DataFrame, judge: Judge, real: pd.DataFrame) -> dict[str, float]:
        """The distance of rows that were made, and the scores that are released of them, as `mpc_runs.released` has them."""
        scoring = self.twin.pooled.scoring(self.twin.split.joined, opened)
        own = real[list(made.columns)]
        return {"distance": judge.distance(made), **released(self.twin.scored(opened, made), scoring, own, made)}

    def rows(self, opened: Opened) -> pd.DataFrame:
        made = self.twin.table(opened, lambda *_: None, lambda: False)
        return pd.DataFrame({name: made.column(name).fill_null(-1).to_numpy() for name in made.column_names})


def lines(setting: Setting) -> Iterator[Line]:
    """Every line of the part; those that are kept, and as many others as there is time for."""
    for name, buckets, keys in CASES:
        table = load(name, setting.data)
        judge = Judge(table.schema, table.real)
        yield from bounds(name, table.real, lambda made, judge=judge: {DISTANCE: judge.distance(made)})
        yield from _of(setting, table, Hospitals.dealt(table, buckets), judge, min(keys, setting.seeds))


def _of(setting: Setting, table: Table, hospitals: Hospitals, judge: Judge, seeds: int) -> Iterator[Line]:
    twin, real = hospitals.twin, table.real
    runs = Runs(setting, "mpc vertical", MODULES, f"{table.name}, {twin.split.buckets:,} buckets", real)

    def split(at: int, seed: int) -> Mapping[str, Any]:
        made = replace(hospitals, twin=replace(twin, at=at))
        if (at, seed) == (twin.at, 1):
            return _between_processes(made, judge, real)
        opened = made.opened(seed)
        return made.judged(opened, made.rows(opened), judge, real)

    def central(rho_micro: int, seed: int) -> Mapping[str, Any]:
        return {"distance": judge.distance(timed_twin(real, table.schema, rho_micro, seed)[0])}

    def at_random(seed: int) -> Mapping[str, Any]:
        sides = (twin.split.left, twin.split.right)
        made = [timed_twin(real[list(one.names)], one, twin.rho_micro, seed)[0] for one in sides]
        order = np.random.default_rng(seed).permutation(len(real))
        return {"distance": judge.distance(pd.concat([made[0], made[1].iloc[order].reset_index(drop=True)], axis=1))}

    yield from runs.lines("twin of the split table", seeds, partial(split, twin.at))
    yield from runs.lines("the same, of a person's rows at one provider", seeds, partial(split, 1))
    yield from runs.lines("the same, a person may be at every one", seeds, partial(split, len(SIDES)))
    yield from runs.lines("central at 3/2 of the variance", seeds, partial(central, twin.rho_micro * 2 // 3))
    yield from runs.lines("central at the same rho", seeds, partial(central, twin.rho_micro))
    yield from runs.lines("each side alone, joined at random", seeds, at_random)


def _between_processes(hospitals: Hospitals, judge: Judge, real: pd.DataFrame) -> Mapping[str, Any]:
    """The twin as real parties make it, each with a process of its own."""
    with tempfile.TemporaryDirectory(prefix="agora-split-") as folder:
        answers = cross_here(hospitals.twin, bytes(32), hospitals.counts(1), Path(folder))
    if any(one.opened != answers[0].opened for one in answers):
        raise SystemExit("expected the same numbers at every party")
    start_s = time.monotonic()
    made = hospitals.rows(answers[0].opened)
    rows_s = time.monotonic() - start_s
    cells = sum(len(sums) for opened in answers[0].opened for sums in opened.values())
    moved = ", ".join(f"{one.closing.moved_bytes / 1e6:.0f}" for one in answers)
    peak = max(one.closing.peak_kib for one in answers) // 1024
    note = (
        f"{len(answers[0].opened)} rounds, {cells:,} numbers, {max(one.seconds for one in answers):.1f} s between processes "
        f"and {rows_s:.1f} s for rows, {moved} MB at the parties, at most {peak} MiB"
    )
    return {**hospitals.judged(answers[0].opened, made, judge, real), "note": note}
