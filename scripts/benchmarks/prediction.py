"""How well the quality of a twin is predicted before it is made, and the fit behind it.

`python -m scripts.benchmarks.prediction [--json] [--fit] [--runs 24] [--data DIR]`. The generator runs on parts of 20 public
tables: some or all columns, 150 to 40,000 records, epsilon 0.1 to 10, with and without a workload. Every run is kept under
`.tools/peers/kept`, so that a second start makes only what is missing; the first takes about 20 minutes. `--fit` writes
`node/synthesis/prediction.json`. The table says, for each score, how a table that the fit has not seen is predicted: the
median of |predicted / measured - 1|, the share of runs within the 80 % and the 95 % ends (each table's taken from the
others), and how often it is told right whether a run is below its floor.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from scipy.special import expit

from marketplace.protocol.specification import Workload
from node.spending import spending_of
from node.synthesis.expectation import OF_RECORDS, SIGNS, Facts, noise_of, terms_of
from node.synthesis.marginals import NAME
from node.synthesis.prediction import FILE, FORMAT, MISSINGNESS, WAYS, WORKLOAD, largest_of, measures_of, odds
from scripts.benchmarks.rehearsal import Rehearsal, rehearse, settings, table_of

SHARES = (0.8, 0.95)
RIDGE = 2.0
DIGITS = 8
OUT = Path(__file__).parents[2] / "node" / "synthesis" / FILE

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """All runs that have one score: terms, shape (runs, terms); logits of score, floor and ceiling; the table of each."""

    terms: Floats
    score: Floats
    floor: Floats
    ceiling: Floats
    tables: NDArray[np.str_]


@dataclass(frozen=True)
class Figures:
    """How one score was predicted on tables that were left out. `verdicts`: the share told right; None without a floor."""

    name: str
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
    parser.add_argument("--fit", action="store_true", help=f"write {FILE}")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of Adult and SUPPORT-2")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    runs = [rehearse(setting, given.data) for setting in settings(given.runs, given.data)]
    samples = {name: sample(runs, name, given.data) for name in (*WAYS, MISSINGNESS, WORKLOAD)}
    figures = [judged(name, one) for name, one in samples.items()]
    if given.fit:
        OUT.write_text(json.dumps(document(runs, samples, figures, given.data), indent=1) + "\n")
    if given.json:
        print(json.dumps({"generator": NAME, "scores": [asdict(one) for one in figures]}, indent=2))
        return
    print(f"{NAME}: {len(runs)} runs on {len({run.setting.table for run in runs})} tables\n")
    heads = (
        "score",
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
        print(f"| {one.name} | {one.runs} | " + " | ".join("–" if s is None else f"{s:.0%}" for s in shares) + " |")


def sample(runs: Sequence[Rehearsal], name: str, folder: Path) -> Sample:
    """The runs that have this score."""
    lines = list(_lines(runs, name, folder))
    terms, score, floor, ceiling, tables = zip(*lines, strict=True)
    return Sample(np.array(terms), np.array(score), np.array(floor), np.array(ceiling), np.array(tables))


def _lines(
    runs: Sequence[Rehearsal], name: str, folder: Path
) -> Iterator[tuple[Sequence[float], float, float, float, str]]:
    largest = largest_of(name)
    for run in runs:
        facts = facts_of(run, folder)
        sets = dict(measures_of(facts)).get(name)
        found = [key for key in run.scores if key == name or key.startswith(f"{name}_1000_of")]
        if sets is None or not found:
            continue
        values = (odds(part[found[0]], largest) for part in (run.scores, run.floors, run.ceilings))
        yield terms_of(facts, noise_of(facts), sets), *values, run.setting.table


def facts_of(run: Rehearsal, folder: Path) -> Facts:
    """What a node would know of the run's order."""
    setting = run.setting
    schema = setting.schema(table_of(setting.table, folder).schema)
    return Facts(
        schema, setting.rows, setting.asked, Workload(setting.workload), spending_of(setting.rho_micro).generate_micro
    )


