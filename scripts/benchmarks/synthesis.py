"""The generator beside its peers on public data: same rho and delta 1e-5 for all, choices and bins inside it.

`python -m scripts.benchmarks.synthesis [--json] [--full] [--seeds 10] [--data DIR] [--out DIR] [PART ...]`; parts:
prostate, flchain, hospital, adult, support2, lung, growth. Takes about 40 minutes and leaves out what does not fit;
`--full` leaves nothing out. Every single run is kept under `.tools/peers/kept`, ours under a hash of our code, so a
second start goes on where the first one ended; a kept figure is marked with an asterisk. `--out` writes the table, the
figures as JSON and the plot there.

L1-3way: the mean over all triples of columns of the L1 distance of the normalised 3-way marginals, missing a category,
numbers cut at the real 16-quantiles, a bin beginning with its quantile. On Adult also without any cut, on the given
domain. Floor: every real column shuffled. Ceiling: as many real rows drawn again. Intervals: 95 %, Student's t over seeds.
Seconds are those of one processor, so that other work on the machine does not count; for growth they pass on the clock.
"""

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.specification import Curve, Workload
from scripts.benchmarks.generate import Judge, timed_twin
from scripts.benchmarks.peers.environment import DPMM, SDV
from scripts.benchmarks.peers.kept import ONE_THREAD, remembered, run
from scripts.benchmarks.tables import Table, load

DELTA = 1e-5
DEFAULT_S, PEER_LIMIT_S, FULL_LIMIT_S = 2_400.0, 600.0, 28_800.0
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
GROWTH = [(rows, columns) for columns in (10, 30, 100) for rows in (10_000, 100_000, 1_000_000)]
NO_NOISE_MICRO = 10**12
SURVIVAL = Workload((), (Curve("d.time", "death", "dzgroup"), Curve("d.time", "death", "ca")))


@dataclass(frozen=True)
class Line:
    """One line of the table. `values`: one for each seed. `target`: what was hoped for and whether it was reached."""

    part: str
    who: str
    measure: str
    values: tuple[float, ...]
    seconds: float
    kept: bool = False
    target: str = ""
    note: str = ""

    @property
    def shown(self) -> str:
        """The mean with its interval, or why there is none."""
        if not self.values:
            return "–"
        mean = float(np.mean(self.values))
        if len(self.values) < 2:
            return f"{mean:.3f}"
        quantile = STUDENT.get(len(self.values), 1.96)
        return f"{mean:.3f} ± {quantile * float(np.std(self.values, ddof=1)) / math.sqrt(len(self.values)):.3f}"


@dataclass(frozen=True)
class Setting:
    """What was asked for. `until_s`: on the monotonic clock, when to start nothing more."""

    seeds: int
    data: Path
    until_s: float
    limit_s: float

    @property
    def left_s(self) -> float:
        return self.until_s - time.monotonic()


def main() -> None:
    """Prints the table or the JSON object."""
    parser = argparse.ArgumentParser(prog="synthesis", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all by default")
    parser.add_argument("--seeds", type=int, default=10, help="noise keys to try for each of our lines")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of Adult and SUPPORT-2")
    parser.add_argument("--full", action="store_true", help="leave nothing out, however long it takes")
    parser.add_argument("--out", type=Path, help="write synthesis.md, synthesis.json and growth.png there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    length_s = math.inf if given.full else DEFAULT_S
    limit_s = FULL_LIMIT_S if given.full else PEER_LIMIT_S
    setting = Setting(given.seeds, given.data, time.monotonic() + length_s, limit_s)
    lines = []
    for name in given.parts or PARTS:
        try:
            for line in PARTS[name](setting):
                print(as_row(line), file=sys.stderr, flush=True)
                lines.append(line)
        except FileNotFoundError:
            lines.append(
                Line(name, "", "", (), 0.0, note="left out: the data set is not here; name its folder with --data")
            )
    document = json.dumps({"delta": DELTA, "lines": [asdict(line) for line in lines]}, indent=2)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "synthesis.md").write_text(as_table(lines))
        (given.out / "synthesis.json").write_text(document + "\n")
        plot_growth(lines, given.out / "growth.png")
    print(document if given.json else as_table(lines))


def as_table(lines: list[Line]) -> str:
    heads = ("data", "who", "measure", "value", "seconds", "target", "note")
    return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *map(as_row, lines)]) + "\n"


