"""The generator beside its peers on public data: same rho and delta 1e-5 for all, choices and bins inside it.

`python -m scripts.benchmarks.synthesis [--json] [--full] [--seeds 10] [--data DIR] [--out DIR] [PART ...]`; parts:
prostate, flchain, hospital, rotterdam, nwtco, lung, support2, adult, growth. Takes about 40 minutes and leaves out what
does not fit; `--full` leaves nothing out. Every single run is kept under `.tools/peers/kept`, ours under a hash of the
modules that made it, so a second start goes on where the first one ended; a kept time is marked with an asterisk. `--out`
writes the table, the figures as JSON and the plot there.

L1-3way: the mean over all triples of columns of the L1 distance of the normalised 3-way marginals, missing a category,
numbers cut at the real 16-quantiles, a bin beginning with its quantile. On Adult also without any cut, on the given
domain. Floor: every real column shuffled. Ceiling: as many real rows drawn again. Intervals: 95 %, Student's t over seeds.
Seconds of the processor and on the clock, of fitting and drawing rows: other work on the machine counts in the second alone.
No constant was ever tuned on rotterdam, nwtco and SUPPORT-2.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.specification import Curve, Workload
from node.synthesis.generators import GENERATORS
from scripts.benchmarks import growth
from scripts.benchmarks.entrants import (
    DELTA,
    Entry,
    Judged,
    Setting,
    bounds,
    dpmm,
    others_of_ours,
    ours,
    sdv,
    shuffle,
)  # fmt: skip
from scripts.benchmarks.generate import Judge
from scripts.benchmarks.lines import Line, as_table, verdict
from scripts.benchmarks.tables import Table, load

DEFAULT_S, PEER_LIMIT_S, FULL_LIMIT_S = 2_400.0, 300.0, 28_800.0
NO_NOISE_MICRO = 10**12
OTHERS_SEEDS = 3
SURVIVAL = Workload((), (Curve("d.time", "death", "dzgroup"), Curve("d.time", "death", "ca")))
DISTANCE = "L1-3way"


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
                print(line.row(), file=sys.stderr, flush=True)
                lines.append(line)
        except FileNotFoundError:
            lines.append(Line(name, "", "", (), note="left out: the data set is not here; name its folder with --data"))
    document = json.dumps({"delta": DELTA, "lines": [line.document() for line in lines]}, indent=2)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "synthesis.md").write_text(as_table(lines))
        (given.out / "synthesis.json").write_text(document + "\n")
        growth.plot(lines, given.out / "growth.png")
    print(document if given.json else as_table(lines))


def one_table(
    name: str,
    part: str,
    goals: tuple[float, ...],
    peers: list[tuple[str, bool]],
    reason: str = "",
    others: bool = False,
) -> Callable[[Setting], Iterator[Line]]:
    """The lines of one data set at epsilon 1. `peers`: dpmm's methods, and whether at its own account. `reason`: what is
    known of a goal that is missed. `others`: whether our other generators enter too, with at most three seeds."""

    def lines(setting: Setting) -> Iterator[Line]:
        table = load(name, setting.data)
        distance = Judge(table.schema, table.real).distance

        def judge(made: pd.DataFrame) -> Judged:
            return {DISTANCE: distance(made)}

        yield from bounds(part, table.real, judge)
        entry = Entry(
            part, table, largest_rho_micro(1.0, DELTA), lambda _: judge, {DISTANCE: goals}, reasons={DISTANCE: reason}
        )
        found = ours(setting, entry)
        yield from found
        few = replace(setting, seeds=min(setting.seeds, OTHERS_SEEDS))
        for other in others_of_ours(private=None) if others else ():
            who = f"ours, {other}{', no privacy' if GENERATORS[other].exact else ''}"
            yield from ours(few, replace(entry, who=who, generator=other, goals=None))
        for method, own in peers:
            (beside,) = dpmm(setting, part, table, method, 1.0, judge, own=own)
            yield beside
            if method == "aim" and beside.processor_s and found:
                yield share_of_time(found[0], beside)

    return lines


def share_of_time(own: Line, peer: Line) -> Line:
    """How much of the peer's processor time ours takes; of a peer that was not done, of what it had taken by then."""
    share = own.processor_s / peer.processor_s
    note = "" if peer.values else "it was not done by then"
    return Line(
        own.part, "ours", f"share of the time of {peer.who}", (share,), target=verdict(share, (0.05,)), note=note
    )


def hospital(setting: Setting) -> Iterator[Line]:
    """The hospital tests, row by row and person by person."""
    yield from one_table("covid row-level", "hospital, row-level", (0.17, 0.15), [("mst", False)])(setting)
    table = load("covid person-level", setting.data)
    distance = Judge(table.schema, table.real).distance
    part, bounded = "hospital, person-level", f"{DISTANCE} from one row a person"

    def judge(seed: int) -> Callable[[pd.DataFrame], Judged]:
        return lambda made: {DISTANCE: distance(made), bounded: distance(made, table.kept(seed))}

    yield Line(part, "one real row of each person, no noise", DISTANCE, (distance(table.kept(0)),))
    yield from ours(setting, Entry(part, table, largest_rho_micro(1.0, DELTA), judge))


