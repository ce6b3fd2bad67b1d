"""The ends between which a score on a table that was never seen is foretold: quantiles of residuals, tables left out."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

SHARES, MARGIN, LEVELS, ROUNDING = (0.8, 0.95), 0.02, 0.0025, 1e-9

Floats = NDArray[np.float64]
Names = NDArray[np.str_]


def reaches(residuals: Floats, tables: Names) -> tuple[float, float]:
    """How far from the prediction 80 % and 95 % of the runs on a new table lie: the least quantiles that, taken from all tables
    but one, hold so many of the runs on that one and 2 % more, each table weighing alike. The 2 % are for having chosen."""
    return _reach(residuals, tables, SHARES[0]), _reach(residuals, tables, SHARES[1])


def _reach(residuals: Floats, tables: Names, share: float) -> float:
    others = [_ranked(*part) for part in without(residuals, tables)]
    for level in np.arange(share, 1.0, LEVELS):
        if held(residuals, tables, [_at(part, level) for part in others]) >= share + MARGIN:
            return quantile(residuals, tables, level)
    return float(np.abs(residuals).max())


def quantile(residuals: Floats, tables: Names, level: float) -> float:
    """The least distance that this share of the runs keep, each table weighing alike."""
    return _at(_ranked(residuals, tables), level)


def _ranked(residuals: Floats, tables: Names) -> tuple[Floats, Floats]:
    """The distances in order, each with the share of the runs that keep it."""
    order = np.argsort(np.abs(residuals), kind="stable")
    names, which, counts = np.unique(tables, return_inverse=True, return_counts=True)
    return np.abs(residuals)[order], np.cumsum(1 / counts[which[order]]) / len(names)


def _at(ranked: tuple[Floats, Floats], level: float) -> float:
    distances, shares = ranked
    return float(distances[min(len(distances) - 1, int(np.searchsorted(shares, level - ROUNDING)))])


def held(residuals: Floats, tables: Names, ends: Sequence[float]) -> float:
    """The mean share of a table's runs that lie within its end. `ends`: one for each table, by name."""
    names = np.unique(tables)
    within = [float((np.abs(residuals[tables == name]) <= end).mean()) for name, end in zip(names, ends, strict=True)]
    return float(np.mean(within))


def without(residuals: Floats, tables: Names) -> Iterator[tuple[Floats, Names]]:
    """The runs on all tables but one, for each table by name; of a single table its own."""
    names = np.unique(tables)
    for name in names:
        others = (tables != name) | (len(names) == 1)
        yield residuals[others], tables[others]
