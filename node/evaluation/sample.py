"""The tables that the provider's evaluation compares, each cut down to what a hospital's machine takes in minutes."""

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketplace.scores.cells import Cells

MOST_ROWS = 5_000


@dataclass(frozen=True, eq=False)
class Sample:
    """Coded frames of one schema. `shuffled`: the synthetic one with every column in an order of its own.

    `seed`: fixes all that is drawn.
    """

    training: pd.DataFrame
    holdout: pd.DataFrame
    synthetic: pd.DataFrame
    shuffled: pd.DataFrame
    seed: int

    @classmethod
    def draw(cls, training: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, seed: int) -> "Sample":
        """At most 5,000 rows of each table, drawn without replacement. `seed` >= 0; none of the tables is empty."""
        generator = np.random.Generator(np.random.PCG64(seed))
        one, two, three = (
            table.iloc[np.sort(generator.permutation(len(table))[:MOST_ROWS])].reset_index(drop=True)
            for table in (training, holdout, synthetic)
        )
        shuffled = pd.DataFrame({name: generator.permutation(three[name].to_numpy()) for name in three})
        return cls(one, two, three, shuffled, seed)

    def generator(self, what: str) -> np.random.Generator:
        """A generator of its own for `what`, the same for the same seed."""
        return np.random.Generator(np.random.PCG64([self.seed, zlib.crc32(what.encode())]))


def resampled(table: Cells, generator: np.random.Generator) -> Cells:
    """As many rows, drawn with putting back."""
    rows = generator.integers(0, table.rows, table.rows)
    return Cells(table.names, tuple(cells[rows] for cells in table.columns), table.sizes)