def adult(setting: Setting) -> Iterator[Line]:
    """Adult on its given domain, beside MST and AIM at three epsilons."""
    table = load("adult", setting.data)
    distance = Judge(table.schema, table.real).distance

    def judge(made: pd.DataFrame) -> Judged:
        return {DISTANCE: distance(made), "all 3-way, no cut": uncut(table, made)}

    yield from bounds("adult", table.real, judge)
    for epsilon in (1.0, 0.1, 10.0):
        part = f"adult, epsilon {epsilon:g}"
        peers = [dpmm(setting, part, table, method, epsilon, judge, discrete=True) for method in ("mst", "aim")]
        done = [line for lines in peers for line in lines if line.values]
        goals = {
            name: (min(line.mean for line in done if line.measure == name),) for name in {one.measure for one in done}
        }
        found = ours(setting, Entry(part, table, largest_rho_micro(epsilon, DELTA), lambda _: judge, goals))
        yield from found
        for lines in peers:
            yield from lines
            if lines[0].processor_s and found:
                quicker = "reached" if found[0].processor_s < lines[0].processor_s else "missed"
                yield replace(share_of_time(found[0], lines[0]), target=f"faster: {quicker}")


def uncut(table: Table, made: pd.DataFrame) -> float:
    """All 3-way error on the codes as they are."""
    distances = []
    for triple in combinations(range(len(table.schema.columns)), 3):
        shape = tuple(table.schema.columns[place].size for place in triple)
        keys = [
            np.ravel_multi_index([side.iloc[:, place].to_numpy() for place in triple], shape)
            for side in (table.real, made)
        ]
        shares = [np.bincount(key, minlength=math.prod(shape)) / len(key) for key in keys]
        distances.append(np.abs(shares[0] - shares[1]).sum())
    return float(np.mean(distances))


def support2(setting: Setting) -> Iterator[Line]:
    """Survival analysis trained on synthetic rows and tested on real ones: a third of the records, seen by no generator."""
    from scripts.benchmarks.survival import utility

    part, table = "support2", load("support2", setting.data)
    order = np.random.default_rng(0).permutation(len(table.real))
    training, holdout = table.real.iloc[order[: 2 * len(order) // 3]], table.real.iloc[order[2 * len(order) // 3 :]]

    def judge(made: pd.DataFrame) -> Judged:
        found = utility(made, holdout)
        return {"C-index (more is better)": found.concordance, "Kaplan-Meier gap": found.curve_gap}

    rng = np.random.default_rng(1)
    for who, made in (("real training rows", training), ("shuffle", shuffle(training, rng))):
        yield from (Line(part, who, name, (value,)) for name, value in judge(made).items())
    seen = Table(part, table.schema, training)
    rho_micro = largest_rho_micro(1.0, DELTA)
    plain = Entry(part, seen, rho_micro, lambda _: judge, who="ours, epsilon 1")
    yield from ours(setting, plain)
    yield from ours(setting, replace(plain, who="ours, epsilon 1, curves asked for", workload=SURVIVAL))
    for name in others_of_ours(private=True):
        yield from ours(setting, replace(plain, who=f"ours, {name}, epsilon 1", generator=name))
    for name in others_of_ours(private=False):
        yield from ours(setting, replace(plain, who=f"ours, {name}, no privacy", generator=name, rho_micro=0))
    for method, epochs in (("copula", None), ("tvae", 60), ("ctgan", 30)):
        yield from sdv(setting, part, seen, method, epochs, judge)


def lung(setting: Setting) -> Iterator[Line]:
    """228 records without privacy: half of them for the generator, judged on the other half, anew for each seed."""
    part, table, measure = "lung, no privacy", load("lung", setting.data), f"{DISTANCE} on the holdout"
    distance = Judge(table.schema, table.real).distance
    halves = [
        np.array_split(np.random.default_rng(seed).permutation(len(table.real)), 2) for seed in range(setting.seeds)
    ]

    def training(seed: int) -> pd.DataFrame:
        return table.real.iloc[halves[seed][0]]

    def judge(seed: int) -> Callable[[pd.DataFrame], Judged]:
        return lambda made: {measure: distance(made, table.real.iloc[halves[seed][1]])}

    def line(who: str, make: Callable[[int], pd.DataFrame]) -> Line:
        return Line(part, who, measure, tuple(judge(seed)(make(seed))[measure] for seed in range(setting.seeds)))

    floor = line(
        "floor: shuffle of the training half", lambda seed: shuffle(training(seed), np.random.default_rng(seed))
    )
    yield floor
    yield line("the real training half", training)
    without_noise = Entry(part, table, NO_NOISE_MICRO, judge, who="private marginals without noise", training=training)
    entries = [without_noise]
    for name in others_of_ours(private=False):
        entries.append(replace(without_noise, who=f"ours, {name}", generator=name, rho_micro=0))
    for entry in entries:
        for found in ours(setting, entry):
            better = tuple(one - other for one, other in zip(floor.values, found.values, strict=False))
            beyond = Line(part, entry.who, "shuffle less ours, same halves", better)
            sure = beyond.mean > beyond.reach
            yield found
            yield replace(beyond, target=f"above 0: {'reached' if sure else 'missed'}")


PARTS: dict[str, Callable[[Setting], Iterator[Line]]] = {
    "prostate": one_table(
        "prostate", "prostate", (0.060,), [("aim", False), ("aim", True), ("mst", False)], others=True
    ),
    "flchain": one_table("flchain", "flchain", (0.29, 0.28), [("mst", False)], others=True),
    "hospital": hospital,
    "rotterdam": one_table("rotterdam", "rotterdam", (), [("mst", False)]),
    "nwtco": one_table("nwtco", "nwtco", (), [("mst", False)]),
    "lung": lung,
    "support2": support2,
    "adult": adult,
    "growth": growth.lines,
}


if __name__ == "__main__":
    main()