def as_row(line: Line) -> str:
    seconds = f"{line.seconds:.1f}{'*' if line.kept else ''}" if line.seconds else "–"
    return "| " + " | ".join((line.part, line.who, line.measure, line.shown, seconds, line.target, line.note)) + " |"


def ours(
    setting: Setting, part: str, table: Table, rho_micro: int, judged: Mapping[str, Callable[[pd.DataFrame], float]],
    targets: Mapping[str, float] | None = None, who: str = "ours", workload: Workload | None = None,
    training: Callable[[int], pd.DataFrame] | None = None,
) -> list[Line]:  # fmt: skip
    """Our lines, one for each measure, over as many seeds as there is time for."""
    values: dict[str, list[float]] = {name: [] for name in judged}
    seconds, kept_all = [], True
    for seed in range(setting.seeds):
        rows = training(seed) if training else table.kept(seed)
        task = {
            "ours": code(), "part": part, "who": who, "rho_micro": rho_micro, "seed": seed, "measures": sorted(judged),
            "rows": hashlib.sha256(rows.to_csv().encode()).hexdigest(), "workload": repr(workload),
        }  # fmt: skip

        def work(rows: pd.DataFrame = rows, seed: int = seed) -> Any:
            start_s = time.process_time()
            twin, _ = timed_twin(rows, table.schema, rho_micro, seed, workload or Workload())
            return {
                "seconds": time.process_time() - start_s,
                "values": {name: judge(twin) for name, judge in judged.items()},
            }

        if setting.left_s < 0 and seed > 1:
            break
        value, kept = remembered(task, work)
        seconds.append(value["seconds"])
        kept_all &= kept
        for name in judged:
            values[name].append(value["values"][name])
    lines = []
    for name, found in values.items():
        goal, target = (targets or {}).get(name), ""
        if goal is not None:
            target = f"at most {goal:g}: {'reached' if float(np.mean(found)) <= goal else 'missed'}"
        lines.append(Line(part, who, name, tuple(found), float(np.mean(seconds)), kept_all, target))
    return lines


def bounds(part: str, real: pd.DataFrame, judged: Mapping[str, Callable[[pd.DataFrame], float]]) -> list[Line]:
    """Floor and ceiling."""
    rng = np.random.default_rng(0)
    shuffled, again = shuffle(real, rng), real.iloc[rng.integers(0, len(real), len(real))]
    return [
        Line(part, who, name, (judge(made),), 0.0)
        for name, judge in judged.items()
        for who, made in (("floor: shuffle of the real rows", shuffled), ("ceiling: bootstrap", again))
    ]