def ridge(terms: Floats, values: Floats) -> Floats:
    """Coefficients of the terms, the first of which is 1: least squares with a penalty on the standardised others, each of
    which keeps its sign."""
    centre, spread = terms[:, 1:].mean(axis=0), terms[:, 1:].std(axis=0) + 1e-9
    scaled = np.column_stack([np.ones(len(terms)), (terms[:, 1:] - centre) / spread])
    penalty = np.sqrt(RIDGE) * np.eye(scaled.shape[1])
    penalty[0, 0] = 0.0
    signs = np.array(SIGNS[: scaled.shape[1]])
    ends = np.where(signs > 0, 0.0, -np.inf), np.where(signs < 0, 0.0, np.inf)
    both = np.vstack([scaled, penalty]), np.concatenate([values, np.zeros(len(penalty))])
    found = np.asarray(lsq_linear(*both, ends).x)
    slopes = found[1:] / spread
    return np.concatenate([[found[0] - float(slopes @ centre)], slopes])


def left_out(terms: Floats, values: Floats, tables: NDArray[np.str_]) -> Floats:
    """Each value as predicted by the runs on all other tables."""
    predicted = np.zeros(len(values))
    for table in np.unique(tables):
        out = tables == table
        predicted[out] = terms[out] @ ridge(terms[~out], values[~out])
    return predicted


def reaches(residuals: Floats) -> tuple[float, float]:
    """How far from the prediction 80 % and 95 % of the runs lie, one more counted than there are (conformal)."""
    ordered = np.sort(np.abs(residuals))
    places = [min(len(ordered), int(np.ceil(share * (len(ordered) + 1)))) - 1 for share in SHARES]
    return float(ordered[places[0]]), float(ordered[places[1]])


def judged(name: str, one: Sample) -> Figures:
    """How the score is predicted on tables that were left out."""
    predicted = left_out(one.terms, one.score, one.tables)
    floors = left_out(one.terms[:, :OF_RECORDS], one.floor, one.tables)
    within = np.zeros((2, len(predicted)), np.bool_)
    for table in np.unique(one.tables):
        out, residuals = one.tables == table, predicted - one.score
        for level, reach in enumerate(reaches(residuals[~out])):
            within[level, out] = np.abs(residuals[out]) <= reach
    has_floor = bool(np.median(one.floor) > odds(0.0, 1.0))
    below, told = one.score > one.floor, predicted > floors
    return Figures(
        name=name,
        runs=len(predicted),
        error=_error(predicted, one.score),
        floor_error=_error(floors, one.floor) if has_floor else None,
        coverage=(round(float(within[0].mean()), 3), round(float(within[1].mean()), 3)),
        verdicts=float((below == told).mean()) if has_floor else None,
        wrongly_refused=float((told & ~below).mean()) if has_floor else None,
    )


def _error(predicted: Floats, measured: Floats) -> float:
    one, other = expit(predicted), expit(measured)
    return float(np.median(np.abs(one / other - 1)))


def document(
    runs: Sequence[Rehearsal], samples: dict[str, Sample], figures: Sequence[Figures], folder: Path
) -> dict[str, object]:
    """The file that the node reads; of other versions of the generator it keeps what it held."""
    models = {}
    for one, figure in zip(samples.values(), figures, strict=True):
        reach = reaches(left_out(one.terms, one.score, one.tables) - one.score)
        floor = _rounded(ridge(one.terms[:, :OF_RECORDS], one.floor)) if figure.floor_error is not None else None
        models[figure.name] = {
            "score": _rounded(ridge(one.terms, one.score)),
            "floor": floor,
            "ceiling": _rounded(ridge(one.terms[:, :OF_RECORDS], one.ceiling)),
            "reach": [round(part, DIGITS) for part in reach],
            "coverage": list(figure.coverage),
        }
    facts = [facts_of(run, folder) for run in runs]
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
    kept = json.loads(OUT.read_text())["generators"] if OUT.exists() else {}
    return {"format": FORMAT, "generators": {**kept, NAME: fit}}


def _rounded(found: Floats) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in found]


if __name__ == "__main__":
    main()
