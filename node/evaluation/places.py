"""Where records stand: codes as numbers, so that a distance between two records is a sum over columns."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketplace.protocol.schema import Number, Schema
from marketplace.scores.codes import MISSING

ROWS_AT_ONCE = 128

Floats = npt.NDArray[np.float32]


class Places:
    """Where a code stands on its column's line: categories and missing 1 or more apart, numbers at their quantile in a crowd."""

    def __init__(self, crowd: pd.DataFrame, schema: Schema) -> None:
        self._schema = schema
        self._sorted = {name: np.sort(crowd[name][crowd[name] != MISSING].to_numpy()) for name in schema.names}

    def of(self, frame: pd.DataFrame) -> Floats:
        """The places of each record, shape (columns, rows)."""
        rows = []
        for column in self._schema.columns:
            codes = frame[column.name].to_numpy()
            if isinstance(column, Number):
                ranked = self._sorted[column.name]
                middle = np.searchsorted(ranked, codes, "left") + np.searchsorted(ranked, codes, "right")
                rows.append(np.where(codes == MISSING, -2.0, middle / max(1, 2 * len(ranked))))
            else:
                rows.append(codes.astype(float))
        return np.array(rows, dtype=np.float32)


def distances(records: Floats, crowd: Floats) -> Floats:
    """The distance of each of `records` from each of `crowd`, shape (records, crowd): L1, cut to 1 in each column."""
    total = np.zeros((records.shape[1], crowd.shape[1]), dtype=np.float32)
    for mine, theirs in zip(records, crowd, strict=True):
        total += np.minimum(np.abs(mine[:, None] - theirs[None, :]), np.float32(1))
    return total


def nearest(records: Floats, crowd: Floats) -> npt.NDArray[np.float64]:
    """For each of `records` the distance from the nearest of `crowd`."""
    found = np.empty(records.shape[1])
    for start in range(0, records.shape[1], ROWS_AT_ONCE):
        found[start : start + ROWS_AT_ONCE] = distances(records[:, start : start + ROWS_AT_ONCE], crowd).min(axis=1)
    return found
