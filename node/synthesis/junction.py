"""A graphical model over columns as a junction tree: its marginals by messages, and the steps by which rows are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from node.synthesis.cells import Floats
from node.synthesis.structure import Marginal, elimination


@dataclass(frozen=True)
class Step:
    """How one column depends on columns drawn before: `weights`, >= 0, has the axes `parents` and then `column`."""

    column: int
    parents: Marginal
    weights: Floats


@dataclass(frozen=True)
class _Bucket:
    """One eliminated column, last among `axes`, with those that it leaves joined.

    `shape`: bins along `axes`. `target`: the bucket that its message goes to, None at a root. `message_shape`: the
    message's shape there. `target_rest`: the target's axes that are not among the message's.
    """

    axes: Marginal
    shape: tuple[int, ...]
    target: int | None
    message_shape: tuple[int, ...]
    target_rest: tuple[int, ...]


@dataclass(frozen=True)
class _Factor:
    """Where one marginal's potential lies: in the flat vector from `start` to `end`, and in its bucket as `shape`.

    `turned`: the marginal's axes in the bucket's order. `rest`: the bucket's axes that are not the marginal's.
    """

    bucket: int
    start: int
    end: int
    turned: tuple[int, ...]
    shape: tuple[int, ...]
    rest: tuple[int, ...]


class JunctionTree:
    """The model whose rows weigh exp of the sum of potentials, one for each of `marginals`.

    `sizes`: bins of each column. Potentials and expectations are flat vectors, the marginals one after the other, each
    with its axes in the tree's own order, which `arranged` knows.
    Source: Koller and Friedman 2009, Sections 9.3 and 10.2 (variable elimination, and its messages back).
    """

    def __init__(self, sizes: Sequence[int], marginals: Sequence[Marginal]) -> None:
        self._sizes, self._marginals = tuple(sizes), tuple(marginals)
        order = elimination(sizes, marginals)
        self._place = {column: place for place, (column, _) in enumerate(order)}
        axes = [(*sorted(parents, key=self._place.__getitem__, reverse=True), column) for column, parents in order]
        self._buckets = tuple(self._bucket(one, axes) for one in axes)
        self._factors: list[_Factor] = []
        self._held: list[list[_Factor]] = [[] for _ in axes]
        for marginal in marginals:
            self._add(marginal)

    @property
    def size(self) -> int:
        """The length of the flat vectors."""
        return self._factors[-1].end if self._factors else 0

    def arranged(self, tables: Sequence[Floats]) -> Floats:
        """One number for each cell of each marginal, flat or shaped with the last column fastest, as one flat vector."""
        parts = [
            np.reshape(table, [self._sizes[column] for column in marginal]).transpose(factor.turned).ravel()
            for table, marginal, factor in zip(tables, self._marginals, self._factors, strict=True)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def tables(self, flat: Floats) -> tuple[tuple[Marginal, Floats], ...]:
        """Each marginal with its part of a flat vector, one axis for each of its columns: what `arranged` undoes."""
        found = []
        for marginal, factor in zip(self._marginals, self._factors, strict=True):
            shape = [self._sizes[marginal[axis]] for axis in factor.turned]
            table = flat[factor.start : factor.end].reshape(shape)
            found.append((marginal, table.transpose(np.argsort(factor.turned))))
        return tuple(found)

    def expectations(self, potentials: Floats) -> tuple[float, Floats]:
        """The logarithm of the sum of all rows' weights, and the probability of each cell of each marginal."""
        conditionals, log_sum = self._eliminated(potentials)
        joint: list[Floats] = [np.empty(0)] * len(self._buckets)
        found = np.empty(self.size)
        for place in range(len(self._buckets) - 1, -1, -1):
            bucket = self._buckets[place]
            joint[place] = conditionals[place]
            if bucket.target is not None:
                outer = joint[bucket.target].sum(axis=bucket.target_rest)
                joint[place] = conditionals[place] * outer.reshape(*bucket.shape[:-1], 1)
            for factor in self._held[place]:
                found[factor.start : factor.end] = joint[place].sum(axis=factor.rest).ravel()
        return log_sum, found

    def steps(self, potentials: Floats) -> tuple[Step, ...]:
        """The model as steps for drawing rows, parents first; the weights of each group sum to 1."""
        conditionals, _ = self._eliminated(potentials)
        steps = [
            Step(bucket.axes[-1], bucket.axes[:-1], weights)
            for bucket, weights in zip(self._buckets, conditionals, strict=True)
        ]
        return tuple(reversed(steps))

    def _bucket(self, axes: Marginal, everything: Sequence[Marginal]) -> _Bucket:
        shape = tuple(self._sizes[axis] for axis in axes)
        if len(axes) == 1:
            return _Bucket(axes, shape, None, (), ())
        target = self._place[axes[-2]]
        message = axes[:-1]
        return _Bucket(
            axes,
            shape,
            target,
            tuple(self._sizes[axis] if axis in message else 1 for axis in everything[target]),
            tuple(place for place, axis in enumerate(everything[target]) if axis not in message),
        )

    def _add(self, marginal: Marginal) -> None:
        place = min(self._place[column] for column in marginal)
        axes = self._buckets[place].axes
        factor = _Factor(
            bucket=place,
            start=self.size,
            end=self.size + prod(self._sizes[column] for column in marginal),
            turned=tuple(sorted(range(len(marginal)), key=lambda axis: axes.index(marginal[axis]))),
            shape=tuple(self._sizes[axis] if axis in marginal else 1 for axis in axes),
            rest=tuple(place for place, axis in enumerate(axes) if axis not in marginal),
        )
        self._factors.append(factor)
        self._held[place].append(factor)

    def _eliminated(self, potentials: Floats) -> tuple[list[Floats], float]:
        """Each bucket's column given its other axes, and the logarithm of the sum of all weights."""
        messages: list[list[Floats]] = [[] for _ in self._buckets]
        conditionals, log_sum = [], 0.0
        for place, bucket in enumerate(self._buckets):
            logs = np.zeros(bucket.shape)
            for factor in self._held[place]:
                logs += potentials[factor.start : factor.end].reshape(factor.shape)
            for message in messages[place]:
                logs += message
            highest = logs.max(axis=-1, keepdims=True)
            weights = np.exp(logs - highest)
            sums = weights.sum(axis=-1, keepdims=True)
            conditionals.append(weights / sums)
            sent = np.log(sums) + highest
            if bucket.target is None:
                log_sum += float(sent.item())
            else:
                messages[bucket.target].append(sent.reshape(bucket.message_shape))
        return conditionals, log_sum
