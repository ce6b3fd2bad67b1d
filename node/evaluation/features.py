"""Coded columns as numbers for models: by the schema alone, so that tables of one schema are encoded alike."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketplace.protocol.schema import Number, Schema
from marketplace.scores.codes import MISSING

MOST_VALUES = 40

Matrix = npt.NDArray[np.float64]


def features(frame: pd.DataFrame, schema: Schema, without: tuple[str, ...] = ()) -> tuple[Matrix, tuple[str, ...]]:
    """One row for each record, and the names of what stands in it. `without`: columns that are left out.

    A number is its place between its bounds, 0 to 1, and one half where it is missing; a category is a flag for each value
    but the first; what can be missing has a flag for that. Categories of more than 40 values are left out.
    """
    parts: list[Matrix] = []
    names: list[str] = []
    for column in schema.columns:
        codes = frame[column.name].to_numpy()
        if column.name in without:
            continue
        if isinstance(column, Number):
            parts.append(np.where(codes == MISSING, 0.5, codes / max(1, column.size - 1)))
            names.append(column.name)
        elif column.size <= MOST_VALUES:
            parts += [(codes == code).astype(float) for code in range(1, column.size)]
            names += [f"{column.name} = {column.text(code)}" for code in range(1, column.size)]
        else:
            continue
        if column.missing:
            parts.append((codes == MISSING).astype(float))
            names.append(f"{column.name} missing")
    return (np.column_stack(parts) if parts else np.zeros((len(frame), 0))), tuple(names)
