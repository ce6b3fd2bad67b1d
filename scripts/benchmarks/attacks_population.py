"""Who is attacked: public records divided into targets, what the attacker knows, and everybody else."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketplace.protocol.schema import Category, Schema
from scripts.benchmarks.tables import load

RANDOM_TARGETS, OUTLIERS = 50, 50
REFERENCE = 2_000
OTHERS = 950
FINE = 64
SECRETS = {"prostate": "status", "flchain": "chapter", "covid": "payor_group", "adult": "relationship"}
TABLES = {"prostate": "prostate", "flchain": "flchain", "covid": "covid person-level", "adult": "adult"}
COLUMNS = {
    "prostate": ("grade", "stage", "ageGroup", "survTime", "status"),
    "flchain": ("age", "sex", "kappa", "lambda", "creatinine", "futime", "death", "chapter"),
    "covid": ("gender", "clinic_name", "result", "age", "ct_result", "payor_group", "patient_class", "col_rec_tat"),
    "adult": (
        "age",
        "workclass",
        "education-num",
        "occupation",
        "relationship",
        "race",
        "native-country",
        "income>50K",
    ),
}
"""At most 8 of each, so that a model needs a second or two: what identifies people, and what is worth knowing of them."""

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Shadow:
    """One training table. `members`: places of its records; `inside`: which targets are among them.

    `others`: members that are no targets; `controls`: as many records that are neither.
    """

    members: Codes
    inside: NDArray[np.bool_]
    others: Codes
    controls: Codes


@dataclass(frozen=True)
class Population:
    """One data set. `records`: codes, -1 for missing, one record a person. All else are places of records.

    `targets`: chosen at random first, then the outliers, whose values are the rarest together. `reference`: what the
    attacker knows of the population, none of it a member or a target. `secret`: the column that is guessed.
    """

    name: str
    schema: Schema
    records: pd.DataFrame
    targets: Codes
    reference: Codes
    pool: Codes
    secret: str

    def shadows(self, count: int) -> list[Shadow]:
        """`count` (even) training tables. Each target is in a random half of them, whatever the other targets are.

        All else is drawn anew for each. So a target's presence is the only thing that its two halves differ in: the
        neighbours of the guarantee, and no record takes another's place.
        """
        rng = np.random.default_rng(1)
        inside = np.array([rng.permutation(count) < count // 2 for _ in self.targets]).T
        found = []
        for row in inside:
            drawn = rng.permutation(self.pool)
            others, controls = drawn[:OTHERS], drawn[OTHERS : 2 * OTHERS]
            found.append(Shadow(np.concatenate([others, self.targets[row]]), row, others, controls))
        return found


def population(name: str, folder: Path) -> Population:
    """The data set of this name. Raises `FileNotFoundError` where its files are not in `folder`."""
    table = load(TABLES[name], folder)
    schema = Schema(tuple(column for column in table.schema.columns if column.name in COLUMNS[name]), None, 1)
    records = table.kept(0).reset_index(drop=True)[list(schema.names)]
    rng = np.random.default_rng(0)
    places = rng.permutation(len(records))
    rarest = places[np.argsort(_commonness(records, schema)[places], kind="stable")]
    outliers = rarest[:OUTLIERS]
    rest = places[~np.isin(places, outliers)]
    targets = np.concatenate([rest[:RANDOM_TARGETS], outliers])
    reference = rest[RANDOM_TARGETS : RANDOM_TARGETS + REFERENCE]
    return Population(name, schema, records, targets, reference, rest[RANDOM_TARGETS + REFERENCE :], SECRETS[name])


class Bins:
    """The attacker's cells: categories as they are, numbers cut at quantiles of the reference, missing last."""

    def __init__(self, population: Population, cuts: int) -> None:
        reference = population.records.iloc[population.reference]
        self._edges = {}
        for column in population.schema.columns:
            codes = reference[column.name].to_numpy()
            quantiles = np.unique(np.quantile(codes[codes >= 0], np.arange(1, cuts) / cuts))
            self._edges[column.name] = np.arange(1.0, column.size) if isinstance(column, Category) else quantiles
        self.ordered = [not isinstance(column, Category) for column in population.schema.columns]

    @property
    def sizes(self) -> list[int]:
        """Cells of each column, missing included."""
        return [len(edges) + 2 for edges in self._edges.values()]

    def cut(self, frame: pd.DataFrame) -> Codes:
        """The cells of a coded frame, shape (rows, columns)."""
        columns = []
        for name, edges in self._edges.items():
            codes = frame[name].to_numpy()
            columns.append(np.where(codes < 0, len(edges) + 1, np.searchsorted(edges, codes, side="right")))
        return np.stack(columns, axis=1).astype(np.int64)


def _commonness(records: pd.DataFrame, schema: Schema) -> NDArray[np.float64]:
    """The sum over columns of the log share of records in the same one of 64 cells of equal width, or category."""
    total = np.zeros(len(records))
    for column in schema.columns:
        codes = records[column.name].to_numpy()
        cells = codes if isinstance(column, Category) else np.where(codes < 0, -1, codes * FINE // column.size)
        _, which, counts = np.unique(cells, return_inverse=True, return_counts=True)
        total += np.log(counts[which] / len(records))
    return total
