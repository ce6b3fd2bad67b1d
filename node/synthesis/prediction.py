"""What the released scores of an order will be like, told before it is placed: from public facts, and from what the
generator reached on public tables. No record is within reach."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from marketplace.errors import Corrupt
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.curve import CURVE
from node.synthesis.expectation import OF_RECORDS, Facts, Noise, noise_of, terms_of
from node.synthesis.structure import Marginal

FORMAT, FILE = "agora/prediction/2", "prediction.json"
WORKLOAD, MISSINGNESS = "workload", "missingness"
PLAIN, NARROWED = "plain", "conditions"
WAYS = {"l1_1way": 1, "l1_2way": 2, "l1_3way": 3}
MOST_ROWS, PRECISION = 10_000_000, 1.03
LARGEST_LOGIT = 12.0

Coefficients = Sequence[float]


@dataclass(frozen=True)
class Predicted:
    """One released score as it is expected, between ends that hold it with 80 % and with 95 %, beside the floor that a
    shuffle of the columns sets (None where a shuffle changes nothing) and the ceiling that sampling allows. A score of
    which nothing is foretold has the largest value, and all values as its ends: a curve of which noise would leave nothing to
    read, or one of which no runs like it are on record."""

    name: str
    value: float
    likely: tuple[float, float]
    wide: tuple[float, float]
    floor: float | None
    ceiling: float

    @property
    def below_floor(self) -> bool:
        """Whether the synthetic rows are expected to be worse than a shuffle of the columns."""
        return self.floor is not None and self.value > self.floor


@dataclass(frozen=True)
class Prediction:
    """What is expected of an order. `generator`: name and version. `seconds`: of one processor.

    `decisive`: the score that says whether rows are worth their price: the workload's, else that over most columns;
    None where columns stand alone. `rows_needed`: how many records like these, in all, would pass the floor; None where
    these pass, or no number does. `beyond`: whether it reaches beyond what the model was fitted on.
    """

    generator: str
    scores: tuple[Predicted, ...]
    decisive: Predicted | None
    rows_needed: int | None
    seconds: float
    beyond: bool

    @property
    def below_floor(self) -> bool:
        """Whether the order is expected to be worse than a shuffle of the columns."""
        return self.decisive is not None and self.decisive.below_floor


@dataclass(frozen=True)
class Model:
    """The fit for one score. `reach`: how far the logit lies from the prediction, by 80 % and by 95 %, in plain orders and in
    those with conditions.

    `coverage`: the share of runs on a table left out that lay within those reaches, taken from the other tables.
    """

    score: Coefficients
    floor: Coefficients | None
    ceiling: Coefficients
    reach: Mapping[str, tuple[float, float]]
    coverage: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Fit:
    """The fit for one version of a generator: a model for each score, and the settings that it saw."""

    generator: str
    tables: int
    runs: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    seconds: Coefficients
    models: Mapping[str, Model]


def predict(schema: Schema, rows_declared: int, specification: Specification, rho_micro: int, fit: Fit) -> Prediction:
    """What an order with this specification is expected to score, from these arguments alone.

    `rows_declared`: the dataset's public, rounded number of rows. `rho_micro`: the generator's. Raises `Refused` where the
    rho cannot pay for every stage, `Invalid` where a wish does not fit the schema.
    """
    facts = Facts.of(schema, rows_declared, specification, rho_micro)
    noise = noise_of(facts)
    scores = tuple(_predicted(name, fit, facts, noise, sets) for name, sets in measures_of(facts))
    decisive = _decisive(scores)
    needed = _rows_needed(fit, facts, decisive.name) if decisive is not None and decisive.below_floor else None
    count, terms = len(schema.columns), terms_of(facts, noise, facts.sets(min(2, len(schema.columns))))
    return Prediction(
        generator=fit.generator,
        scores=scores,
        decisive=decisive,
        rows_needed=needed,
        seconds=math.exp(min(LARGEST_LOGIT, _dot(fit.seconds, terms))),
        beyond=not (fit.rows[0] <= facts.rows <= fit.rows[1] and fit.columns[0] <= count <= fit.columns[1]),
    )


def fit_of(generator: str) -> Fit | None:
    """The fit for the newest version of the generator of this name; None where there is none."""
    versions = [name for name in fits() if name.rpartition("/")[0] == generator]
    return fits()[max(versions, key=lambda name: int(name.rpartition("/")[2]))] if versions else None


@cache
def fits() -> Mapping[str, Fit]:
    """The fits that this node has, by generator and version. Raises as `read_fits`."""
    return read_fits(resources.files("node.synthesis").joinpath(FILE).read_text("utf-8"))


def read_fits(text: str) -> Mapping[str, Fit]:
    """The fits in a file's text. Raises `Corrupt` where it is of another format."""
    document = json.loads(text)
    if document["format"] != FORMAT:
        raise Corrupt(f"expected a fit of {FORMAT}, got {document['format'][:60]!r}; install this program again")
    return {name: _fit(name, part) for name, part in document["generators"].items()}