def shuffle(real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({name: rng.permutation(real[name].to_numpy()) for name in real})


def dpmm(
    setting: Setting, part: str, table: Table, method: str, epsilon: float, judged: Mapping[str, Callable[[pd.DataFrame], float]],
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
    return [
        Line(
            part, who, name, () if done.table is None else (judge(done.table),), done.seconds, done.kept, "", done.note
        )
        for name, judge in judged.items()
    ]


def one_table(name: str, part: str, goal: float, peers: list[tuple[str, bool]]) -> Callable[[Setting], Iterator[Line]]:
    """The lines of one data set at epsilon 1. `peers`: dpmm's methods, and whether at its own account."""

    def lines(setting: Setting) -> Iterator[Line]:
        table = load(name, setting.data)
        judged = {"L1-3way": Judge(table.schema, table.real).distance}
        yield from bounds(part, table.real, judged)
        yield from ours(setting, part, table, largest_rho_micro(1.0, DELTA), judged, {"L1-3way": goal})
        for method, own in peers:
            yield from dpmm(setting, part, table, method, 1.0, judged, own=own)

    return lines


def hospital(setting: Setting) -> Iterator[Line]:
    """The hospital tests, row by row and person by person."""
    yield from one_table("covid row-level", "hospital, row-level", 0.15, [("mst", False)])(setting)
    table = load("covid person-level", setting.data)
    rho_micro = largest_rho_micro(1.0, DELTA)
    judge = Judge(table.schema, table.real)
    judged = {
        "L1-3way": judge.distance,
        "L1-3way from one row a person": lambda made: judge.distance(made, table.kept(0)),
    }
    part = "hospital, person-level"
    yield Line(part, "one real row of each person, no noise", "L1-3way", (judge.distance(table.kept(0)),), 0.0)
    yield from ours(setting, part, table, rho_micro, judged)


def adult(setting: Setting) -> Iterator[Line]:
    """Adult on its given domain, beside MST and AIM at three epsilons."""
    table = load("adult", setting.data)
    judged = {"L1-3way": Judge(table.schema, table.real).distance, "all 3-way, no cut": Uncut(table).distance}
    yield from bounds("adult", table.real, judged)
    for epsilon in (1.0, 0.1, 10.0):
        part = f"adult, epsilon {epsilon:g}"
        peers = [
            line for method in ("mst", "aim") for line in dpmm(setting, part, table, method, epsilon, judged, True)
        ]
        goals = {
            name: min(line.values[0] for line in peers if line.values and line.measure == name)
            for name in judged
            if any(line.values and line.measure == name for line in peers)
        }
        yield from ours(setting, part, table, largest_rho_micro(epsilon, DELTA), judged, goals)
        yield from peers


class Uncut:
    """All 3-way error on the codes as they are."""

    def __init__(self, table: Table) -> None:
        self._real, self._sizes = table.real, [column.size for column in table.schema.columns]

    def distance(self, made: pd.DataFrame) -> float:
        distances = []
        for triple in combinations(range(len(self._sizes)), 3):
            shape = tuple(self._sizes[place] for place in triple)
            shares = [
                np.bincount(
                    np.ravel_multi_index([side.iloc[:, place].to_numpy() for place in triple], shape),
                    minlength=math.prod(shape),
                )
                / len(side)
                for side in (self._real, made)
            ]
            distances.append(np.abs(shares[0] - shares[1]).sum())
        return float(np.mean(distances))


def support2(setting: Setting) -> Iterator[Line]:
    """Survival analysis trained on synthetic rows and tested on real ones: a third of the records, seen by no generator."""
    from scripts.benchmarks.survival import utility

    table = load("support2", setting.data)
    order = np.random.default_rng(0).permutation(len(table.real))
    training, holdout = table.real.iloc[order[: 2 * len(order) // 3]], table.real.iloc[order[2 * len(order) // 3 :]]
    judged: dict[str, Callable[[pd.DataFrame], float]] = {
        "C-index": lambda made: utility(made, holdout).concordance,
        "Kaplan-Meier gap": lambda made: utility(made, holdout).curve_gap,
    }
    rng = np.random.default_rng(1)
    for who, made in (("real training rows", training), ("shuffle", shuffle(training, rng))):
        yield from (Line("support2", who, name, (judge(made),), 0.0) for name, judge in judged.items())
    seen = Table("support2", table.schema, training)
    rho_micro = largest_rho_micro(1.0, DELTA)
    yield from ours(setting, "support2", seen, rho_micro, judged, who="ours, epsilon 1")
    yield from ours(
        setting, "support2", seen, rho_micro, judged, who="ours, epsilon 1, curves asked for", workload=SURVIVAL
    )
    for method, epochs in (("copula", None), ("tvae", 60), ("ctgan", 30)):
        task = {"columns": seen.declared, "method": method, "rows": len(training), "iterations": epochs}
        done = run(SDV, training, task, setting.limit_s, setting.left_s)
        for name, judge in judged.items():
            found = () if done.table is None else (judge(done.table),)
            yield Line("support2", f"SDV {method}, no privacy", name, found, done.seconds, done.kept, "", done.note)


def lung(setting: Setting) -> Iterator[Line]:
    """228 records without privacy: half of them for the generator, judged on the other half, anew for each seed."""
    table = load("lung", setting.data)
    judge = Judge(table.schema, table.real)
    halves = [
        np.array_split(np.random.default_rng(seed).permutation(len(table.real)), 2) for seed in range(setting.seeds)
    ]
    floor, ceiling, made, seconds = [], [], [], []
    for seed, (seen, unseen) in enumerate(halves):
        training, holdout = table.real.iloc[seen], table.real.iloc[unseen]
        start_s = time.process_time()
        twin, _ = timed_twin(training, table.schema, NO_NOISE_MICRO, seed, Workload())
        seconds.append(time.process_time() - start_s)
        for found, side in ((floor, shuffle(training, np.random.default_rng(seed))), (ceiling, training), (made, twin)):
            found.append(judge.distance(side, holdout))
    better = np.array(floor) - np.array(made)
    target = f"below the shuffle: {'reached' if better.mean() > 0 else 'missed'}"
    yield Line("lung", "floor: shuffle of the training half", "L1-3way on the holdout", tuple(floor), 0.0)
    yield Line("lung", "the real training half", "L1-3way on the holdout", tuple(ceiling), 0.0)
    yield Line(
        "lung", "ours, no privacy", "L1-3way on the holdout", tuple(made), float(np.mean(seconds)), False, target
    )


def growth(setting: Setting) -> Iterator[Line]:
    """Seconds and memory, each in a process of its own."""
    for rows, columns in GROWTH:
        part, target = f"growth, {rows:,} x {columns}", "600 s" if (rows, columns) == (1_000_000, 30) else ""

        def work(rows: int = rows, columns: int = columns) -> Any:
            command = [sys.executable, "-m", "scripts.benchmarks.growth", str(rows), str(columns)]
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env={**os.environ, **ONE_THREAD}
            )
            return json.loads(done.stdout) if done.returncode == 0 else None

        value, kept = (
            remembered({"ours": code(), "growth": [rows, columns]}, work) if setting.left_s > 0 else (None, False)
        )
        if value is None:
            yield Line(part, "ours", "MiB at the peak", (), 0.0, note="not started: no time left, or it failed")
            continue
        seconds = value["measure_s"] + value["synthesise_s"]
        if target:
            target = f"at most {target}: {'reached' if seconds <= 600 else 'missed'}"
        note = f"{value['processor_s']:.0f} s of the processor"
        yield Line(part, "ours", "MiB at the peak", (value["peak_mib"],), seconds, kept, target, note)


def plot_growth(lines: list[Line], path: Path) -> None:
    """Seconds against rows, one curve for each number of columns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4))
    axes = figure.subplots(1, 2)
    for columns in (10, 30, 100):
        found = [
            (rows, line.seconds, line.values[0])
            for rows, count in GROWTH
            for line in lines
            if count == columns and line.part == f"growth, {rows:,} x {columns}" and line.values
        ]
        for place, axis in enumerate(axes, start=1):
            axis.loglog([one[0] for one in found], [one[place] for one in found], "o-", label=f"{columns} columns")
    for axis, title in zip(axes, ("seconds", "MiB at the peak"), strict=True):
        axis.set(xlabel="records", title=title)
        axis.grid(alpha=0.3)
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120, metadata={"Software": ""})


def code() -> str:
    """A hash of all that makes our tables."""
    hashed = hashlib.sha256()
    for folder in ("node/synthesis", "node/noise"):
        for path in sorted(Path(folder).glob("*.py")):
            hashed.update(path.read_bytes())
    return hashed.hexdigest()[:24]


PARTS: dict[str, Callable[[Setting], Iterator[Line]]] = {
    "prostate": one_table("prostate", "prostate", 0.060, [("aim", False), ("aim", True), ("mst", False)]),
    "flchain": one_table("flchain", "flchain", 0.28, [("mst", False)]),
    "hospital": hospital,
    "lung": lung,
    "support2": support2,
    "adult": adult,
    "growth": growth,
}


if __name__ == "__main__":
    main()
