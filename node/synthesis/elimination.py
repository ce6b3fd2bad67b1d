"""A graphical model taken apart column by column, so that rows can be drawn by putting it together again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from node.synthesis.cells import Floats
from node.synthesis.structure import Marginal, elimination


@dataclass(frozen=True)
class Potential:
    """A factor of the model: the logarithm of its weight for each combination of bins of `columns`, one axis each."""

    columns: Marginal
    logs: Floats


@dataclass(frozen=True)
class Step:
    """How one column depends on columns drawn before: `weights`, >= 0, has the axes `parents` and then `column`."""

    column: int
    parents: Marginal
    weights: Floats


def steps_of(potentials: Sequence[Potential], sizes: Sequence[int]) -> tuple[Step, ...]:
    """The model whose rows weigh exp of the sum of `potentials`, as steps, parents first.

    `sizes`: the bins of each column. Source: Koller and Friedman 2009, Section 9.3 (variable elimination); what an
    elimination sums out is, up to a factor, the conditional distribution of its column.
    """
    factors = list(potentials)
    steps = []
    for column, parents in elimination(sizes, [potential.columns for potential in potentials]):
        axes = (*parents, column)
        logs = np.zeros([sizes[axis] for axis in axes])
        for factor in factors:
            if column in factor.columns:
                logs = logs + _spread(factor, axes)
        highest = logs.max(axis=-1, keepdims=True)
        weights = np.exp(logs - highest)
        message = np.log(weights.sum(axis=-1)) + highest[..., 0]
        factors = [factor for factor in factors if column not in factor.columns]
        factors.append(Potential(parents, message))
        steps.append(Step(column, parents, weights))
    return tuple(reversed(steps))


def _spread(factor: Potential, axes: Marginal) -> Floats:
    """The factor's logs with `axes` in their order, of size 1 where the factor does not reach."""
    order = sorted(range(len(factor.columns)), key=lambda place: axes.index(factor.columns[place]))
    shape = [1] * len(axes)
    for place in order:
        shape[axes.index(factor.columns[place])] = factor.logs.shape[place]
    return factor.logs.transpose(order).reshape(shape)
