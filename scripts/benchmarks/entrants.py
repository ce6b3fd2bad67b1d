"""Who is compared: this node's generators and the peers, each run kept under all that defines it."""

import ast
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.specification import DEFAULT_GENERATOR, Workload
from node.synthesis.generators import GENERATORS, LINKED_GENERATOR
from scripts.benchmarks.generate import NO_WORKLOAD, timed_twin
from scripts.benchmarks.lines import Line, verdict
from scripts.benchmarks.peers.environment import DPMM, SDV
from scripts.benchmarks.peers.kept import is_kept, remembered, run
from scripts.benchmarks.tables import Table

DELTA = 1e-5
PROMISES = ("generator.py", "generators.py", "measurements.py")
Judged = Mapping[str, float]
Judge = Callable[[pd.DataFrame], Judged]


@dataclass(frozen=True)
class Setting:
    """What was asked for. `until_s`: on the monotonic clock, when to start nothing more. `limit_s`: the most seconds of
    the processor for one run of a peer."""

    seeds: int
    data: Path
    until_s: float
    limit_s: float

    @property
    def left_s(self) -> float:
        return self.until_s - time.monotonic()


@dataclass(frozen=True)
class Entry:
    """How a generator of ours enters. `training`: for a seed, the rows that it sees, by default all within the bound;
    `judge`: for a seed, what judges its table. `goals`: for a measure, what its mean should be at most.
    `reasons`: for a measure, what is known of a goal that is missed."""

    part: str
    table: Table
    rho_micro: int
    judge: Callable[[int], Judge]
    goals: Mapping[str, tuple[float, ...]] | None = None
    who: str = "ours"
    workload: Workload = NO_WORKLOAD
    generator: str = DEFAULT_GENERATOR
    training: Callable[[int], pd.DataFrame] | None = None
    reasons: Mapping[str, str] | None = None


def ours(setting: Setting, entry: Entry) -> list[Line]:
    """One line for each measure, over as many seeds as are kept or there is time for, at least two."""
    runs = []
    for seed in range(setting.seeds):
        rows = entry.training(seed) if entry.training else entry.table.kept(seed)
        task = {
            "ours": code(entry.generator), "part": entry.part, "rho_micro": entry.rho_micro, "seed": seed,
            "rows": hashlib.sha256(rows.to_numpy(np.int64).tobytes()).hexdigest(), "workload": repr(entry.workload),
        }  # fmt: skip

        if entry.generator != DEFAULT_GENERATOR:
            task["generator"] = entry.generator

        def work(rows: pd.DataFrame = rows, seed: int = seed) -> dict[str, object]:
            start_s, start_wall_s = time.process_time(), time.monotonic()
            twin, _ = timed_twin(rows, entry.table.schema, entry.rho_micro, seed, entry.workload, entry.generator)
            times = {"processor_s": time.process_time() - start_s, "wall_s": time.monotonic() - start_wall_s}
            return {**times, "values": dict(entry.judge(seed)(twin))}

        if setting.left_s < 0 and seed > 1 and not is_kept(task):
            break
        runs.append(remembered(task, work))
    if not runs:
        return []
    lines = []
    for name in runs[0][0]["values"]:
        values = tuple(float(value["values"][name]) for value, _ in runs)
        goals = (entry.goals or {}).get(name, ())
        missed = bool(goals) and float(np.mean(values)) > min(goals)
        lines.append(
            Line(
                entry.part, entry.who, name, values,
                float(np.mean([value["processor_s"] for value, _ in runs])),
                float(np.mean([value["wall_s"] for value, _ in runs])),
                all(kept for _, kept in runs), verdict(float(np.mean(values)), goals),
                (entry.reasons or {}).get(name, "") if missed else "",
            )
        )  # fmt: skip
    return lines


def others_of_ours(private: bool | None) -> list[str]:
    """The names of this node's further generators of rows whose libraries may be used here: with privacy, without, or
    all."""
    return [
        name
        for name, entry in GENERATORS.items()
        if name not in (DEFAULT_GENERATOR, LINKED_GENERATOR)
        and not entry.licence
        and private in (None, not entry.exact)
    ]


def bounds(part: str, real: pd.DataFrame, judge: Judge) -> list[Line]:
    """Floor and ceiling."""
    rng = np.random.default_rng(0)
    shuffled, again = shuffle(real, rng), real.iloc[rng.integers(0, len(real), len(real))]
    return [
        Line(part, who, name, (value,))
        for who, made in (("floor: shuffle of the real rows", shuffled), ("ceiling: bootstrap", again))
        for name, value in judge(made).items()
    ]


def shuffle(real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows with every column in an order of its own."""
    return pd.DataFrame({name: rng.permutation(real[name].to_numpy()) for name in real})


def dpmm(
    setting: Setting, part: str, table: Table, method: str, epsilon: float, judge: Judge,
    discrete: bool = False, own: bool = False,
) -> list[Line]:  # fmt: skip
    """dpmm's MST or AIM at our rho, or at its own account: epsilon for the model and 0.1 more for its bins."""
    rho = None if own else largest_rho_micro(epsilon, DELTA) / 1e6
    task = {
        "columns": table.declared, "method": method, "rho": rho, "epsilon": epsilon, "delta": DELTA,
        "rows": len(table.real), "seed": 0, "discrete": discrete, "iterations": None,
    }  # fmt: skip
    done = run(DPMM, table.real, task, setting.limit_s, setting.left_s)
    who = f"dpmm {method.upper()}{', epsilon 0.1 more for bins' if own else ''}"
    judged = {"": None} if done.table is None else judge(done.table)
    return [
        Line(
            part, who, name, () if value is None else (value,), done.processor_s, done.wall_s, done.kept, "", done.note
        )
        for name, value in judged.items()
    ]


def sdv(setting: Setting, part: str, table: Table, method: str, epochs: int | None, judge: Judge) -> list[Line]:
    """A synthesizer of SDV, without privacy."""
    task = {"columns": table.declared, "method": method, "rows": len(table.real), "iterations": epochs}
    done = run(SDV, table.real, task, setting.limit_s, setting.left_s)
    judged = {"": None} if done.table is None else judge(done.table)
    return [
        Line(
            part, f"SDV {method}, no privacy", name, () if value is None else (value,),
            done.processor_s, done.wall_s, done.kept, "", done.note,
        )
        for name, value in judged.items()
    ]  # fmt: skip


def code(generator: str) -> str:
    """A hash of the node's modules that make this generator's tables, without those that only say what is promised."""
    return code_of(GENERATORS[generator].module)


@cache
def code_of(module: str) -> str:
    """A hash of a node's module and of all of the node's that it imports, without those that only say what is promised."""
    left, seen = [module], set[Path]()
    while left:
        path = Path(*left.pop().split(".")).with_suffix(".py")
        if path in seen or path.name in PROMISES or not path.exists():
            continue
        seen.add(path)
        for found in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(found, ast.ImportFrom) and (found.module or "").startswith("node."):
                left += [found.module or "", *(f"{found.module}.{one.name}" for one in found.names)]
    hashed = hashlib.sha256()
    for path in sorted(seen):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:24]
