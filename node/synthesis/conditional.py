"""Some columns of a model given the others, drawn for many rows at once, each with what it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from node.noise.stream import Stage
from node.synthesis.cells import Floats
from node.synthesis.structure import Marginal, elimination

NUMBERS_AT_ONCE = 4_000_000

Bins = NDArray[np.integer[Any]]
Logs = tuple[Marginal, Floats]
"""Some columns, and a logarithm of the weight of each combination of their bins, one axis for each column."""


@dataclass(frozen=True)
class Conditional:
    """The model whose rows weigh exp of the sum of `logs`. `sizes`: bins of each column. `targets`: those to draw.

    Source: Koller and Friedman 2009, Sections 9.3.2 and 9.5 (variable elimination where some columns are observed).
    """

    sizes: tuple[int, ...]
    targets: Marginal
    logs: tuple[Logs, ...]

    def draw(self, given: Mapping[int, Bins], rows: int, stage: Stage) -> dict[int, Bins]:
        """The targets' bins in `rows` rows whose other columns have the bins `given`. Each row is drawn on its own."""
        words = stage.words(rows * len(self.targets)).reshape(len(self.targets), rows)
        uniform = (words >> np.uint64(11)).astype(np.float64) / 2.0**53
        order = self._order()
        largest = max(prod(self.sizes[axis] for axis in axes) for axes in order)
        step = max(1, NUMBERS_AT_ONCE // largest)
        found: dict[int, Bins] = {target: np.empty(rows, np.int16) for target in self.targets}
        for first in range(0, rows, step):
            part = slice(first, min(rows, first + step))
            drawn = self._drawn(order, {column: bins[part] for column, bins in given.items()}, uniform[:, part])
            for target, bins in drawn.items():
                found[target][part] = bins
        return found

    def _order(self) -> list[Marginal]:
        """The targets in an order of elimination, each last behind those that it then depends on."""
        local = {target: place for place, target in enumerate(self.targets)}
        sets = [tuple(sorted(local[column] for column in columns if column in local)) for columns, _ in self.logs]
        sizes = [self.sizes[target] for target in self.targets]
        return [
            tuple(self.targets[axis] for axis in (*parents, column))
            for column, parents in elimination(sizes, [one for one in sets if one])
        ]

    def _drawn(self, order: Sequence[Marginal], given: Mapping[int, Bins], uniform: Floats) -> dict[int, Bins]:
        factors = [_observed(columns, table, given) for columns, table in self.logs]
        weights: list[tuple[Marginal, Floats]] = []
        for axes in order:
            logs = np.zeros((1, *(self.sizes[axis] for axis in axes)))
            for columns, table in factors:
                if axes[-1] in columns:
                    logs = logs + self._spread(columns, table, axes)
            factors = [factor for factor in factors if axes[-1] not in factor[0]]
            highest = logs.max(axis=-1, keepdims=True)
            weights.append((axes, np.exp(logs - highest)))
            factors.append((axes[:-1], np.log(weights[-1][1].sum(axis=-1)) + highest[..., 0]))
        drawn: dict[int, Bins] = {}
        for place, (axes, table) in enumerate(reversed(weights)):
            rows = np.arange(uniform.shape[1]) if len(table) > 1 else np.zeros(uniform.shape[1], np.intp)
            passed = np.cumsum(table[(rows, *(drawn[axis] for axis in axes[:-1]))], axis=-1)
            reached = uniform[place] * passed[:, -1]
            bins = (passed <= reached[:, None]).sum(axis=-1)
            drawn[axes[-1]] = np.minimum(bins, self.sizes[axes[-1]] - 1).astype(np.int16)
        return drawn

    def _spread(self, columns: Marginal, table: Floats, axes: Marginal) -> Floats:
        """A factor with the axes of a row and of `axes`."""
        turned = sorted(range(len(columns)), key=lambda place: axes.index(columns[place]))
        shape = [self.sizes[axis] if axis in columns else 1 for axis in axes]
        return table.transpose(0, *(place + 1 for place in turned)).reshape(len(table), *shape)


def _observed(columns: Marginal, table: Floats, given: Mapping[int, Bins]) -> tuple[Marginal, Floats]:
    """What is left of a factor once the given columns are known: the columns left, and a table with an axis for rows first.

    That axis has one place where no column is given.
    """
    seen = [place for place, column in enumerate(columns) if column in given]
    left = [place for place in range(len(columns)) if place not in seen]
    turned = table.transpose(*seen, *left)
    known = turned[tuple(given[columns[place]] for place in seen)] if seen else turned[None]
    return tuple(columns[place] for place in left), known