def odds(distance: float, largest: float) -> float:
    """The logit in which scores are fitted: of a distance between 0 and `largest`."""
    kept = min(max(distance / largest, 5e-5), 1 - 5e-4)
    return math.log(kept / (1 - kept))


def largest_of(name: str) -> float:
    """The largest value that a score of this name can have."""
    return 1.0 if name == MISSINGNESS or name.startswith(CURVE) else 2.0


def measures_of(facts: Facts) -> list[tuple[str, Sequence[Marginal]]]:
    """The scores that an order with these facts gets, each with the columns that it looks at."""
    found: list[tuple[str, Sequence[Marginal]]] = [
        (name, facts.sets(ways)) for name, ways in WAYS.items() if ways <= len(facts.schema.columns)
    ]
    gaps = [(place,) for place, column in enumerate(facts.schema.columns) if column.missing]
    if gaps:
        found.append((MISSINGNESS, gaps))
    if facts.wanted:
        found.append((WORKLOAD, facts.wanted))
    curves = facts.workload.curves
    return [*found, *((f"{CURVE}{index}", [facts.places(curve.marginal)]) for index, curve in enumerate(curves))]


def family_of(name: str) -> str:
    """The name under which scores like this one are fitted together: all curves are."""
    return CURVE if name.startswith(CURVE) else name


def _predicted(name: str, fit: Fit, facts: Facts, noise: Noise, sets: Sequence[Marginal]) -> Predicted:
    model, terms, largest = fit.models[family_of(name)], terms_of(facts, noise, sets), largest_of(name)
    reaches = model.reach.get(NARROWED if facts.narrowed else PLAIN)
    curve = facts.workload.curves[int(name.removeprefix(CURVE))] if family_of(name) == CURVE else None
    if reaches is None or (curve is not None and not facts.is_readable(curve)):
        anything, ceiling = (0.0, largest), _back(_dot(model.ceiling, terms), largest)
        return Predicted(name, largest, anything, anything, None, ceiling)
    logit = _dot(model.score, terms)
    ends = [(_back(logit - reach, largest), _back(logit + reach, largest)) for reach in reaches]
    related = model.floor is not None and any(len(marginal) > 1 for marginal in sets)
    return Predicted(
        name=name,
        value=_back(logit, largest),
        likely=ends[0],
        wide=ends[1],
        floor=_back(_dot(model.floor, terms), largest) if related and model.floor is not None else None,
        ceiling=_back(_dot(model.ceiling, terms), largest),
    )


def _decisive(scores: Sequence[Predicted]) -> Predicted | None:
    judged = [score for score in scores if score.floor is not None and family_of(score.name) != CURVE]
    return judged[-1] if judged else None


def _rows_needed(fit: Fit, facts: Facts, name: str) -> int | None:
    """The fewest records, to two digits and upwards, with which that score passes its floor."""
    sets = dict(measures_of(facts))[name]

    def passes(rows: float) -> bool:
        more = facts.of_rows(rows)
        return not _predicted(name, fit, more, noise_of(more), sets).below_floor

    few, enough = facts.rows, facts.rows * 2
    while not passes(enough):
        few, enough = enough, enough * 2
        if enough > MOST_ROWS:
            return None
    while enough / few > PRECISION:
        middle = math.sqrt(few * enough)
        few, enough = (few, middle) if passes(middle) else (middle, enough)
    unit: int = 10 ** max(0, math.floor(math.log10(enough)) - 1)
    return math.ceil(enough / unit) * unit


def _dot(coefficients: Coefficients, terms: Sequence[float]) -> float:
    """A model of fewer coefficients than terms knows the first of them alone."""
    assert len(coefficients) in (OF_RECORDS, len(terms))
    return sum(one * other for one, other in zip(coefficients, terms, strict=False))


def _back(logit: float, largest: float) -> float:
    return largest / (1 + math.exp(-min(max(logit, -LARGEST_LOGIT), LARGEST_LOGIT)))


def _fit(name: str, part: Mapping[str, Any]) -> Fit:
    models = {
        score: Model(one["score"], one["floor"], one["ceiling"], _pairs(one["reach"]), _pairs(one["coverage"]))
        for score, one in part["models"].items()
    }
    return Fit(name, part["tables"], part["runs"], tuple(part["rows"]), tuple(part["columns"]), part["seconds"], models)


def _pairs(part: Mapping[str, Sequence[float]]) -> Mapping[str, tuple[float, float]]:
    return {name: (low, high) for name, (low, high) in part.items()}
