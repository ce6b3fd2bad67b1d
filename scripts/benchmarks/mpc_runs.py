"""Runs of a twin of several parties on one data set: for each noise key one, kept under all that defines it, as lines."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from marketplace.scores.summed import Scored, Scoring
from scripts.benchmarks.entrants import Setting, code_of
from scripts.benchmarks.lines import Line
from scripts.benchmarks.peers.kept import is_kept, remembered

DISTANCE, RELEASED = "L1-3way", "released l1_3way"
WIDEST = "l1_3way"
NO_NOISE = Fraction(1, 10**12)


@dataclass(frozen=True)
class Runs:
    """`part`: the benchmark. `modules`: those of the node that make its twins. `where`: data and parties. `real`: all records."""

    setting: Setting
    part: str
    modules: tuple[str, ...]
    where: str
    real: pd.DataFrame

    def lines(self, who: str, seeds: int, work: Callable[[int], Mapping[str, Any]]) -> Iterator[Line]:
        """What `work` finds for the keys 1 to `seeds`, as far as they are kept or there is time: its `distance` as a line, and as
        a second one the `released` score, where there is one."""
        runs = []
        for seed in range(1, seeds + 1):
            task = self._task(who, seed)
            if self.setting.left_s < 0 and not is_kept(task):
                break
            runs.append(remembered(task, lambda seed=seed: _timed(work, seed)))
        if not runs:
            yield Line(self.where, who, DISTANCE, (), note="not run: no time left")
            return
        found, kept = [value for value, _ in runs], all(kept for _, kept in runs)
        values = tuple(float(value["distance"]) for value in found)
        seconds = [float(np.mean([value[name] for value in found])) for name in ("processor_s", "wall_s")]
        notes = "; ".join(value["note"] for value in found if value.get("note"))
        yield Line(self.where, who, DISTANCE, values, *seconds, kept, note=notes)
        if scored := [value for value in found if "released" in value]:
            yield Line(
                self.where, who, RELEASED, tuple(value["released"] for value in scored), note=_scores_note(scored)
            )

    def _task(self, who: str, seed: int) -> Mapping[str, Any]:
        rows = hashlib.sha256(self.real.to_numpy(np.int64).tobytes()).hexdigest()
        code = [code_of(module) for module in self.modules]
        return {self.part: code, "who": who, "where": self.where, "seed": seed, "rows": rows}


def released(scored: Scored, scoring: Scoring, real: pd.DataFrame, made: pd.DataFrame) -> dict[str, float]:
    """The released score of triples with the ends of its interval, its floor, and what it is beside all `real` rows without
    noise."""
    counts = {name: counted.tolist() for name, counted in scoring.count(real).items()}
    exact = scoring.scored(counts, dict.fromkeys(counts, NO_NOISE), made)
    found, true = (next(s for s in one.scores if s.name.startswith(WIDEST)) for one in (scored, exact))
    low, high = found.interval
    shown = {"released": found.value, "low": low, "high": high, "floor": found.floor, "true": true.value}
    return {name: float(value) for name, value in shown.items()}


def _timed(work: Callable[[int], Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """What `work` finds for a key, with the seconds that it took."""
    start_s, start_wall_s = time.process_time(), time.monotonic()
    found = work(seed)
    return {**found, "processor_s": time.process_time() - start_s, "wall_s": time.monotonic() - start_wall_s}


def _scores_note(runs: Sequence[Mapping[str, float]]) -> str:
    """What the released scores of some runs are read against."""
    low, high, floor, true = (float(np.mean([run[name] for run in runs])) for name in ("low", "high", "floor", "true"))
    held = sum(run["low"] <= run["true"] <= run["high"] for run in runs)
    return f"true {true:.3f}, interval {low:.3f} to {high:.3f}, floor {floor:.3f}: mean; {held} of {len(runs)} intervals hold it"
