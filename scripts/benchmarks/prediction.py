"""How well the quality of a twin is predicted before it is made, and the fit behind it.

`python -m scripts.benchmarks.prediction [--json] [--fit] [--runs 24] [--minutes M] [--data DIR]`. The generator runs on parts
of 20 public tables: some or all columns, 150 to 40,000 records, epsilon 0.1 to 10, with and without a workload; on each
table a quarter as many runs have conditions, and on each of people who are followed as many have a survival curve. Every run is
kept under `.tools/peers/kept`, so that a second start makes only what is missing; `--minutes` starts none after so long, and
then says so. `--fit` writes `node/synthesis/prediction.json`. The table says, for each score, how a table that the fit has
not seen is predicted: the median of |predicted / measured - 1|, the share of runs within the 80 % and the 95 % ends (each
table's taken from the others), and how often it is told right whether a run is below its floor.

Ends are conformal with tables left out: the least quantile of the residuals that, taken from all other tables, holds 2 % more
than the stated share of the runs on each table on average. What is printed leaves each table out once more. Runs with
conditions are predicted by the fit to plain ones, and have wider ends of their own.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from scipy.special import expit

from marketplace.scores.curve import CURVE
from node.synthesis.expectation import OF_RECORDS, SIGNS, noise_of, terms_of
from node.synthesis.marginals import NAME
from node.synthesis.prediction import (
    FILE,
    FORMAT,
    MISSINGNESS,
    NARROWED,
    PLAIN,
    WAYS,
    WORKLOAD,
    family_of,
    largest_of,
    measures_of,
    odds,
)
from scripts.benchmarks.peers.kept import is_kept
from scripts.benchmarks.prediction_ends import held, reaches, without
from scripts.benchmarks.rehearsal import Rehearsal, rehearse, task_of
from scripts.benchmarks.rehearsal_settings import facts_of, settings, table_of

RIDGE, STILL = 2.0, 1e-6
LEAST_TABLES = 8
DIGITS = 8
OUT = Path(__file__).parents[2] / "node" / "synthesis" / FILE

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """All runs that have one score: terms, shape (runs, terms); logits of score, floor and ceiling; the table of each, and
    whether it has conditions."""

    terms: Floats
    score: Floats
    floor: Floats
    ceiling: Floats
    tables: NDArray[np.str_]
    narrowed: NDArray[np.bool_]

    @property
    def learned(self) -> NDArray[np.bool_]:
        """The runs that the fit is made by: those without conditions of which something was left to read."""
        return np.asarray(~self.narrowed & (self.score < odds(1.0, 1.0)))

    @property
    def kinds(self) -> dict[str, NDArray[np.bool_]]:
        """Which runs each pair of ends is for; there is none where fewer than 8 tables have such runs."""
        both = {PLAIN: ~self.narrowed, NARROWED: self.narrowed}
        return {kind: runs for kind, runs in both.items() if len(np.unique(self.tables[runs])) >= LEAST_TABLES}


@dataclass(frozen=True)
class Figures:
    """How one score of one kind of orders was predicted on tables that were left out. `verdicts`: the share told right; None
    without a floor."""

    name: str
    kind: str
    runs: int
    error: float
    floor_error: float | None
    coverage: tuple[float, float]
    verdicts: float | None
    wrongly_refused: float | None


def main() -> None:
    """Prints the table or the JSON object."""
    parser = argparse.ArgumentParser(prog="prediction", description=__doc__)
    parser.add_argument("--runs", type=int, default=24, help="runs on each table")
    parser.add_argument("--minutes", type=float, default=math.inf, help="start no run after so long")
    parser.add_argument("--fit", action="store_true", help=f"write {FILE}")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of Adult and SUPPORT-2")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    runs = rehearsed(given.runs, given.data, time.monotonic() + 60 * given.minutes)
    samples = {name: sample(runs, name, given.data) for name in (*WAYS, MISSINGNESS, WORKLOAD, CURVE)}
    figures = [each for name, one in samples.items() for each in judged(name, one)]
    if given.fit:
        OUT.write_text(json.dumps(document(runs, samples, figures, given.data), indent=1) + "\n")
    if given.json:
        print(json.dumps({"generator": NAME, "scores": [asdict(one) for one in figures]}, indent=2))
        return
    print(f"{NAME}: {len(runs)} runs on {len({run.setting.table for run in runs})} tables\n")
    heads = (
        "score",
        "orders",
        "runs",
        "median error",
        "of the floor",
        "within 80 %",
        "within 95 %",
        "verdicts",
        "wrongly refused",
    )
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for one in figures:
        shares = (one.error, one.floor_error, *one.coverage, one.verdicts, one.wrongly_refused)
        print(
            f"| {one.name} | {one.kind} | {one.runs} | "
            + " | ".join("–" if s is None else f"{s:.0%}" for s in shares)
            + " |"
        )


def rehearsed(per_table: int, folder: Path, until_s: float) -> list[Rehearsal]:
    """Every run. Ends the program where one is not kept and `until_s` (monotonic) has come."""
    found = []
    wanted = list(settings(per_table, per_table // 4, per_table // 4, folder))
    for setting in wanted:
        if time.monotonic() > until_s and not is_kept(task_of(setting)):
            sys.exit(
                f"expected {len(wanted)} runs, no time is left after {len(found)}; start again, it goes on from there"
            )
        found.append(rehearse(setting, folder))
    return found


def sample(runs: Sequence[Rehearsal], name: str, folder: Path) -> Sample:
    """The runs that have scores of this family, each score a line."""
    terms, score, floor, ceiling, tables, narrowed = zip(*_lines(runs, name, folder), strict=True)
    return Sample(
        np.array(terms), np.array(score), np.array(floor), np.array(ceiling), np.array(tables), np.array(narrowed)
    )


def _lines(
    runs: Sequence[Rehearsal], family: str, folder: Path
) -> Iterator[tuple[Sequence[float], float, float, float, str, bool]]:
    for run in runs:
        facts = facts_of(run.setting, table_of(run.setting.table, folder).schema)
        for name, sets in measures_of(facts):
            found = [key for key in run.scores if key == name or key.startswith(f"{name}_1000_of")]
            if family_of(name) != family or not found:
                continue
            if family == CURVE and not facts.is_readable(run.setting.curves[int(name.removeprefix(CURVE))]):
                continue
            values = [odds(part[found[0]], largest_of(name)) for part in (run.scores, run.floors, run.ceilings)]
            yield terms_of(facts, noise_of(facts), sets), *values, run.setting.table, facts.narrowed


def ridge(terms: Floats, values: Floats) -> Floats:
    """Coefficients of the terms, the first of which is 1: least squares with a penalty on the standardised others, each of
    which keeps its sign. A term that never moves has none."""
    centre, spread = terms[:, 1:].mean(axis=0), terms[:, 1:].std(axis=0)
    moves = spread > STILL
    scaled = np.column_stack([np.ones(len(terms)), (terms[:, 1:] - centre) * moves / np.maximum(spread, STILL)])
    penalty = np.sqrt(RIDGE) * np.eye(scaled.shape[1])
    penalty[0, 0] = 0.0
    signs = np.array(SIGNS[: scaled.shape[1]])
    ends = np.where(signs > 0, 0.0, -np.inf), np.where(signs < 0, 0.0, np.inf)
    both = np.vstack([scaled, penalty]), np.concatenate([values, np.zeros(len(penalty))])
    found = np.asarray(lsq_linear(*both, ends).x)
    slopes = found[1:] * moves / np.maximum(spread, STILL)
    return np.concatenate([[found[0] - float(slopes @ centre)], slopes])


def left_out(one: Sample, values: Floats, terms: int | None = None) -> Floats:
    """Each value as predicted by the plain runs on all other tables, from the first `terms` terms."""
    predicted = np.zeros(len(values))
    for table in np.unique(one.tables):
        out, learned = one.tables == table, (one.tables != table) & one.learned
        predicted[out] = one.terms[out, :terms] @ ridge(one.terms[learned, :terms], values[learned])
    return predicted


def judged(name: str, one: Sample) -> Iterator[Figures]:
    """How the score is predicted on tables that were left out, by kind of orders."""
    predicted, floors = left_out(one, one.score), left_out(one, one.floor, OF_RECORDS)
    below, told = one.score > one.floor, predicted > floors
    for kind, runs in one.kinds.items():
        residuals, tables = (predicted - one.score)[runs], one.tables[runs]
        ends = [reaches(*part) for part in without(residuals, tables)]
        has_floor = bool(np.median(one.floor[runs]) > odds(0.0, 1.0))
        yield Figures(
            name=name,
            kind=kind,
            runs=len(residuals),
            error=_error(predicted[runs], one.score[runs]),
            floor_error=_error(floors[runs], one.floor[runs]) if has_floor else None,
            coverage=(
                round(held(residuals, tables, [end for end, _ in ends]), 3),
                round(held(residuals, tables, [end for _, end in ends]), 3),
            ),
            verdicts=float((below == told)[runs].mean()) if has_floor else None,
            wrongly_refused=float((told & ~below)[runs].mean()) if has_floor else None,
        )


def _error(predicted: Floats, measured: Floats) -> float:
    one, other = expit(predicted), expit(measured)
    return float(np.median(np.abs(one / other - 1)))


def document(
    runs: Sequence[Rehearsal], samples: dict[str, Sample], figures: Sequence[Figures], folder: Path
) -> dict[str, object]:
    """The file that the node reads; of other versions of the generator it keeps what it held in this format."""
    models = {}
    for name, one in samples.items():
        mine, learned = {each.kind: each for each in figures if each.name == name}, one.learned
        residuals = left_out(one, one.score) - one.score
        floor = _rounded(ridge(one.terms[learned, :OF_RECORDS], one.floor[learned]))
        models[name] = {
            "score": _rounded(ridge(one.terms[learned], one.score[learned])),
            "floor": floor if mine[PLAIN].floor_error is not None else None,
            "ceiling": _rounded(ridge(one.terms[learned, :OF_RECORDS], one.ceiling[learned])),
            "reach": {
                kind: [round(part, DIGITS) for part in reaches(residuals[one.kinds[kind]], one.tables[one.kinds[kind]])]
                for kind in mine
            },
            "coverage": {kind: list(each.coverage) for kind, each in mine.items()},
        }
    facts = [facts_of(run.setting, table_of(run.setting.table, folder).schema) for run in runs]
    pairs = np.array([terms_of(each, noise_of(each), each.sets(2)) for each in facts])
    rows, columns = [run.setting.rows for run in runs], [len(run.setting.columns) for run in runs]
    fit = {
        "tables": len({run.setting.table for run in runs}),
        "runs": len(runs),
        "rows": [min(rows), max(rows)],
        "columns": [min(columns), max(columns)],
        "seconds": _rounded(ridge(pairs, np.log([max(0.01, run.seconds) for run in runs]))),
        "models": models,
    }
    held = json.loads(OUT.read_text()) if OUT.exists() else {}
    kept = held["generators"] if held.get("format") == FORMAT else {}
    return {"format": FORMAT, "generators": {**kept, NAME: fit}}


def _rounded(found: Floats) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in found]


if __name__ == "__main__":
    main()
