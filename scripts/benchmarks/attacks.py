"""Attacks on the generator, on public data alone: what an attacker makes of synthetic tables, and what rho allows at most.

`python -m scripts.benchmarks.attacks [--json] [--generator NAME] [--shadows 64] [--minutes M] [--data DIR] [--ship]
[PART ...]`; parts: prostate, flchain, covid, adult, audit; muscatine and nafld of private-visits. Every model that was
attacked is kept under `.tools/peers/kept/attacks`, under a hash of what generator and attacks mean, so a second start goes on
where the first one ended. `--minutes` starts no new model after so long; a setting whose models are not all there is left
out. `--ship` enters the figures into `node/evaluation/public_attacks.json`, from where certificates take them.

Each model is trained on about 1,000 records: 950 drawn anew, and a random half of 100 targets, 50 of which are outliers.
Shadow models: a linear rule, learned on other models, over how many synthetic rows agree with a target in one, two, three
or all columns. DOMIAS: the density of synthetic rows around a record against that of 2,000 others. Attribute inference:
one column guessed from the others by the nearest rows. Where rows hang together under persons, a record is a person with
all rows. Linkability: two halves of a record found in one row. Singling out:
predicates that are true of one record. Baseline: the same on records that were not trained on. Maximum: what zCDP of this
rho allows any attack at that baseline. Intervals: 95 %, of the distance from the baseline, bootstrapped over models.
Controls show that the attacks work: the generator without noise, and the records drawn again.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

from marketplace.protocol.specification import DEFAULT_GENERATOR
from node.evaluation.public_attacks import FILE, PublicAttacks, PublicFigure, decode, encode
from node.noise.gaussian import discrete_gaussian
from node.noise.stream import Stage
from node.synthesis import release
from node.synthesis.generators import GENERATORS, LINKED_GENERATOR
from node.synthesis.marginals import PrivateMarginals
from node.synthesis.records import Counts
from scripts.benchmarks.attacks_audit import Audit, audit, finest_of, hospital, measured, power
from scripts.benchmarks.attacks_draws import note
from scripts.benchmarks.attacks_figures import figures
from scripts.benchmarks.attacks_fits import code_of, gather, settings_of, version_of
from scripts.benchmarks.attacks_persons import SECRETS, persons
from scripts.benchmarks.attacks_population import TABLES, population

LINKED = tuple(SECRETS)
PARTS = (*TABLES, *LINKED, "audit")
HEADS = (
    "members found, shadow models", "the same, outliers", "members found, DOMIAS", "values guessed", "halves linked",
    "singled out, one column", "singled out, several",
)  # fmt: skip
"""Of the attacks, in the order in which they are made."""
AUDIT_RUNS, AUDIT_SHARE, AUDIT_TRIALS = 300, 0.05, 10
WEAKNESSES = {"all noise": 1, "half of it": 2, "a sixth of it": 6}
SHIPPED = Path("node/evaluation") / FILE


def main() -> None:
    """Prints the tables or the JSON object."""
    parser = argparse.ArgumentParser(prog="attacks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all by default")
    parser.add_argument("--shadows", type=int, default=64, help="models of each setting, an even number")
    parser.add_argument("--minutes", type=float, default=math.inf, help="start no model after so long")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("AGORA_TEST_DATA", "../shared/data")), help="Adult's folder"
    )
    parser.add_argument("--generator", choices=GENERATORS, default=DEFAULT_GENERATOR, help="whose tables are attacked")
    parser.add_argument("--ship", action="store_true", help="enter the figures of all data sets into the package")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    until_s = time.monotonic() + 60 * given.minutes
    tables = LINKED if given.generator == LINKED_GENERATOR else tuple(TABLES)
    names = [name for name in tables if name in (given.parts or PARTS)]
    found = [one for name in names for one in attacked(name, given.generator, given.data, given.shadows, until_s)]
    audits = dict(audited()) if "audit" in (given.parts or PARTS) and given.generator == DEFAULT_GENERATOR else {}
    if given.ship:
        ship(given.generator, found)
    if given.json:
        document = {
            "generator": version_of(given.generator), "code": code_of(given.generator), "figures": [asdict(one) for one in found],
            "audit": {name: {**asdict(one), "power": share} for name, (one, share) in audits.items()},
        }  # fmt: skip
        print(json.dumps(document, indent=2))
        return
    if found:
        print(as_table(found))
    for name, (one, share) in audits.items():
        print(
            f"Audit, {name}: {one.right:,} of {one.guesses:,} coins right over {one.runs} runs, epsilon at least "
            f"{one.lower:.2f} (claimed: {one.claimed:g}); such an audit refutes the claim with probability {share:.2f}."
        )


def attacked(name: str, generator: str, folder: Path, shadows: int, until_s: float) -> Iterator[PublicFigure]:
    """The figures of all settings of one data set for which there is time."""
    try:
        people = persons(name) if name in LINKED else population(name, folder)
    except FileNotFoundError:
        print(f"{name} is left out: its files are not here; name their folder with --data", file=sys.stderr)
        return
    for setting in settings_of(generator):
        fits = gather(people, generator, setting, shadows, until_s)
        if fits is None:
            print(f"{name}, {setting.name}, is left out: no time left; start again", file=sys.stderr)
        else:
            yield from figures(fits)


def audited() -> Iterator[tuple[str, tuple[Audit, float]]]:
    """The audit of the generator as it is and with less noise, each with its simulated power."""
    schema, records = hospital()
    sigma2 = finest_of(measured(PrivateMarginals(), schema, records, 0)).sigma2
    for name, weakness in WEAKNESSES.items():
        with weakened(weakness):
            found = audit(PrivateMarginals(), schema, records, AUDIT_RUNS, AUDIT_SHARE)
        canaries = found.canaries // found.runs
        yield name, (found, power(sigma2 / weakness**2, AUDIT_RUNS, canaries, AUDIT_SHARE, AUDIT_TRIALS))


@contextmanager
def weakened(weakness: int) -> Iterator[None]:
    """The generator with the standard deviation of all its noise divided by `weakness`."""

    def weak(stage: Stage, sigma2: Fraction, size: int) -> Counts:
        return discrete_gaussian(stage, sigma2 / weakness**2, size)

    release.discrete_gaussian = weak
    try:
        yield
    finally:
        release.discrete_gaussian = discrete_gaussian


def ship(generator: str, found: list[PublicFigure]) -> None:
    """Enters the figures in place of those of the same version, and notes what the generator measures."""
    version = version_of(generator)
    others = [one for one in decode(files("node.evaluation").joinpath(FILE).read_bytes()) if one.generator != version]
    made = datetime.now(UTC).date().isoformat()
    mine = PublicAttacks(version, code_of(generator), made, tuple(found))
    SHIPPED.write_bytes(encode((*others, mine)))
    note(generator)


def as_table(found: list[PublicFigure]) -> str:
    """A row for each setting and data set, as in docs/decisions/0011: value (interval) / baseline, and the maximum."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for one in found:
        rows.setdefault((one.setting, one.dataset), {})[one.attack] = _cell(one)
    heads = ("setting", "data", *HEADS)
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join((*key, *cells.values())) + " |" for key, cells in rows.items()]
    return "\n".join(lines) + "\n"


def _cell(one: PublicFigure) -> str:
    value, low, high, baseline = (_short(part) for part in (one.value, one.low, one.high, one.baseline))
    most = "" if one.maximum is None else f", ≤ {_short(one.maximum)}"
    return f"{value} ({low} to {high}) / {baseline}{most}"


def _short(decimal: str) -> str:
    """A decimal with three digits, without the 0 before its point."""
    return f"{float(decimal):.3f}".removeprefix("0")


if __name__ == "__main__":
    main()
