"""Coded Arrow tables as the coded frames that scores are computed on."""

import numpy as np
import pandas as pd
import pyarrow as pa

from marketplace.protocol.schema import Schema
from marketplace.scores.codes import MISSING


def frame_of(table: pa.Table, schema: Schema) -> pd.DataFrame:
    """The coded frame of a coded table: int32 columns `schema.names` in order, -1 for null.

    Raises `ValueError` if the table has other columns or types.
    """
    if tuple(table.column_names) != schema.names or any(kind != pa.int32() for kind in table.schema.types):
        raise ValueError("expected a coded table: the schema's columns in order, each int32")
    filled = (column.fill_null(MISSING).to_numpy() for column in table.columns)
    return pd.DataFrame({name: np.asarray(codes, np.int32) for name, codes in zip(schema.names, filled, strict=True)})
