"""Joint analyses between real processes over mutual TLS: what they cost, and how good the twin of pooled records is.

`scripts/bench mpc [--json] [--largest CELLS] [--seeds 10] [--minutes 40] [--data DIR] [--out DIR] [PART ...]`; parts: sums
(beside stock MPyC), survival (Kaplan-Meier with log-rank, beside the same on stock MPyC's arrays), regressions (logistic and
Cox, 10,000 rows and 20 predictors), linkage (a linkage count, by its buckets), unit (survival with noise, for either privacy
unit), parties (3 to 10 of them), latency (50 ms added to every byte), rounds (36 statistics in five rounds, one after the other
and round by round, near and far, beside what a quote says), closed (a table, curves and fits in the closed lane, near and far,
beside the same), twin (beside the central mechanism and each hospital alone), vertical (the twin of columns at different
hospitals, beside the same).

One part that is named is measured at once, its plot written to `--out`. Several, or all, are run one after the other within
`--minutes` together, each in a process of its own; the figures of each, as soon as it has ended, and the plots are written to
`--out`, by default `.tools/bench`. What did not end in time is named; a second start goes on there. Runs of the twins are kept
under `.tools/peers/kept`.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from marketplace.protocol.analysis_cost import FAR_MS
from scripts.benchmarks import mpc_plot, mpc_rounds
from scripts.benchmarks.mpc_parts import Parts
from scripts.benchmarks.mpc_sums import SIZES, SumFigures, beside_mpyc, measure

MANY = range(3, 11)
MANY_CELLS, FAR_CELLS = 1_000_000, (1, 10_000, 100_000, 1_000_000)
DELAY_MS = FAR_MS


def sums(given: argparse.Namespace) -> Any:
    return [asdict(one) for one in beside_mpyc(given.largest)]


def survival(_: argparse.Namespace) -> Any:
    from scripts.benchmarks import mpc_survival

    return asdict(mpc_survival.measure())


def twin(given: argparse.Namespace) -> Any:
    from scripts.benchmarks import mpc_twin  # not before: what it loads would count as memory of the parties' nodes

    return distances(given, mpc_twin)


def vertical(given: argparse.Namespace) -> Any:
    from scripts.benchmarks import mpc_vertical  # for the same reason

    return distances(given, mpc_vertical)


def distances(given: argparse.Namespace, part: Any) -> Any:
    """The lines of a part, each shown when it is there."""
    from scripts.benchmarks.entrants import Setting

    found = []
    for line in part.lines(Setting(given.seeds, given.data, time.monotonic() + 60 * given.minutes, 0.0)):
        print(line.row(), file=sys.stderr, flush=True)
        found.append(line)
    return [line.document() for line in found]


def parties(_: argparse.Namespace) -> Any:
    return [asdict(measure(MANY_CELLS, number)) for number in MANY]


def regressions(_: argparse.Namespace) -> Any:
    from scripts.benchmarks import mpc_regressions  # for the same reason

    return [asdict(mpc_regressions.measure(name)) for name in mpc_regressions.ASKED]


def linkage(_: argparse.Namespace) -> Any:
    from scripts.benchmarks import mpc_linkage

    return [asdict(one) for one in mpc_linkage.measure()]


def unit(given: argparse.Namespace) -> Any:
    from scripts.benchmarks import mpc_unit

    return [asdict(one) for one in mpc_unit.measure()]


def latency(_: argparse.Namespace) -> Any:
    return [asdict(measure(cells, delay_ms=delay)) for delay in (0, DELAY_MS) for cells in FAR_CELLS]


def rounds(_: argparse.Namespace) -> Any:
    found = [asdict(mpc_rounds.measure(delay, together)) for delay in (0, DELAY_MS) for together in (False, True)]
    return [{**one, "how": "round by round" if one["together"] else "one after the other"} for one in found]


def closed(_: argparse.Namespace) -> Any:
    from scripts.benchmarks import mpc_closed  # for the same reason

    return [asdict(mpc_closed.measure(name, delay)) for name in mpc_closed.ASKED for delay in (0, DELAY_MS)]


PARTS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "sums": sums, "survival": survival, "regressions": regressions, "linkage": linkage, "unit": unit, "parties": parties,
    "latency": latency, "rounds": rounds, "closed": closed, "twin": twin, "vertical": vertical,
}  # fmt: skip
"""In the order in which they are run: those that take what time is left come last."""

TWINS = ("twin", "vertical")
FIGURES = Path(".tools/bench")
WORDS = {
    "survival": "curves and log-rank: {seconds:.3f} s, stock MPyC {mpyc_seconds:.2f} s, {times_faster:.0f} times faster",
    "regressions": "{regression} regression of {rows:,} x {predictors}, {rounds} rounds: {seconds:.2f} s, {processor_s:.2f} s of "
    "processor time in all, {moved_mb:.2f} MB a party, {apart:.0e} standard errors from the pooled one",
    "linkage": "linkage count in {buckets:,} buckets: {seconds:.2f} s, {moved_mb:.2f} MB a party, {peak_mib:.0f} MiB; {truly:,} "
    "persons at all three, answered {persons:,} ({low:,} to {high:,})",
    "unit": "epsilon {epsilon:g}, {points} points until day {until}, {unit}: sigma {sigma:.1f}, survival off by {off:.3f}, "
    "intervals {width:.2f} wide, {hidden:.0%} hidden",
    "rounds": "{statistics} statistics, {cells:,} numbers in {rounds} rounds, {delay_ms} ms, {how}: {seconds:.2f} s; whole "
    "{whole_s:.1f} s, quoted {quoted_s} s; {moved_mb:.3f} MB a party, quoted {quoted_mb:.3f} MB",
    "closed": "{analysis}, {delay_ms} ms: {waits} messages wait for each other, quoted {quoted_waits}; {seconds:.1f} s, quoted "
    "{quoted_s} s, {processor_s:.1f} s of processor time in all; {moved_mb:.2f} MB a party, quoted {quoted_mb:.2f} MB",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="mpc", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="the most numbers that are summed")
    parser.add_argument("--seeds", type=int, default=10, help="noise keys to try for each line of the twins, at most")
    parser.add_argument(
        "--minutes", type=float, default=40.0, help="for all parts; a twin alone then begins no new run"
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of Adult")
    parser.add_argument("--out", type=Path, help="where figures and plots are written")
    given = parser.parse_args()
    found, late = {}, []
    for name, figures in measured(given):
        if figures is None:
            late.append(name)
            continue
        found[name] = figures
        if not given.json:
            show(name, figures)
    if given.out or not given.parts:
        folder = given.out or FIGURES
        folder.mkdir(parents=True, exist_ok=True)
        mpc_plot.plot(found, folder)
    if late:
        print(f"not done in {given.minutes:g} minutes: {', '.join(late)}; start again to go on", file=sys.stderr)
    if given.json:
        print(json.dumps({**found, **({"not_done": late} if late else {})}, indent=2))


def measured(given: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """Each part with its figures, None for one that there was no time for."""
    if len(given.parts) == 1:
        (name,) = given.parts
        yield name, PARTS[name](given)
        return
    options = ("--largest", str(given.largest), "--seeds", str(given.seeds), "--data", str(given.data))
    until_s = time.monotonic() + 60 * given.minutes
    names = [name for name in PARTS if name in (given.parts or PARTS)]
    yield from Parts("scripts.benchmarks.mpc", names, TWINS, options, until_s, given.out or FIGURES).found()


def show(part: str, found: Any) -> None:
    """Prints what a part found."""
    from scripts.benchmarks.lines import Line, as_table  # for the same reason

    console = Console(width=160)
    if part in WORDS:
        for one in found if isinstance(found, list) else [found]:
            console.print(WORDS[part].format(**one))
    elif part in TWINS:
        print(as_table([Line.of_document(one) for one in found]), flush=True)
    else:
        console.print(shown([SumFigures(**one) for one in found]))


def shown(figures: list[SumFigures]) -> Table:
    """The sums as a table."""
    table = Table(
        "numbers", "parties", "delay ms", "until all agree s", "seconds", "MPyC", "times faster", "MB a party",
        "peak MiB, party", "peak MiB, node",
    )  # fmt: skip
    for one in figures:
        mpyc = ("", "") if one.mpyc_seconds is None else (f"{one.mpyc_seconds:.2f}", f"{one.times_faster:.0f}")
        table.add_row(
            f"{one.cells:,}", str(one.parties), str(one.delay_ms), f"{one.meeting_s:.2f}", f"{one.seconds:.4f}", *mpyc,
            f"{one.moved_mb:.2f}", f"{one.party_peak_mib:.0f}", f"{one.node_peak_mib:.0f}",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()
